"""Reads whatever is open in its own process, through the descriptors and through /proc."""

MUST = {"scored", "crashed", "rejected", "stalled"}
OUTPUTS = ([],)
WATCH = {"secrets"}
LIMITS = {"wall_seconds": 3.0}
LAYERS = ("descriptors",)

import os


def attack(world):
    found = []
    for fd in range(64):
        if fd != 3:
            try:
                os.set_blocking(fd, False)
                found.append(os.pread(fd, 4096, 0).decode())
            except (OSError, ValueError):
                pass
        try:
            with open(f"/proc/self/fd/{fd}") as file:
                os.set_blocking(file.fileno(), False)
                found.append(file.read(4096))
        except (OSError, ValueError, TypeError):
            pass
    return [text for text in found if "stolen" in text]
