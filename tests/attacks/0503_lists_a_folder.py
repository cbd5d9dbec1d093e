"""Lists a folder in which the names are what is secret."""

MUST = {"forbidden", "crashed"}
WATCH = {"secrets"}
LAYERS = ("namespaces", "landlock")

import os


def attack(world):
    return os.listdir(world["inside"])
