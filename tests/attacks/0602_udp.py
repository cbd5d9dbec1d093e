"""Sends a datagram to a UDP port of the machine."""

MUST = {"forbidden", "crashed"}
WATCH = {"listeners"}
LAYERS = ("namespaces", "seccomp")

import socket


def attack(world):
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"hello", ("127.0.0.1", world["ports"]["udp"]))
    return "sent"
