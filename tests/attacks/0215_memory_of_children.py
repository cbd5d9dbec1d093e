"""Has children take memory, each as much as it may have itself."""

MUST = {"forbidden", "out_of_memory", "out_of_processes", "crashed"}
WATCH = {"memory", "cause"}
LAYERS = ("seccomp", "cgroup", "user")

import os
import time


def attack(world):
    for _ in range(4):
        if os.fork() == 0:
            held = b"\1" * (100 * 2**20)
            time.sleep(1)
            os._exit(len(held) > 0)
    time.sleep(0.7)
    return "four hundred mebibytes"
