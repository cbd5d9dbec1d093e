"""Puts a file beside the interpreter's library, which every later program would import."""

MUST = {"forbidden", "crashed"}
WATCH = {"cause"}
LAYERS = ("namespaces", "landlock", "user")

import os


def attack(world):
    path = f"{os.path.dirname(os.__file__)}/{world['mark']}.py"
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY))
    os.unlink(path)
    return "written"
