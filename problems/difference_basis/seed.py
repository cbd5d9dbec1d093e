"""A difference basis: a row of ones, and then steps as long as the row."""


# EVOLVE-BLOCK-START
def construct(most):
    """The numbers below k, and k - 1 multiples of k: all differences below k * k are there."""
    k = most // 4
    elements = list(range(k))
    for i in range(1, k):
        elements.append((i + 1) * k - 1)
    return elements


# EVOLVE-BLOCK-END


def build(most):
    """Gives at most so many different non-negative integers."""
    return sorted({int(element) for element in construct(most)})[:most]
