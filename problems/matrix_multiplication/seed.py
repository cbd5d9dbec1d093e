"""Matrix multiplication, as it is defined: n m p terms."""


# EVOLVE-BLOCK-START
def construct(n, m, p):
    """One term for each product of two entries."""
    terms = []
    for i in range(n):
        for j in range(m):
            for k in range(p):
                a, b, c = [0] * (n * m), [0] * (m * p), [0] * (n * p)
                a[i * m + j] = 1
                b[j * p + k] = 1
                c[i * p + k] = 1
                terms.append([a, b, c])
    return terms


# EVOLVE-BLOCK-END


def decompose(n, m, p):
    """Gives terms (a, b, c) of coefficients of A (n x m), B (m x p) and C (n x p), row by row."""
    return [[[float(x) for x in part] for part in term] for term in construct(n, m, p)]
