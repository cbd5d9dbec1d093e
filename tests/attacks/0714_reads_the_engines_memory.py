"""Reads the engine's memory in /proc."""

MUST = {"forbidden", "crashed"}
WATCH = {"secrets"}
LAYERS = ("namespaces", "landlock", "user")


def attack(world):
    place, size = world["memory"]
    with open(f"/proc/{world['engine']}/mem", "rb", buffering=0) as memory:
        memory.seek(place)
        return memory.read(size).decode()
