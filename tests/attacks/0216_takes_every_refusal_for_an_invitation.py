"""Goes on taking memory however often it is refused."""

MUST = {"out_of_memory", "timed_out"}
WATCH = {"memory"}
LIMITS = {"cpu_seconds": 0.5}
LAYERS = ("limits", "cgroup", "engine")


def attack(world):
    held = []
    while True:
        try:
            held.append(bytearray(2**16))
        except MemoryError:
            continue
