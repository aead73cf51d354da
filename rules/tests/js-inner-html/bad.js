el.innerHTML = `<b>${name}</b>`;
