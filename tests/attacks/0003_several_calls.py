"""An honest candidate that keeps something from one call to the next."""

MUST = {"scored"}
OUTPUTS = (1, 2, 3)
CALLS = 3

seen = []


def attack(world):
    seen.append(world["mark"])
    return len(seen)
