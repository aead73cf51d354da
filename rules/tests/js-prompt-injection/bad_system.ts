import Anthropic from '@anthropic-ai/sdk';

export async function POST(req: Request) {
  const { style, text } = await req.json();
  const messages = [{ role: 'user' as const, content: text }];
  return new Anthropic().messages.create({ model: 'm', max_tokens: 9, system: `Write like ${style}.`, messages });
}
