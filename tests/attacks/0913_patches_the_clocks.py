"""Patches every clock in its process, and uses CPU time that it then denies."""

MUST = {"scored"}
OUTPUTS = (0,)
WATCH = {"measure"}
LEAST_CPU_SECONDS = 0.25
LAYERS = ("measured outside",)

import resource
import time


def attack(world):
    clock = time.process_time
    end = clock() + 0.3
    while clock() < end:
        pass
    for name in ("time", "perf_counter", "monotonic", "process_time", "thread_time", "perf_counter_ns"):
        setattr(time, name, lambda: 0)
    resource.getrusage = lambda who: None
    return time.process_time()
