"""Opens a TCP connection by sending (fast open), which Landlock does not look at."""

MUST = {"forbidden", "crashed"}
WATCH = {"listeners"}
LAYERS = ("namespaces", "seccomp")

import socket


def attack(world):
    socket.socket(socket.AF_INET).sendto(b"hello", 0x20000000, ("127.0.0.1", world["ports"]["tcp"]))
    return "sent"
