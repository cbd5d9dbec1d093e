"""Opens the devices of the machine's memory, its disks, and its log."""

MUST = {"forbidden", "crashed"}
WATCH = {"cause"}
LAYERS = ("namespaces", "landlock", "user")

import os


def attack(world):
    opened = []
    for path in ("/dev/kmsg", "/dev/mem", "/dev/sda", "/dev/vda", "/dev/kvm", "/dev/fuse", "/dev/ptmx", "/dev/full"):
        try:
            os.close(os.open(path, os.O_RDWR))
            opened.append(path)
        except OSError as error:
            last = error
    if not opened:
        raise last
    return opened
