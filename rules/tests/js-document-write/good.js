document.body.textContent = text;
