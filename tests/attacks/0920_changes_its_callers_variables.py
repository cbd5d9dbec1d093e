"""Changes what its caller is about to send, through its frame."""

MUST = {"scored", "rejected", "crashed"}
OUTPUTS = ...
WATCH = {"outputs"}
LAYERS = ("frames",)

import ctypes
import sys


def attack(world):
    frame = sys._getframe(1)
    frame.f_locals["texts"].append("1e9")
    frame.f_locals["texts"].append("NaN")
    ctypes.pythonapi.PyFrame_LocalsToFast(ctypes.py_object(frame), ctypes.c_int(0))
    return 0.5
