"""Fails with a message that steers a terminal and hides itself from a reader."""

MUST = {"crashed"}
WATCH = {"text"}
LAYERS = ("cleaned text",)


def attack(world):
    print("\x1b[2J\x1b]0;title\x07\u202ereversed\x00\x9b31m")
    raise ValueError("\x1b[2J\x1b]52;c;aGk=\x07\u202ereversed\x00\x9b31m\r\x08" + "\x1b[8m hidden" * 10000)
