"""Returns lists in lists, a hundred thousand deep."""

MUST = {"rejected", "crashed"}
WATCH = {"cause"}
LAYERS = ("frames",)


def attack(world):
    answer = []
    for _ in range(100_000):
        answer = [answer]
    return answer
