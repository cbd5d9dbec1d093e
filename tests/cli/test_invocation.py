"""The commands that are printed for a person to go on with are such as work where they are printed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT


def printed(folder: Path, command: str, path: str) -> str:
    done = subprocess.run(
        ["bash", "-c", command], cwd=folder, capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stderr


def installed(folder: Path) -> None:
    """The command as pip puts it into an environment in this folder."""
    script = folder / ".venv" / "bin" / "evoengine"
    script.parent.mkdir(parents=True)
    script.write_text(f"#!{sys.executable}\nfrom evoengine.cli import main\nmain()\n", encoding="utf-8")
    script.chmod(0o755)


def test_the_next_command_names_the_environment_where_nobody_activated_it(tmp_path: Path) -> None:
    installed(tmp_path)
    told = printed(tmp_path, ".venv/bin/evoengine new problem mine", "/usr/bin:/bin")
    assert told.startswith("next: .venv/bin/evoengine check mine && .venv/bin/evoengine run mine ")
    printed(tmp_path, told.removeprefix("next: ").partition(" && ")[0], "/usr/bin:/bin")


def test_the_next_command_is_short_where_the_shell_finds_it(tmp_path: Path) -> None:
    installed(tmp_path)
    told = printed(tmp_path, "evoengine new problem mine", f"{tmp_path}/.venv/bin:/usr/bin:/bin")
    assert told.startswith("next: evoengine check mine ")


def test_another_installation_that_the_shell_finds_is_not_taken_for_this_one(tmp_path: Path) -> None:
    installed(tmp_path)
    other = tmp_path / "other"
    installed(other)
    told = printed(tmp_path, ".venv/bin/evoengine new problem mine", f"{other}/.venv/bin:/usr/bin:/bin")
    assert told.startswith("next: .venv/bin/evoengine check mine ")


def test_a_module_is_called_as_one(tmp_path: Path) -> None:
    told = printed(tmp_path, f"{sys.executable} -m evoengine new problem mine", "/usr/bin:/bin")
    assert told.startswith(f"next: {sys.executable} -m evoengine check mine ")
