"""Waits for somebody to connect to it."""

MUST = {"forbidden", "crashed"}
WATCH = {"cause"}
LAYERS = ("seccomp", "landlock")

import socket


def attack(world):
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]
