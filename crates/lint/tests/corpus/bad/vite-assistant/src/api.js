import OpenAI from 'openai';

const client = new OpenAI({
  apiKey: import.meta.env.VITE_OPENAI_API_KEY,
  dangerouslyAllowBrowser: true,
});

export const ask = (q) => client.responses.create({ model: 'gpt-4o-mini', input: q });
