"""A set with more differences than sums: three numbers."""


# EVOLVE-BLOCK-START
def construct(most):
    """0, 1 and 3 have seven differences and six sums."""
    elements = [0]
    for step in (1, 2):
        elements.append(elements[-1] + step)
    return elements


# EVOLVE-BLOCK-END


def build(most):
    """Gives at most so many different non-negative integers, 0 among them."""
    return sorted({int(element) for element in construct(most)} | {0})[:most]
