document.write(text);
