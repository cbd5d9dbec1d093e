"""Writes half a gibibyte into a memfd, which the limit of address space does not see."""

MUST = {"forbidden", "out_of_memory", "crashed"}
WATCH = {"memory", "cause"}
LAYERS = ("seccomp", "limits", "cgroup")

import os
import resource


def attack(world):
    try:
        most = resource.RLIM_INFINITY
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    except (OSError, ValueError):
        pass
    held = os.memfd_create("held")
    for _ in range(512):
        os.write(held, bytes(2**20))
    return os.fstat(held).st_size
