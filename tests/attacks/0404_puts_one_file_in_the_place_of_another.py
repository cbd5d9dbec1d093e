"""Renames one file of the machine over another."""

MUST = {"forbidden", "crashed"}
WATCH = {"canaries"}
LAYERS = ("namespaces", "landlock", "seccomp")

import os


def attack(world):
    os.rename(world["second"], world["canary"])
    return "renamed"
