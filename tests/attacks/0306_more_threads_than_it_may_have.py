"""Starts forty threads where it may have four."""

MUST = {"out_of_processes", "forbidden"}
WATCH = {"cause"}
LIMITS = {"processes": 4, "memory_mib": 512}
LAYERS = ("cgroup", "user")

import threading


def attack(world):
    threading.stack_size(65536)
    over = threading.Event()
    for _ in range(40):
        threading.Thread(target=over.wait, daemon=True).start()
    return threading.active_count()
