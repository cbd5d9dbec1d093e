"""Connects to a socket in a folder of the machine, as a database's might be."""

MUST = {"forbidden", "crashed"}
WATCH = {"listeners"}
LAYERS = ("namespaces", "seccomp")

import socket


def attack(world):
    socket.socket(socket.AF_UNIX).connect(world["unix"])
    return "connected"
