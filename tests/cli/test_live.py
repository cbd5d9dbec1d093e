"""The live display: in a real pseudo-terminal, in a pipe, and what its line says."""

from __future__ import annotations

import os
import pty
import re
import select
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from evoengine.cli.live import Display, duration, rate_of
from evoengine.events import Progress, Started
from tests.campaigns.slopes import Descent, campaign_of
from tests.conftest import ROOT, evoengine


def shown(arguments: list[str], cwd: Path, columns: int = 100, **environment: str) -> tuple[str, int]:
    """What a command writes to a terminal, and its exit status."""
    pid, terminal = pty.fork()
    if pid == 0:
        try:
            os.chdir(cwd)
            own = {"PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": str(columns)}
            command = [sys.executable, "-m", "evoengine", *arguments]
            os.execve(sys.executable, command, {**os.environ, **own, **environment})
        finally:
            os._exit(127)
    written = b""
    try:
        while select.select([terminal], [], [], 60.0)[0]:
            data = os.read(terminal, 65536)
            if not data:
                break
            written += data
    except OSError:  # the other end is closed
        pass
    finally:
        os.close(terminal)
    return written.decode("utf-8", "replace"), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


@pytest.mark.slow
def test_a_terminal_shows_where_the_run_stands_and_is_left_tidy(folder: Path) -> None:
    text, status = shown(["run", "peak", "--evaluations", "300", "--workers", "1"], folder)
    assert status == 0
    assert re.search(r"best -?\d.*\| \d+ records \| \d+ evaluations", text)
    assert "outcomes" in text
    assert "by island" in text
    assert re.search(r"map +[·░▒▓█]{10}", text)
    assert "first right, length up" in text
    assert re.search(r"\| \d+(\.\d)?/(s|min) \|", text)
    assert re.search(r"\| \d+ (s|min) left", text)
    assert "\x1b[?25l" in text  # the cursor is hidden while it draws
    assert text.rfind("\x1b[?25h") > text.rfind("\x1b[?25l")  # and shown again
    after = text[text.rfind("\x1b[?25h") :]
    assert "best score" in after
    assert len(re.findall(r"evoengine view sqlite:///evo\.db", after)) == 1
    assert "map " not in after


@pytest.mark.slow
def test_a_terminal_that_knows_ascii_alone_is_given_no_other_character(folder: Path) -> None:
    text, status = shown(["run", "peak", "--evaluations", "300", "--workers", "1"], folder, PYTHONIOENCODING="ascii")
    assert status == 0
    assert re.search(r"map +[ .:*#]{10}", text)
    assert text.isascii()


@pytest.mark.slow
def test_a_pipe_is_given_plain_lines_without_control_codes(folder: Path) -> None:
    done = evoengine("run", "peak", "--evaluations", "20", "--workers", "1", "--store", "sqlite:///my.db", cwd=folder)
    assert done.returncode == 0, done.stderr
    for text in (done.stdout, done.stderr):
        assert not [char for char in text if not char.isprintable() and char != "\n"]
    lines = [line for line in done.stderr.splitlines() if line.startswith("best ")]
    assert lines
    assert re.fullmatch(r"best \S+ \| \d+ records \| \d+ evaluations( \| [^|]+)+", lines[-1])
    assert "map" not in done.stderr
    assert "evoengine view sqlite:///my.db" in done.stderr


@pytest.fixture
def display(tmp_path: Path) -> Iterator[Display]:
    with campaign_of(tmp_path, Descent()) as campaign:
        yield Display(campaign, {"evaluations": 100, "money": 2.0, "seconds": None})


def standing(display: Display, **now: float) -> str:
    display.progress = Progress(**now)  # type: ignore[arg-type]
    return display.line()


def test_a_line_tells_rate_cost_and_the_time_left(display: Display) -> None:
    line = standing(display, records=40, evaluations=50, tokens=1234, money=0.125, best=-37.0, seconds=20.0)
    assert line == "best 37 | 40 records | 50 evaluations | 2.0/s | 20 s | 1234 tokens | $0.125 | 20 s left"
    slow = standing(display, records=2, evaluations=2, seconds=600.0)
    assert slow == "best - | 2 records | 2 evaluations | 12/h | 600 s | 8 h 10 min left"


def test_the_time_left_is_that_of_the_limit_that_is_reached_first(display: Display) -> None:
    assert standing(display, records=1, evaluations=10, money=1.9, seconds=95.0).endswith(" | 5 s left")
    display.budget["seconds"] = 97.0
    assert standing(display, records=1, evaluations=10, money=1.9, seconds=95.0).endswith(" | 2 s left")
    display.budget = {"until_score": 3.0}
    assert "left" not in standing(display, records=1, evaluations=10, seconds=95.0)


def test_what_an_earlier_run_did_counts_for_the_budget_and_not_for_the_rate(tmp_path: Path) -> None:
    with campaign_of(tmp_path, Descent()) as campaign:
        campaign.run(evaluations=40)
        before = campaign.progress
        display = Display(campaign, {"evaluations": before.evaluations + 30})
        display(Started(campaign=campaign.name, resumed=before.records))
        line = standing(display, records=before.records + 10, evaluations=before.evaluations + 10, seconds=10.0)
    assert "| 1.0/s |" in line
    assert line.endswith("| 20 s left")


@pytest.mark.parametrize(
    ("records", "seconds", "said"),
    [
        (0, 10, "0/s"),
        (1, 3600, "1.0/h"),
        (5, 100, "3.0/min"),
        (100, 10, "10/s"),
        (12345, 1, "12345/s"),
        (3, 0, "3.0/s"),
    ],
)
def test_rates_are_told_in_the_unit_that_fits(records: int, seconds: float, said: str) -> None:
    assert rate_of(records, seconds) == said


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0 s"), (99, "99 s"), (100, "2 min"), (7200, "2 h 0 min"), (8.64e5, "10 days")]
)
def test_durations_are_told_as_people_say_them(seconds: float, said: str) -> None:
    assert duration(seconds) == said
