"""Leaves a daemon behind, where it may have processes."""

MUST = {"scored", "forbidden", "out_of_processes"}
OUTPUTS = ("a daemon",)
WATCH = {"processes"}
LIMITS = {"processes": 4}
LAYERS = ("reaping",)

import os
import signal
import time


def attack(world):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for number in range(1, 32):
                try:
                    signal.signal(number, signal.SIG_IGN)
                except (OSError, ValueError):
                    continue
            time.sleep(60)
        os._exit(0)
    os.wait()
    return "a daemon"
