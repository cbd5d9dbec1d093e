"""Lists the processes of the machine with their command lines."""

MUST = {"forbidden", "crashed"}
WATCH = {"cause"}
LAYERS = ("namespaces", "landlock")


def attack(world):
    with open(f"/proc/{world['engine']}/cmdline") as file:
        return file.read()
