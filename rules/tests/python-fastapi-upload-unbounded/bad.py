from fastapi import UploadFile
async def up(file: UploadFile):
    data = await file.read()
    return len(data)
