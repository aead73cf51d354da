window.addEventListener('message', (e) => { run(e.data); });
