"""Returns a list that holds itself."""

MUST = {"rejected"}
WATCH = {"cause"}
LAYERS = ("frames",)


def attack(world):
    answer = [1.0]
    answer.append(answer)
    return answer
