"""Has children compute for it, whose CPU time is nobody's."""

MUST = {"forbidden", "out_of_processes"}
WATCH = {"cause"}
LAYERS = ("seccomp", "cgroup", "user")
LIMITS = {"cpu_seconds": 0.5, "wall_seconds": 5.0}

import os
import time


def attack(world):
    for _ in range(3):
        if os.fork() == 0:
            end = time.monotonic() + 1.0
            while time.monotonic() < end:
                pass
            os._exit(0)
    for _ in range(3):
        os.wait()
    return "computed for three seconds"
