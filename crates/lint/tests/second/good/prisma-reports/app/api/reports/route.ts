import { NextRequest, NextResponse } from 'next/server';
import { PrismaClient } from '@prisma/client';

const prisma = new PrismaClient();

export async function GET(request: NextRequest) {
  const { searchParams } = new URL(request.url);
  const region = searchParams.get('region') ?? 'eu';
  const rows = await prisma.$queryRaw`
    SELECT month, SUM(total) FROM sales WHERE region = ${region} GROUP BY month`;
  return NextResponse.json(rows);
}
