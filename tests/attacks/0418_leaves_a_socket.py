"""Leaves a socket in a folder."""

MUST = {"forbidden", "crashed"}
WATCH = {"leftovers"}
LAYERS = ("namespaces", "landlock", "seccomp")

import socket


def attack(world):
    socket.socket(socket.AF_UNIX).bind(f"{world['folder']}/mine")
    return "left"
