const NAME = /^(([a-zA-Z])+\s?)*$/;
