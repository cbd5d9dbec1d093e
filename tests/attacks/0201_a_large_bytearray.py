"""Asks for a gibibyte at once, and touches it."""

MUST = {"out_of_memory"}
WATCH = {"memory"}
LAYERS = ("limits", "cgroup")


def attack(world):
    held = bytearray(2**30)
    for place in range(0, len(held), 4096):
        held[place] = 1
    return len(held)
