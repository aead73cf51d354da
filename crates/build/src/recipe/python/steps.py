"""Unpacks a source archive, and asks its build backend for a wheel (PEP 517). No network."""

import importlib
import json
import os
import shutil
import sys
import tarfile


def unpack(archive, folder):
    # Older ones unpack without it: the sandbox holds either way.
    careful = archive.endswith(".tar.gz") and hasattr(tarfile, "data_filter")
    options = {"filter": "data"} if careful else {}
    shutil.unpack_archive(archive, folder + "/unpacked", **options)
    (top,) = os.listdir(folder + "/unpacked")
    os.rename(folder + "/unpacked/" + top, folder + "/source")


def backend():
    sys.path[:0] = [os.path.abspath(path) for path in json.loads(os.environ["BACKEND_PATH"])]
    module, _, attributes = os.environ["BACKEND"].partition(":")
    found = importlib.import_module(module)
    for name in filter(None, attributes.split(".")):
        found = getattr(found, name)
    return found


def requires(answer):
    ask = getattr(backend(), "get_requires_for_build_wheel", lambda settings: [])
    wanted = [str(one) for one in ask(None)]
    with open(answer, "w") as file:
        json.dump(wanted, file)


def wheel(folder):
    backend().build_wheel(folder, None, None)


if __name__ == "__main__":
    # Backends look at what Python was told.
    step, arguments = sys.argv[1], sys.argv[2:]
    sys.argv[1:] = []
    {"unpack": unpack, "requires": requires, "wheel": wheel}[step](*arguments)
