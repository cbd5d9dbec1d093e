"""Connects by multipath TCP, which Landlock does not look at."""

MUST = {"forbidden", "crashed"}
WATCH = {"listeners"}
LAYERS = ("namespaces", "seccomp")

import socket


def attack(world):
    try:
        one = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
    except OSError as error:
        if isinstance(error, PermissionError):
            raise
        one = socket.socket(socket.AF_INET)
    one.connect(("127.0.0.1", world["ports"]["tcp"]))
    return "connected"
