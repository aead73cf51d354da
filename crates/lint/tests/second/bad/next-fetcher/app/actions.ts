'use server';

export async function importFeed(formData: FormData) {
  const feed = formData.get('feed') as string;
  const response = await fetch(feed, { cache: 'no-store' });
  const xml = await response.text();
  return xml.length;
}
