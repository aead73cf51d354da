const r = /^([a-zA-Z0-9]+)+$/;
