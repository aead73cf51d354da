el.innerHTML = DOMPurify.sanitize(x);
