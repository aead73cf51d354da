exec('ls', done);
