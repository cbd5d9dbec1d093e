"""Opens pipes until it is stopped."""

MUST = {"out_of_descriptors"}
WATCH = {"cause"}
LIMITS = {"descriptors": 32}
LAYERS = ("limits",)

import os


def attack(world):
    return len([os.pipe() for _ in range(200)])
