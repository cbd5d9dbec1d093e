"""Prints what looks like a result with a splendid score."""

MUST = {"scored"}
OUTPUTS = (0.5,)
WATCH = {"outputs"}
LAYERS = ("frames",)

import json
import sys


def attack(world):
    for stream in (sys.stdout, sys.stderr, sys.__stdout__):
        print(json.dumps({"status": "ok", "score": 1e9, "outputs": [1e9]}), file=stream)
        print('{"answers":[1e9],"f8":[]}', file=stream)
    return 0.5
