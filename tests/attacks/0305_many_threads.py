"""Starts two hundred threads."""

MUST = {"forbidden", "out_of_processes", "out_of_memory"}
WATCH = {"cause"}
LAYERS = ("seccomp", "cgroup", "user")

import threading


def attack(world):
    threading.stack_size(65536)
    over = threading.Event()
    for _ in range(200):
        threading.Thread(target=over.wait, daemon=True).start()
    return threading.active_count()
