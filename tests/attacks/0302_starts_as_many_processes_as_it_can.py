"""Starts processes that start processes."""

MUST = {"forbidden", "out_of_processes"}
WATCH = {"cause"}
LAYERS = ("seccomp", "cgroup", "user")

import os
import time


def attack(world):
    first = os.getpid()
    for _ in range(5):
        os.fork()
    if os.getpid() != first:
        time.sleep(60)
        os._exit(0)
    return "thirty-two processes"
