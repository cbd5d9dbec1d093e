"""An honest candidate that prints on both streams."""

MUST = {"scored"}
OUTPUTS = ({"a": [0.5, None, "é"]},)

import sys


def attack(world):
    print("so far so good", 1, 2, 3)
    print("a warning", file=sys.stderr)
    return {"a": (0.5, None, "é")}
