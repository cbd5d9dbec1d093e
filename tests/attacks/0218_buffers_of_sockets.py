"""Fills the buffers of sockets with each other, which are the kernel's memory."""

MUST = {"forbidden", "crashed"}
WATCH = {"cause"}
LAYERS = ("seccomp",)

import socket


def attack(world):
    held = []
    for _ in range(20):
        pair = socket.socketpair()
        held.append(pair)
        pair[0].setblocking(False)
        try:
            while True:
                pair[0].send(bytes(2**16))
        except BlockingIOError:
            continue
    return "through"
