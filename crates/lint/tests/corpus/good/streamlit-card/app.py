import html
import streamlit as st

name = st.text_input("Your name")
color = st.selectbox("Colour", ["red", "blue"])
if name:
    card = f"<div style='color: {color}'>{html.escape(name)}</div>"
    st.markdown(card, unsafe_allow_html=True)
