"""Has the engine scheduled only when nobody else wants to run."""

MUST = {"forbidden", "crashed"}
WATCH = {"engine"}
LAYERS = ("namespaces", "seccomp", "user")

import os


def attack(world):
    os.sched_setscheduler(world["engine"], os.SCHED_IDLE, os.sched_param(0))
    return "idle"
