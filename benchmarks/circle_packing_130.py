# EVOLVE-BLOCK-START
"""Constructor-based packing of n = 26 circles in the unit square, maximising the sum of their radii."""

import numpy as np


def construct_packing():
    """An arrangement of 26 circles in a unit square.

    Returns:
        centers (26, 2), radii (26,), and the sum of the radii.
    """
    n = 26
    centers = np.zeros((n, 2))

    # one large circle in the middle
    centers[0] = [0.5, 0.5]

    # a ring of 8 circles around it
    for i in range(8):
        angle = 2 * np.pi * i / 8
        centers[i + 1] = [0.5 + 0.3 * np.cos(angle), 0.5 + 0.3 * np.sin(angle)]

    # an outer ring of 16
    for i in range(16):
        angle = 2 * np.pi * i / 16
        centers[i + 9] = [0.5 + 0.7 * np.cos(angle), 0.5 + 0.7 * np.sin(angle)]

    # the last one goes to a corner
    centers[25] = [0.05, 0.05]

    # everything inside the square
    centers = np.clip(centers, 0.01, 0.99)

    # push centers apart for a few rounds
    for step in range(20):
        force = np.zeros_like(centers)
        for i in range(n):
            for j in range(n):
                if i == j:
                    continue
                delta = centers[i] - centers[j]
                distance = np.sqrt(np.sum(delta**2)) + 1e-9
                if distance < 0.25:
                    force[i] += 0.002 * delta / distance**2
        centers = np.clip(centers + force * (1.0 - step / 20), 0.02, 0.98)

    radii = compute_max_radii(centers)
    return centers, radii, np.sum(radii)


def compute_max_radii(centers):
    """The largest radii that keep the circles apart and inside the square.

    Args:
        centers: (n, 2)

    Returns:
        radii (n,)
    """
    n = centers.shape[0]
    radii = np.ones(n)

    # first the distance to the border
    for i in range(n):
        x, y = centers[i]
        radii[i] = min(x, y, 1 - x, 1 - y)

    # then every pair: shrink both in proportion
    for i in range(n):
        for j in range(i + 1, n):
            dist = np.sqrt(np.sum((centers[i] - centers[j]) ** 2))

            if radii[i] + radii[j] > dist:
                scale = dist / (radii[i] + radii[j])
                radii[i] *= scale
                radii[j] *= scale

    # and let them grow where there is room
    for _ in range(2):
        for i in range(n):
            x, y = centers[i]
            room = min(x, y, 1 - x, 1 - y)
            for j in range(n):
                if i != j:
                    dist = np.sqrt(np.sum((centers[i] - centers[j]) ** 2))
                    room = min(room, dist - radii[j])
            radii[i] = max(0.0, room)

    return radii


# EVOLVE-BLOCK-END


def run_packing():
    """Runs the constructor."""
    centers, radii, sum_radii = construct_packing()
    return centers, radii, sum_radii


def visualize(centers, radii):
    """Draws the packing as text."""
    size = 40
    rows = [[" "] * size for _ in range(size)]
    for (x, y), r in zip(centers, radii, strict=True):
        for i in range(size):
            for j in range(size):
                dx, dy = i / size - x, j / size - y
                if dx * dx + dy * dy < r * r:
                    rows[j][i] = "o"
    return "\n".join("".join(row) for row in rows)


def main():
    """What the judge calls."""
    centers, radii, _ = run_packing()
    return [[float(x), float(y), float(r)] for (x, y), r in zip(centers, radii, strict=True)]


if __name__ == "__main__":
    centers, radii, sum_radii = run_packing()
    print(f"Sum of radii: {sum_radii}")
    print(visualize(centers, radii))
