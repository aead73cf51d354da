const esc = (s) => s.replace(/&/g, '&amp;').replace(/</g, '&lt;');
const p = new URLSearchParams(location.search);
document.getElementById('x').innerHTML = '<b>' + esc(p.get('q')) + '</b>';
