import io
import textwrap

import requests
from flask import Flask, jsonify, request, send_file
from PIL import Image, ImageDraw, ImageFont

app = Flask(__name__)

COLORS = {"sunset": ("#ff7e5f", "#feb47b"), "ocean": ("#2b5876", "#4e4376"), "lime": ("#56ab2f", "#a8e063")}


def background(style, size=(600, 400)):
    top, bottom = COLORS.get(style, COLORS["sunset"])
    # Stretch two pixels into a gradient
    img = Image.new("RGB", (1, 2))
    img.putpixel((0, 0), tuple(int(top[i:i + 2], 16) for i in (1, 3, 5)))
    img.putpixel((0, 1), tuple(int(bottom[i:i + 2], 16) for i in (1, 3, 5)))
    return img.resize(size, Image.Resampling.BILINEAR)


def draw_caption(draw, text, y, width):
    font = ImageFont.load_default(size=44)
    for line in textwrap.wrap(text.upper(), 20):
        w = draw.textlength(line, font=font)
        draw.text(((width - w) / 2, y), line, font=font, fill="white", stroke_width=3, stroke_fill="black")
        y += 50


@app.route("/")
def home():
    return """<!doctype html><title>Meme API</title>
    <body style="font-family:sans-serif;text-align:center;background:#1a1a2e;color:#eee;padding:2rem">
    <h1>🐸 Meme API</h1>
    <p><code>GET /meme.png?top=one%20does%20not%20simply&bottom=deploy%20on%20friday&style=ocean</code></p>
    <img style="max-width:100%;border-radius:12px" src="/meme.png?top=one does not simply&bottom=deploy on friday&style=ocean">"""


@app.route("/meme.png")
def meme():
    img = background(request.args.get("style", "sunset"))
    draw = ImageDraw.Draw(img)
    draw_caption(draw, request.args.get("top", ""), 20, img.width)
    draw_caption(draw, request.args.get("bottom", ""), img.height - 120, img.width)
    out = io.BytesIO()
    img.save(out, "PNG")
    out.seek(0)
    return send_file(out, mimetype="image/png")


@app.route("/templates")
def templates():
    try:
        r = requests.get("https://api.imgflip.com/get_memes", timeout=5)
        r.raise_for_status()
        return jsonify(source="imgflip", templates=[m["name"] for m in r.json()["data"]["memes"][:10]])
    except requests.RequestException:
        return jsonify(source="built-in", templates=sorted(COLORS))


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=8080, debug=True)
