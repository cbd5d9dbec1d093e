"""Types a command into the terminal that the engine was started from."""

MUST = {"forbidden", "crashed"}
WATCH = {"cause"}
LAYERS = ("seccomp", "namespaces", "landlock")

import fcntl
import os
import pty


def attack(world):
    leader, terminal = pty.openpty()
    fcntl.ioctl(terminal, 0x540E, 0)
    fcntl.ioctl(terminal, 0x5412, b"x")
    return "typed"
