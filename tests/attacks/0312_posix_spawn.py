"""Starts a program by posix_spawn."""

MUST = {"forbidden", "out_of_processes", "crashed"}
WATCH = {"cause"}
LAYERS = ("seccomp", "namespaces", "landlock")

import os


def attack(world):
    pid = os.posix_spawn("/bin/true", ["true"], {})
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
