import os
import subprocess
import streamlit as st

st.title("Commit browser")
branch = st.sidebar.text_input("Branch", "main")
author = st.sidebar.text_input("Author")
if st.button("Show"):
    out = subprocess.check_output(["git", "log", "--oneline", f"--author={author}", "--", branch], text=True)
    st.code(out)
