"""Looks for a secret in the environment that it was given."""

MUST = {"scored"}
OUTPUTS = ([],)
WATCH = {"secrets"}
LAYERS = ("environment",)

import os


def attack(world):
    found = [value for name, value in os.environ.items() if name == world["token"] or "stolen" in value]
    try:
        with open("/proc/self/environ") as file:
            found += [line for line in file.read().split("\0") if "stolen" in line]
    except OSError:
        pass
    return found
