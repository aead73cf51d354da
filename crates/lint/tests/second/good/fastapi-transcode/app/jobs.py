import asyncio

PRESETS = {"fast", "medium", "slow"}

async def transcode(name: str, preset: str):
    if preset not in PRESETS or not name.isalnum():
        return 1
    proc = await asyncio.create_subprocess_exec("ffmpeg", "-i", f"media/{name}", "-preset", preset, f"out/{name}")
    return await proc.wait()
