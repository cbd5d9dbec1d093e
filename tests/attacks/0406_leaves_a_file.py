"""Leaves a file in every folder that everybody may write to."""

MUST = {"forbidden", "crashed"}
WATCH = {"leftovers", "cause"}
LAYERS = ("namespaces", "landlock")

import os


def attack(world):
    left = []
    for place in [*world["places"], world["folder"]]:
        try:
            os.close(os.open(f"{place}/{world['mark']}", os.O_CREAT | os.O_WRONLY))
            left.append(place)
        except OSError as error:
            last = error
    if not left:
        raise last
    return left
