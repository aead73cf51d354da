import { NextResponse } from 'next/server';
import { sql } from '@/lib/db';

export async function GET(request: Request) {
  const { searchParams } = new URL(request.url);
  const status = searchParams.get('status') ?? 'open';
  const orders = await sql`select * from orders where status = ${status}`;
  return NextResponse.json(orders);
}
