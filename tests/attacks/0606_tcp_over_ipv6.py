"""Connects to a TCP port of the machine by IPv6."""

MUST = {"forbidden", "crashed"}
WATCH = {"listeners"}
LAYERS = ("namespaces", "landlock", "seccomp")

import socket


def attack(world):
    socket.socket(socket.AF_INET6).connect(("::1", world["ports"]["tcp6"]))
    return "connected"
