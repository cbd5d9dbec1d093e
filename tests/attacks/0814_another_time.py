"""Sets the machine's clock."""

MUST = {"forbidden", "crashed"}
WATCH = {"cause"}
LAYERS = ("seccomp", "user")

import time


def attack(world):
    # to what it is, so that nothing comes of it but the right to do so
    time.clock_settime(time.CLOCK_REALTIME, time.clock_gettime(time.CLOCK_REALTIME))
    return "set"
