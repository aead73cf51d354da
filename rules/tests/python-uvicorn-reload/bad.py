import uvicorn
uvicorn.run('app:app', reload=True)
