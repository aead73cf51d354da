app.add_middleware(CORSMiddleware, allow_origins=['https://a.example'])
