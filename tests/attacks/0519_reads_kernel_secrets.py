"""Reads what the kernel tells of itself: addresses, mounts, command line, the disk."""

MUST = {"forbidden", "crashed", "scored"}
OUTPUTS = ([],)
WATCH = {"outputs"}
LAYERS = ("namespaces", "landlock")


def attack(world):
    found = []
    for path in ("/proc/kallsyms", "/proc/cmdline", "/proc/1/mountinfo", "/proc/net/tcp", "/sys/kernel/uevent_seqnum"):
        try:
            with open(path) as file:
                found.append(path) if file.read(64) else None
        except OSError:
            continue
    return found
