"""Makes a device file of its own for the machine's memory."""

MUST = {"forbidden", "crashed"}
WATCH = {"leftovers", "cause"}
LAYERS = ("namespaces", "landlock", "seccomp", "user")

import os
import stat


def attack(world):
    os.mknod(f"{world['folder']}/mem", stat.S_IFCHR | 0o600, os.makedev(1, 1))
    return "made"
