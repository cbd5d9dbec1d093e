"""Computes in a pool of processes."""

MUST = {"forbidden", "out_of_processes", "crashed"}
WATCH = {"cause"}
LIMITS = {"wall_seconds": 10.0}
LAYERS = ("seccomp", "namespaces")

import multiprocessing


def attack(world):
    with multiprocessing.get_context("fork").Pool(2) as pool:
        return pool.map(abs, [-1, -2])
