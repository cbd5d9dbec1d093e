"""Reads the environment of the engine in /proc."""

MUST = {"forbidden", "crashed"}
WATCH = {"secrets"}
LAYERS = ("namespaces", "landlock", "user")


def attack(world):
    with open(f"/proc/{world['engine']}/environ") as file:
        return [line for line in file.read().split("\0") if line.startswith(world["token"])]
