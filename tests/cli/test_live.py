"""The live display in a real pseudo-terminal."""

from __future__ import annotations

import os
import pty
import re
import select
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT


def shown(arguments: list[str], cwd: Path, columns: int = 100) -> tuple[str, int]:
    """What a command writes to a terminal, and its exit status."""
    pid, terminal = pty.fork()
    if pid == 0:
        try:
            os.chdir(cwd)
            environment = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": str(columns)}
            os.execve(sys.executable, [sys.executable, "-m", "evoengine", *arguments], environment)
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
    assert "\x1b[?25l" in text  # the cursor is hidden while it draws
    assert text.rfind("\x1b[?25h") > text.rfind("\x1b[?25l")  # and shown again
    assert "best score" in text[text.rfind("\x1b[?25h") :]
