from __future__ import annotations

import pytest

from evoengine.gates.base import Gate
from evoengine.plugins import build
from evoengine.testing import GateContract

pytestmark = pytest.mark.slow

GATES = [
    "syntax",
    "minhash",
    {"use": "minhash", "threshold": 0.8, "shingle": 2, "permutations": 32, "numbers": False},
    "reintroduced",
    {"use": "reintroduced", "lines": 1, "share": 0.3},
    "judge",
    {"use": "judge", "near": 0.0},
]


class TestEveryGate(GateContract):
    @pytest.fixture(params=GATES, ids=lambda given: given if isinstance(given, str) else f"{given['use']}-2")
    def gate(self, request: pytest.FixtureRequest) -> Gate:
        made: Gate = build("gates", request.param)
        return made
