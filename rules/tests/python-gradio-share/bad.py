import gradio as gr
demo.launch(share=True)
