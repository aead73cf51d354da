from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

origins = ["https://app.example.org"]

app = FastAPI()
app.add_middleware(
    CORSMiddleware,
    allow_origins=origins,
    allow_credentials=True,
    allow_methods=["*"],
)
