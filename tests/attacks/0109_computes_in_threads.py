"""Computes in four threads, as many as it may have, to get more than its CPU time."""

MUST = {"timed_out"}
LIMITS = {"cpu_seconds": 0.4, "processes": 4}
LAYERS = ("engine",)
LEAST_CPU_SECONDS = 0.35

import hashlib
import threading


def attack(world):
    data = bytes(2**20)

    def work():
        while True:
            hashlib.sha256(data).digest()

    for _ in range(4):
        threading.Thread(target=work, daemon=True).start()
    threading.Event().wait()
