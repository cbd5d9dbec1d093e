"""A small real problem, and campaigns on it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

PEAK = '''
"""A hill to climb: three numbers near (0.3, 0.5, 0.7)."""

from evoengine import Anchor, Feature, Problem, Reject, Score


class Peak(Problem):
    name = "peak"
    goal = "Write numbers() -> three numbers near (0.3, 0.5, 0.7)."
    entry = "numbers"
    seed = """def numbers():
    # EVOLVE-BLOCK-START
    a = 0.9
    b = a * 0.1
    c = 0.2
    return [a, b, c]
    # EVOLVE-BLOCK-END
"""
    features = (Feature(name="first", low=0.0, high=1.0, bins=10), Feature(name="length", low=0, high=500, bins=5))
    best_known = Anchor(value=0.0, source="the distance of a point to itself")
    shift: float = 0.0

    def inputs(self):
        return [()]

    def judge(self, outputs):
        [numbers] = outputs
        if not (isinstance(numbers, list) and len(numbers) == 3 and all(type(x) is float for x in numbers)):
            raise Reject("expected three floats")
        if any(abs(x) > 1e6 for x in numbers):
            raise Reject("expected numbers of a sensible size")
        goal = (0.3 + self.shift, 0.5, 0.7)
        distance = sum((x - y) ** 2 for x, y in zip(numbers, goal)) ** 0.5
        return Score(-distance, first=numbers[0])
'''


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where everything must be there (in CI), a test that is skipped has failed."""
    report = yield
    if report.skipped and os.environ.get("EVOENGINE_REQUIRE_ALL"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and EVOENGINE_REQUIRE_ALL is set: {report.longrepr}"
    return report


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with the problem `peak` in its problems/."""
    problems = tmp_path / "problems"
    problems.mkdir()
    (problems / "peak.py").write_text(PEAK, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def evoengine(*arguments: str, cwd: Path, timeout: float = 120.0) -> subprocess.CompletedProcess[str]:
    """Runs the command line as a person would."""
    return subprocess.run(
        [sys.executable, "-m", "evoengine", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
