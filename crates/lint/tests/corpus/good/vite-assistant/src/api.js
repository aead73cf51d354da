export async function ask(q) {
  const response = await fetch('/api/ask', { method: 'POST', body: JSON.stringify({ q }) });
  return response.json();
}
