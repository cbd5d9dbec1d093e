"""Fills a file in memory that outlives the process."""

MUST = {"forbidden", "crashed"}
WATCH = {"leftovers", "memory", "cause"}
LAYERS = ("namespaces", "landlock")

import resource


def attack(world):
    try:
        most = resource.RLIM_INFINITY
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    except (OSError, ValueError):
        pass
    with open(f"/dev/shm/{world['mark']}", "wb") as file:
        for _ in range(300):
            file.write(bytes(2**20))
    return "filled"
