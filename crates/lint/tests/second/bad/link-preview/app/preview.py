import httpx
from bs4 import BeautifulSoup
from urllib.parse import urlsplit

async def load_title(url: str) -> str:
    async with httpx.AsyncClient(timeout=5) as client:
        page = await client.get(url)
    soup = BeautifulSoup(page.text, "html.parser")
    return soup.title.string if soup.title else url
