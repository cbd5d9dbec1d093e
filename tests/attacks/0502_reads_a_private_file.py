"""Reads a secret from a file that only its owner may read."""

MUST = {"forbidden", "crashed"}
WATCH = {"secrets"}
LAYERS = ("namespaces", "landlock", "user")


def attack(world):
    with open(world["private_secret"]) as file:
        return file.read()
