import os
import gradio as gr


def describe(path):
    return os.popen("file " + path).read()


gr.Interface(fn=describe, inputs="text", outputs="text").launch()
