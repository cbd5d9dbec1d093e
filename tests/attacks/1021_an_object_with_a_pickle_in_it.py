"""Returns an object that is code when it is unpickled."""

MUST = {"rejected"}
WATCH = {"cause"}
LAYERS = ("frames",)


class Payload:
    def __reduce__(self):
        return eval, ("__import__('os').system('true')",)


def attack(world):
    return [Payload()]
