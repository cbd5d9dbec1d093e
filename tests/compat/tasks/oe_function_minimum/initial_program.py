"""Finds a low point of a function."""


# EVOLVE-BLOCK-START
def search():
    best = (0.0, 0.0)
    for i in range(40):
        for j in range(40):
            x, y = -2 + i * 0.1, -2 + j * 0.1
            if (x - 0.3) ** 2 + (y + 0.7) ** 2 < (best[0] - 0.3) ** 2 + (best[1] + 0.7) ** 2:
                best = (x, y)
    return best


# EVOLVE-BLOCK-END


def run_search():
    x, y = search()
    return x, y
