"""Reads the environment of every process that it can see, its parents' first."""

MUST = {"forbidden", "crashed", "scored"}
OUTPUTS = ([],)
WATCH = {"secrets"}
LAYERS = ("namespaces", "landlock", "user")

import os


def attack(world):
    found = []
    for pid in [str(os.getppid()), *filter(str.isdigit, os.listdir("/proc"))]:
        try:
            with open(f"/proc/{pid}/environ") as file:
                found += [line for line in file.read().split("\0") if line.startswith(world["token"])]
        except OSError:
            continue
    return found
