import random

import gradio as gr

QUESTIONS = [
    ("Which planet has the most moons?", ["Jupiter", "Saturn", "Neptune"], "Saturn"),
    ("How many hearts does an octopus have?", ["One", "Two", "Three"], "Three"),
    ("What is the only even prime number?", ["2", "4", "6"], "2"),
    ("Which metal is liquid at room temperature?", ["Mercury", "Tin", "Lead"], "Mercury"),
]


def check(question: str, answer: str) -> str:
    for text, _, correct in QUESTIONS:
        if text == question:
            if not answer:
                return "🤔 Pick something first!"
            if answer.strip().lower() == correct.lower():
                return random.choice(["🎉 Correct!", "✅ Spot on!", "🏆 Yes!"])
            return f"❌ Not quite. It is {correct}."
    return "Please choose a question."


def hint(question: str):
    for text, options, _ in QUESTIONS:
        if text == question:
            return gr.update(choices=options, value=None)
    return gr.update(choices=[])


with gr.Blocks(title="Quiz Night") as demo:
    gr.Markdown("# 🧠 Quiz Night\nPick a question, choose an answer, no cheating.")
    question = gr.Dropdown([q[0] for q in QUESTIONS], value=QUESTIONS[0][0], label="Question")
    answer = gr.Radio(QUESTIONS[0][1], label="Answer")
    button = gr.Button("Check", variant="primary")
    result = gr.Textbox(label="Result", interactive=False)
    question.change(hint, question, answer)
    button.click(check, [question, answer], result)

if __name__ == "__main__":
    demo.launch()
