const NAME = /^[a-zA-Z]+(?: [a-zA-Z]+)*$/;

export const isName = (text) => text.length < 200 && NAME.test(text);
