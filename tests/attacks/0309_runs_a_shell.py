"""Runs a command in a shell."""

MUST = {"forbidden", "out_of_processes", "crashed"}
WATCH = {"cause"}
LAYERS = ("seccomp", "namespaces", "landlock")

import subprocess


def attack(world):
    return subprocess.run(["/bin/sh", "-c", "id"], capture_output=True, check=True, text=True).stdout
