import asyncio

PRESETS = {"fast", "medium", "slow"}

async def transcode(name: str, preset: str):
    command = "ffmpeg -i media/" + name + " -preset " + preset + " out/" + name
    proc = await asyncio.create_subprocess_shell(command)
    return await proc.wait()
