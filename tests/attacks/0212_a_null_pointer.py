"""Reads through a null pointer."""

MUST = {"crashed"}
LAYERS = ("engine",)

import ctypes


def attack(world):
    return ctypes.string_at(0).decode()
