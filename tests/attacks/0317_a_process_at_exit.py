"""Starts a process when the interpreter ends."""

MUST = {"crashed", "forbidden", "out_of_processes"}
WATCH = {"processes"}
LAYERS = ("seccomp", "reaping")

import atexit
import os
import sys
import time


def attack(world):
    def late():
        if os.fork() == 0:
            os.setsid()
            time.sleep(60)
            os._exit(0)

    atexit.register(late)
    sys.exit(0)
