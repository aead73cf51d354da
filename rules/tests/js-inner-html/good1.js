el.textContent = name;
