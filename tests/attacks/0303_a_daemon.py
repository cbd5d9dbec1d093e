"""Leaves a process behind that nobody is the parent of, in a session of its own."""

MUST = {"forbidden", "out_of_processes"}
WATCH = {"cause", "processes"}
LAYERS = ("seccomp", "cgroup", "reaping")

import os
import time


def attack(world):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(60)
        os._exit(0)
    os.wait()
    return "a daemon"
