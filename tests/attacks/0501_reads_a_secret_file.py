"""Reads a secret from a file that everybody may read."""

MUST = {"forbidden", "crashed"}
WATCH = {"secrets"}
LAYERS = ("namespaces", "landlock")


def attack(world):
    with open(world["secret"]) as file:
        return file.read()
