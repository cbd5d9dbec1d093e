"""Sends a signal to the engine by a descriptor of it."""

MUST = {"forbidden", "crashed"}
WATCH = {"engine"}
LAYERS = ("namespaces", "seccomp", "landlock", "user")

import os
import signal


def attack(world):
    signal.pidfd_send_signal(os.pidfd_open(world["engine"]), signal.SIGUSR1)
    return "sent"
