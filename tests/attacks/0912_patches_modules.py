"""Patches the functions that an evaluator in its process would judge it with."""

MUST = {"scored", "crashed"}
OUTPUTS = (0.5,)
WATCH = {"after"}
LAYERS = ("separate processes",)

import builtins
import json
import math

import numpy as np


def attack(world):
    np.sum = np.mean = np.max = math.fsum = math.sqrt = lambda *a, **k: 1e9
    np.isfinite = math.isfinite = math.isnan = lambda *a, **k: True
    json.loads = json.dumps = lambda *a, **k: 1e9
    builtins.sum = builtins.abs = builtins.sorted = lambda *a, **k: 1e9
    builtins.isinstance = lambda *a: True
    return 0.5
