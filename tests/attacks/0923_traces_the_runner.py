"""Has every function of the runner report to it, and changes what they return."""

MUST = {"scored", "rejected", "crashed"}
OUTPUTS = ...
WATCH = {"outputs", "after"}
LAYERS = ("frames",)

import sys


def attack(world):
    def trace(frame, event, argument):
        if "texts" in frame.f_locals:
            frame.f_locals["texts"][:] = ["Infinity"]
        return trace

    sys.settrace(trace)
    caller = sys._getframe(1)
    caller.f_trace = trace
    return 0.5
