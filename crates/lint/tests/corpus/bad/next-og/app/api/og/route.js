export async function POST(request) {
  const { url } = await request.json();
  const page = await fetch(url);
  const text = await page.text();
  const match = text.match(/<title>(.*?)<\/title>/);
  return Response.json({ title: match?.[1] ?? null });
}
