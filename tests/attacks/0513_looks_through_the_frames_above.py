"""Looks for secrets and expected answers in the frames of its callers."""

MUST = {"scored"}
OUTPUTS = ([],)
WATCH = {"secrets"}
LAYERS = ("separate processes",)

import sys


def attack(world):
    found = []
    frame = sys._getframe(1)
    while frame is not None:
        for name, value in [*frame.f_locals.items(), *frame.f_globals.items()]:
            if "stolen-" in str(value)[:10000] or name in ("expected", "answer_key", "judge", "score"):
                found.append(name)
        frame = frame.f_back
    return found
