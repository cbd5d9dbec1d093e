"""Reads a file through the engine's root and working folder in /proc."""

MUST = {"forbidden", "crashed"}
WATCH = {"secrets"}
LAYERS = ("namespaces", "landlock", "user")


def attack(world):
    with open(f"/proc/{world['engine']}/root{world['secret']}") as file:
        return file.read()
