"""Gives the machine another name."""

MUST = {"forbidden", "crashed"}
WATCH = {"engine"}
LAYERS = ("seccomp", "namespaces", "user")

import socket


def attack(world):
    socket.sethostname("mine")
    return "renamed"
