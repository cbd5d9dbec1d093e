"""Whether an item is taken: if it is worth more than its weight."""


def accept(value, weight, room, left):
    """Above 0 for items of more value than weight."""
    score = value / weight - 1.0
    return float(score)
