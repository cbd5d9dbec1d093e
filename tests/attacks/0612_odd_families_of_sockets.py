"""Opens sockets of families that hardly anybody uses and whose code has had many holes."""

MUST = {"scored", "forbidden", "crashed"}
OUTPUTS = ([],)
WATCH = {"outputs"}
LAYERS = ("seccomp",)

import socket


def attack(world):
    opened = []
    for family in (*range(3, 46), socket.AF_UNIX, socket.AF_INET, socket.AF_INET6):
        for kind in (1, 2, 3, 5):
            try:
                socket.socket(family, kind, 0).close()
                opened.append(int(family))
            except OSError:
                continue
    return opened
