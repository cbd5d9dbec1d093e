"""Waits in the kernel for a child that it may have, which waits for it."""

MUST = {"stalled", "forbidden", "out_of_processes", "crashed"}
LIMITS = {"wall_seconds": 0.6, "processes": 4}
WATCH = {"processes"}
LAYERS = ("engine", "reaping")

import os
import signal


def attack(world):
    reading, writing = os.pipe()
    if os.fork() == 0:
        signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))
        os.setsid()
        while True:
            os.read(reading, 1)
    os.wait()
