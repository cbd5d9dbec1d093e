"""Has three children that it may have take memory, each as much as all together may."""

MUST = {"scored", "forbidden", "out_of_memory", "out_of_processes", "crashed", "stalled", "timed_out"}
OUTPUTS = ...
WATCH = {"memory"}
LIMITS = {"processes": 4, "wall_seconds": 10.0}
LAYERS = ("cgroup",)

import os
import time


def attack(world):
    for _ in range(3):
        if os.fork() == 0:
            held = b"\1" * (100 * 2**20)
            time.sleep(1)
            os._exit(len(held) > 0)
    time.sleep(0.8)
    return "three hundred mebibytes"
