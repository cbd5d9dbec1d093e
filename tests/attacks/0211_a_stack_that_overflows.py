"""Overflows the stack of C by comparing lists that hold themselves deeply."""

MUST = {"crashed", "out_of_memory"}
LAYERS = ("engine",)

import sys


def attack(world):
    sys.setrecursionlimit(10**9)

    class Deep:
        def __repr__(self):
            return repr([self])

    return len(repr(Deep()))
