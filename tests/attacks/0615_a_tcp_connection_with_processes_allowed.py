"""Connects to a TCP port where it may have processes, from a child of its own."""

MUST = {"scored", "forbidden", "crashed"}
OUTPUTS = (256,)
WATCH = {"listeners"}
LIMITS = {"processes": 4}
LAYERS = ("namespaces", "landlock", "seccomp")

import os
import socket


def attack(world):
    pid = os.fork()
    if pid == 0:
        try:
            socket.create_connection(("127.0.0.1", world["ports"]["tcp"]), timeout=2)
            os._exit(0)
        except OSError:
            os._exit(1)
    return os.waitpid(pid, 0)[1]
