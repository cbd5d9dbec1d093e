"""Overwrites a file of the machine."""

MUST = {"forbidden", "crashed"}
WATCH = {"canaries", "cause"}
LAYERS = ("namespaces", "landlock", "limits")


def attack(world):
    with open(world["canary"], "w") as file:
        file.write("spoiled")
    return "written"
