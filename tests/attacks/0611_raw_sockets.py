"""Opens sockets that see and send any packet."""

MUST = {"forbidden", "crashed"}
WATCH = {"cause"}
LAYERS = ("seccomp", "user")

import socket


def attack(world):
    opened = []
    for family, protocol in ((socket.AF_PACKET, 0x300), (socket.AF_INET, 1), (socket.AF_INET, 255)):
        try:
            socket.socket(family, socket.SOCK_RAW, protocol).close()
            opened.append(family)
        except OSError as error:
            last = error
    if not opened:
        raise last
    return "opened"
