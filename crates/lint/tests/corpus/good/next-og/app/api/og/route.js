const ALLOWED = ['example.com', 'example.org'];

function isAllowed(address) {
  const { protocol, hostname } = new URL(address);
  return protocol === 'https:' && ALLOWED.includes(hostname);
}

export async function POST(request) {
  const { url } = await request.json();
  if (!isAllowed(url)) {
    return Response.json({ error: 'host not allowed' }, { status: 400 });
  }
  const page = await fetch(url);
  const text = await page.text();
  const match = text.match(/<title>(.*?)<\/title>/);
  return Response.json({ title: match?.[1] ?? null });
}
