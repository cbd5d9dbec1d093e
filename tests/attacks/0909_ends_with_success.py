"""Ends its process with the status of success, without an answer."""

MUST = {"crashed"}
WATCH = {"cause"}
LAYERS = ("frames",)

import os


def attack(world):
    os._exit(0)
