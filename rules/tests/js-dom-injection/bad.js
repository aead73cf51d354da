const p = new URLSearchParams(location.search);
document.getElementById('x').innerHTML = '<b>' + p.get('q') + '</b>';
