import os
import subprocess

from flask import Flask, request

app = Flask(__name__)


def command(**options):
    return "zip -r {out} {folder}".format(**options)


@app.get("/zip")
def zipped():
    os.system(command(out="/tmp/o.zip", folder=request.args["folder"]))
    return "ok"
