import subprocess
import gradio as gr


def describe(path):
    return subprocess.run(["file", "--", path], capture_output=True, text=True).stdout


gr.Interface(fn=describe, inputs="text", outputs="text").launch()
