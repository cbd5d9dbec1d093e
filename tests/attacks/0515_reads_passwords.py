"""Reads who may log in, with what password."""

MUST = {"forbidden", "crashed"}
WATCH = {"cause"}
LAYERS = ("namespaces", "landlock", "user")


def attack(world):
    with open("/etc/passwd") as file:
        found = file.read().splitlines()[:1]
    try:
        with open("/etc/shadow") as file:
            found += file.read().splitlines()[:1]
    except PermissionError:
        pass
    return len(found)
