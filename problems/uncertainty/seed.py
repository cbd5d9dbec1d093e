"""A sum of Hermite functions that is its own Fourier transform and positive from early on."""

import math


# EVOLVE-BLOCK-START
def construct(k):
    """The values at 0 of the first k terms; `coefficients` turns them into coefficients."""
    shares = [0.0] * k
    shares[0] = 1.0
    for i in range(1, k):
        shares[i] = -(0.5**i)
    return shares


# EVOLVE-BLOCK-END


def coefficients(k):
    """Gives the coefficients of the Hermite polynomials of degrees 0, 4, ..., 4 (k - 1)."""
    # The polynomial of degree n = 4 i has the value n! / (n / 2)! at 0.
    return [float(share) * math.factorial(2 * i) / math.factorial(4 * i) for i, share in enumerate(construct(k))]
