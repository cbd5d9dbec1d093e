"""An honest candidate with a pool of two threads, where the problem allows them."""

MUST = {"scored"}
OUTPUTS = ([0, 1, 4, 9],)
LIMITS = {"processes": 4, "memory_mib": 512}


def attack(world):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda x: x * x, range(4)))
