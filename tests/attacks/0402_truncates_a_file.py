"""Truncates a file of the machine without opening it."""

MUST = {"forbidden", "crashed"}
WATCH = {"canaries"}
LAYERS = ("namespaces", "landlock", "seccomp")

import os


def attack(world):
    os.truncate(world["canary"], 0)
    return "truncated"
