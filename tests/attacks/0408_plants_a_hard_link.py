"""Gives a secret a second name."""

MUST = {"forbidden", "crashed"}
WATCH = {"leftovers", "canaries"}
LAYERS = ("namespaces", "landlock", "seccomp")

import os


def attack(world):
    os.link(world["canary"], f"{world['folder']}/again")
    return "planted"
