export async function GET(request) {
  const { searchParams } = new URL(request.url);
  const id = searchParams.get('id');
  const r = await prisma.$queryRawUnsafe('SELECT * FROM u WHERE id = ' + id);
  return Response.json(r);
}
