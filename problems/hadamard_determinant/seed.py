"""A matrix of signs: which differences of indices are squares modulo n."""


# EVOLVE-BLOCK-START
def construct(n):
    """Row i, column k: +1 if i - k is a square modulo n."""
    squares = {x * x % n for x in range(n)}
    rows = []
    for i in range(n):
        rows.append([1 if (i - k) % n in squares else -1 for k in range(n)])
    return rows


# EVOLVE-BLOCK-END


def matrix(n):
    """Gives n rows of n signs."""
    return [[1 if x > 0 else -1 for x in row] for row in construct(n)]
