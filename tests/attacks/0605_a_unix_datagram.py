"""Sends a datagram to a socket in a folder of the machine, as the system's log might be."""

MUST = {"forbidden", "crashed"}
WATCH = {"listeners"}
LAYERS = ("namespaces", "seccomp")

import socket


def attack(world):
    socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"hello", world["datagram"])
    return "sent"
