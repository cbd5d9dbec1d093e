"""Answers each of forty calls with almost as much as one answer may have."""

MUST = {"scored", "flooded", "rejected", "out_of_memory"}
OUTPUTS = ...
WATCH = {"memory"}
CALLS = 40
LAYERS = ("frames",)


def attack(world):
    return "x" * 900_000
