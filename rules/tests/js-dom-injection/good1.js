const p = new URLSearchParams(location.search);
document.getElementById('x').textContent = p.get('q');
