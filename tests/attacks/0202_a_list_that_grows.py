"""Takes memory in small pieces until there is no more."""

MUST = {"out_of_memory"}
WATCH = {"memory"}
LAYERS = ("limits", "cgroup")


def attack(world):
    held = []
    for _ in range(700):
        held.append(bytearray(2**20))
    return len(held)
