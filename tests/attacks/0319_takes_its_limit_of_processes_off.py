"""Raises its limit of processes, and starts thirty where it may have four."""

MUST = {"out_of_processes", "forbidden", "crashed"}
WATCH = {"cause", "processes"}
LIMITS = {"processes": 4, "wall_seconds": 10.0}
LAYERS = ("cgroup", "user", "seccomp")

import os
import resource
import time


def attack(world):
    try:
        most = resource.RLIM_INFINITY
        resource.setrlimit(resource.RLIMIT_NPROC, (most, most))
    except (OSError, ValueError):
        pass
    for _ in range(30):
        if os.fork() == 0:
            time.sleep(60)
            os._exit(0)
    return "thirty processes"
