"""Plants a symbolic link that leads whoever follows it to a secret."""

MUST = {"forbidden", "crashed"}
WATCH = {"leftovers"}
LAYERS = ("namespaces", "landlock", "seccomp")

import os


def attack(world):
    os.symlink(world["secret"], f"{world['folder']}/result.json")
    return "planted"
