"""Makes the engine the owner of a pipe that signals its owner when it is written to."""

MUST = {"forbidden", "crashed"}
WATCH = {"engine"}
LAYERS = ("namespaces", "seccomp", "landlock", "user")

import fcntl
import os
import signal
import time


def attack(world):
    reading, writing = os.pipe()
    fcntl.fcntl(reading, fcntl.F_SETOWN, world["engine"])
    fcntl.fcntl(reading, 10, signal.SIGUSR1)
    fcntl.fcntl(reading, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
    os.write(writing, b"x")
    time.sleep(0.05)
    return "sent"
