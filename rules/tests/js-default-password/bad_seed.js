const bcrypt = require('bcrypt');
add({ name: 'admin', hash: bcrypt.hashSync('admin123', 10) });
