window.addEventListener('message', (e) => { if (e.origin !== o) return; run(e.data); });
