window.parent.postMessage({ token }, 'https://a.example');
