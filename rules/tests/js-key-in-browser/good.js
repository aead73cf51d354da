const k = process.env.OPENAI_API_KEY;
const u = process.env.NEXT_PUBLIC_API_URL;
