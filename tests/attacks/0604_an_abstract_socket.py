"""Connects to a socket that has a name but no place in the file system."""

MUST = {"forbidden", "crashed"}
WATCH = {"listeners"}
LAYERS = ("namespaces", "landlock", "seccomp")

import socket


def attack(world):
    socket.socket(socket.AF_UNIX).connect(b"\0" + world["abstract"].encode())
    return "connected"
