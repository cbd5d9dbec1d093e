"""A power cut in the middle of an update."""

from __future__ import annotations

import signal
import subprocess
import sys
from hashlib import blake2b
from pathlib import Path

import pytest

from tests.killed_writer import ROOT
from tests.models import needs
from tests.rl.killed import PLACES


def ran(kind: str, folder: Path, *arguments: str) -> tuple[int, str]:
    """The exit status of a campaign in a process of its own, and its digest."""
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "tests.rl.killed", kind, str(folder), *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=250, check=False)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode, done.stdout.strip()


def policies(folder: Path) -> dict[str, str]:
    """A hash of each policy's files, by its name and theirs."""
    found = sorted(path for path in folder.rglob("policies/**/*") if path.is_file())
    return {f"{path.parent.name}/{path.name}": blake2b(path.read_bytes()).hexdigest() for path in found}


@pytest.mark.slow
def test_killed_in_an_update_and_taken_up_it_has_the_policy_and_the_archive_of_one_that_never_was(
    tmp_path: Path,
) -> None:
    whole = ran("dial", tmp_path / "whole", "8")
    for number, place in enumerate(PLACES, start=3):
        folder = tmp_path / place
        assert ran("dial", folder, "8", str(number), place)[0] == -signal.SIGKILL
        assert ran("dial", folder, "8") == whole
        assert policies(folder) == policies(tmp_path / "whole")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_model_that_was_killed_in_an_update_has_the_same_weights_to_the_bit_after_a_resume(tmp_path: Path) -> None:
    needs("torch", "transformers", "peft")
    whole = ran("motif", tmp_path / "whole", "4")
    for place in ("before", "step"):
        folder = tmp_path / place
        assert ran("motif", folder, "4", "3", place)[0] == -signal.SIGKILL
        assert ran("motif", folder, "4") == whole
        assert policies(folder) == policies(tmp_path / "whole")
        assert len(policies(folder)) >= 3
