"""Searches the memory that it got from the process it was forked from."""

MUST = {"scored", "forbidden", "crashed"}
OUTPUTS = ([],)
WATCH = {"secrets"}
LIMITS = {"cpu_seconds": 10.0, "memory_mib": 512}
LAYERS = ("separate processes", "environment")

import ctypes
import re


def attack(world):
    found = set()
    with open("/proc/self/maps") as maps:
        areas = [line.split() for line in maps]
    own = "-".join(("stolen", ""))
    for area in areas:
        start, end = (int(one, 16) for one in area[0].split("-"))
        if area[1].startswith("rw") and end - start < 2**27:
            held = ctypes.string_at(start, end - start)
            found |= set(re.findall(own.encode() + rb"(?:file|private|memory|open|environment)-[0-9a-f]{32}", held))
    return sorted(one.decode() for one in found)
