"""Raises the limits of its memory and file sizes, and takes half a gibibyte."""

MUST = {"forbidden", "out_of_memory", "crashed"}
WATCH = {"memory", "cause"}
LAYERS = ("user", "seccomp", "cgroup")

import resource


def attack(world):
    most = resource.RLIM_INFINITY
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    return len(bytes(2**29).replace(b"\0", b"\1"))
