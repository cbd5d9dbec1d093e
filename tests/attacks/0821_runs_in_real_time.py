"""Has itself scheduled before everybody else."""

MUST = {"forbidden", "crashed"}
WATCH = {"cause"}
LAYERS = ("seccomp", "user")

import os


def attack(world):
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    return "first"
