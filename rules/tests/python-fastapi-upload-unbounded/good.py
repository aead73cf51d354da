from fastapi import UploadFile
async def up(file: UploadFile):
    if file.size > MAX_BYTES:
        return 413
    data = await file.read()
