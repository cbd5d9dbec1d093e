"""An honest candidate that imports scipy itself and solves a small problem with it."""

MUST = {"scored"}
OUTPUTS = ([1, 0],)
LIMITS = {"memory_mib": 1024, "cpu_seconds": 20.0}
NEEDS = ("scipy",)


def attack(world):
    from scipy.optimize import linear_sum_assignment

    return linear_sum_assignment([[4.0, 1.0], [2.0, 3.0]])[1].tolist()
