"""Writes to the engine's memory in /proc."""

MUST = {"forbidden", "crashed"}
WATCH = {"canaries"}
LAYERS = ("namespaces", "landlock", "user")


def attack(world):
    place, size = world["spare"]
    with open(f"/proc/{world['engine']}/mem", "r+b", buffering=0) as memory:
        memory.seek(place)
        memory.write(b"X" * size)
    return "written"
