import { redirect } from 'next/navigation';

export async function GET(request: Request) {
  const url = new URL(request.url);
  const to = url.searchParams.get('to') ?? '/';
  redirect(to);
}
