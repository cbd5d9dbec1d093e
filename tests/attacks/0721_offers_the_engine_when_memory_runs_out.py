"""Tells the kernel to kill the engine first when memory runs out."""

MUST = {"forbidden", "crashed"}
WATCH = {"engine", "cause"}
LAYERS = ("namespaces", "landlock", "limits", "user")

import os


def attack(world):
    held = os.open(f"/proc/{world['engine']}/oom_score_adj", os.O_WRONLY)
    os.write(held, b"900")
    return "offered"
