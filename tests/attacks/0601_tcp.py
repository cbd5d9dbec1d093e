"""Connects to a TCP port of the machine."""

MUST = {"forbidden", "crashed"}
WATCH = {"listeners"}
LAYERS = ("namespaces", "landlock", "seccomp")

import socket


def attack(world):
    with socket.create_connection(("127.0.0.1", world["ports"]["tcp"]), timeout=2) as connection:
        connection.send(b"hello")
    return "connected"
