"""Starts one process, and goes on in both."""

MUST = {"forbidden", "out_of_processes"}
WATCH = {"cause"}
LAYERS = ("seccomp", "cgroup", "user")

import os
import time


def attack(world):
    if os.fork() == 0:
        time.sleep(60)
        os._exit(0)
    return "two processes"
