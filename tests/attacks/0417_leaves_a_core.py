"""Dies with a dump of its memory in a folder of its choice."""

MUST = {"forbidden", "crashed"}
WATCH = {"leftovers"}
LAYERS = ("limits", "namespaces", "seccomp")

import os
import resource


def attack(world):
    os.chdir(world["inside"])
    for kind in (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE):
        try:
            resource.setrlimit(kind, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        except (OSError, ValueError):
            continue
    os.abort()
