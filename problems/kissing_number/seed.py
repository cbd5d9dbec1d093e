"""Kissing vectors: the roots of D_n."""


# EVOLVE-BLOCK-START
def construct(d):
    """Every vector with two entries +1 or -1 and zeros elsewhere."""
    found = []
    for i in range(d):
        for j in range(i):
            for a in (-1, 1):
                for b in (-1, 1):
                    vector = [0] * d
                    vector[i] = a
                    vector[j] = b
                    found.append(vector)
    return found


# EVOLVE-BLOCK-END


def vectors(d):
    """Gives integer vectors with d entries."""
    return [[int(x) for x in vector] for vector in construct(d)]
