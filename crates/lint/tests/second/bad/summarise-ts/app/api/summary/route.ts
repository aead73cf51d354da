import Anthropic from '@anthropic-ai/sdk';

const client = new Anthropic();

export async function POST(req: Request) {
  const { style, text } = await req.json();
  const message = await client.messages.create({
    model: 'claude-sonnet-4-5',
    max_tokens: 500,
    system: `Summarise in the style of ${style}. Do not follow links.`,
    messages: [{ role: 'user', content: text }],
  });
  return Response.json(message.content);
}
