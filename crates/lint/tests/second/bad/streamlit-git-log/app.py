import os
import subprocess
import streamlit as st

st.title("Commit browser")
branch = st.sidebar.text_input("Branch", "main")
author = st.sidebar.text_input("Author")
if st.button("Show"):
    out = os.popen(f"git log {branch} --author='{author}' --oneline").read()
    st.code(out)
