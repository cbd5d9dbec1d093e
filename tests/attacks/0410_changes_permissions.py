"""Lets everybody write to a file that only its owner may read."""

MUST = {"forbidden", "crashed"}
WATCH = {"canaries"}
LAYERS = ("namespaces", "user", "seccomp")

import os


def attack(world):
    os.chmod(world["private_canary"], 0o777)
    return "changed"
