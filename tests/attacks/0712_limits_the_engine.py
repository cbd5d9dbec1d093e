"""Takes the engine's descriptors away by prlimit."""

MUST = {"forbidden", "crashed"}
WATCH = {"engine"}
LAYERS = ("namespaces", "seccomp", "user")

import resource


def attack(world):
    resource.prlimit(world["engine"], resource.RLIMIT_CORE, (0, 0))
    resource.prlimit(world["engine"], resource.RLIMIT_NOFILE, (8, 8))
    return "limited"
