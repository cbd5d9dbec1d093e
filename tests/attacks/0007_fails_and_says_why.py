"""An honest candidate with a mistake in it, which must come back as its own failure."""

MUST = {"crashed"}


def attack(world):
    return [1, 2, 3][len(world["mark"])]
