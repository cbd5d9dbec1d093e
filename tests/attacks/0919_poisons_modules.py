"""Puts modules of its own into the place of those that every program imports."""

MUST = {"scored"}
OUTPUTS = (0.5,)
WATCH = {"after"}
LAYERS = ("separate processes",)

import sys
import types


def attack(world):
    for name in ("json", "math", "numpy", "random", "os", "struct"):
        sys.modules[name] = types.ModuleType(name)
    sys.path.insert(0, "/tmp")
    return 0.5
