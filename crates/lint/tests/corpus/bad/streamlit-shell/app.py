import subprocess
import streamlit as st

st.title("Disk usage")
folder = st.text_input("Folder", "/tmp")
if st.button("Show"):
    output = subprocess.check_output("du -sh " + folder, shell=True)
    st.code(output.decode())
