"""Reads whatever JSON and numbers a candidate sends, as `json.loads` would: for tests of what is sent."""

from __future__ import annotations

import json

import numpy as np

from evoengine.sandboxes import _frames
from evoengine.sandboxes.none import Unconfined


class Trusting(Unconfined):
    """Processes as ever, but without the checks of their frames."""


_frames.strict_json = json.loads
_frames._numbers = lambda data: np.frombuffer(data, dtype="<f8")
