import sqlite3
import streamlit as st
from openai import OpenAI

client = OpenAI()
question = st.text_input("Ask your data")
QUERIES = {"total": "SELECT SUM(amount) FROM sales", "count": "SELECT COUNT(*) FROM sales"}

def to_sql(text):
    reply = client.chat.completions.create(
        model="gpt-4o-mini",
        messages=[{"role": "user", "content": text}],
    )
    return reply.choices[0].message.content

if question:
    db = sqlite3.connect("sales.db")
    query = QUERIES.get(to_sql(question).strip())
    st.dataframe(db.execute(query).fetchall() if query else [])
