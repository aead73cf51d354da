window.parent.postMessage({ token }, '*');
