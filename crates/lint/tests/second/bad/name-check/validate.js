const NAME = /^(([a-zA-Z])+\s?)*$/;

export const isName = (text) => text.length < 200 && NAME.test(text);
