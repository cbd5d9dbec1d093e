"""A newcomer's path: `make demo`, and from there only what the terminal says."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

from evoengine.drawing import SVG
from tests.browser.watched import opened, shot
from tests.conftest import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.slow

_SECONDS = 4


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with evoengine in an environment that nobody has activated, as `make demo` leaves it."""
    script = tmp_path / ".venv" / "bin" / "evoengine"
    script.parent.mkdir(parents=True)
    script.write_text(f"#!{sys.executable}\nfrom evoengine.cli import main\nmain()\n", encoding="utf-8")
    script.chmod(0o755)
    return tmp_path


def surroundings() -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    return {**own, "PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}


def recipe() -> str:
    """The command with which `make demo` ends, as make says it."""
    said = subprocess.run(
        ["make", "--dry-run", "demo", f"SECONDS_TO_RUN={_SECONDS}"], cwd=ROOT, capture_output=True, text=True,
        timeout=60, check=True, env=surroundings(),
    )  # fmt: skip
    assert ".[web]" in (ROOT / "Makefile").read_text(encoding="utf-8")
    return said.stdout.strip().splitlines()[-1]


@pytest.fixture
def address(home: Path) -> Iterator[str]:
    """What is printed for the campaign by the command that the demo's last lines give."""
    done = subprocess.run(
        ["bash", "-c", recipe()], cwd=home, env=surroundings(), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    [line] = [line for line in done.stderr.splitlines() if "in a browser" in line]
    # any free port: others may run these tests on this machine
    words = [*shlex.split(line, comments=True), "--port", "0"]
    process = subprocess.Popen(words, cwd=home, env=surroundings(), stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        assert "open this address in a browser" in process.stderr.readline()
        found = re.fullmatch(r"  (http://\S+)  demo\n", process.stderr.readline())
        assert found is not None
        yield found[1]
    finally:
        process.kill()
        process.communicate()


def test_from_the_demo_to_the_best_packing_in_a_browser(browser: Browser, address: str) -> None:
    with opened(browser, address) as watched:
        page = watched.page
        assert page.locator("h1").inner_text() == "Overview"
        picture = page.locator("main img").first
        assert picture.is_visible()
        assert picture.evaluate("image => image.complete && image.naturalWidth > 0")
        source = picture.evaluate("image => image.src")
        shot(page, "newcomer")
        with urllib.request.urlopen(source, timeout=60) as answer:
            drawn = ElementTree.fromstring(answer.read())
        circles = list(drawn.iter(f"{{{SVG}}}ellipse"))
        assert len(circles) == 26
        assert all(one.get("rx") == one.get("ry") for one in circles)
        assert watched.faults() == []
