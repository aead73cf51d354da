el.innerHTML = '<b>x</b>';
