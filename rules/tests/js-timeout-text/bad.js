setTimeout('run()', 100);
