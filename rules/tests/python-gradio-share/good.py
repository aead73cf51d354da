import gradio as gr
demo.launch()
