"""Gives a file away."""

MUST = {"forbidden", "crashed"}
WATCH = {"canaries"}
LAYERS = ("namespaces", "user", "seccomp")

import os


def attack(world):
    os.chown(world["canary"], -1, os.getgid() if os.getuid() else 12345)
    os.chmod(world["canary"], 0o600)
    return "changed"
