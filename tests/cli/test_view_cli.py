"""`evoengine view`, as a person starts it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.campaigns.numbers import campaign_of
from tests.conftest import ROOT, evoengine


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("view")
    with campaign_of(made) as campaign:
        campaign.run(evaluations=10)
    return made


@contextmanager
def viewing(folder: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process, and the address that it prints."""
    process = subprocess.Popen(
        [sys.executable, "-m", "evoengine", "view", *arguments], cwd=folder, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield process, process.stdout.readline().strip()
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def status(address: str, host: str | None = None) -> int:
    asked = urllib.request.Request(address, headers={} if host is None else {"Host": host})
    try:
        with urllib.request.build_opener(urllib.request.HTTPCookieProcessor).open(asked, timeout=60) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_it_serves_the_store_and_ends_when_it_is_interrupted(folder: Path) -> None:
    with viewing(folder, "numbers.db", "--port", "0") as (process, address):
        assert address.startswith("http://127.0.0.1:")
        with urllib.request.urlopen(address, timeout=60) as answer:
            assert "numbers" in answer.read().decode()
            assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert status(f"{address}campaigns/1/records/1") == 200
        assert status(f"{address}static/style.css") == 200
        assert status(address, host="evil.example") == 421
        process.send_signal(signal.SIGINT)
        assert process.wait(60) in (0, 130)


def test_elsewhere_than_on_this_machine_it_asks_for_a_token(folder: Path) -> None:
    with viewing(folder, "numbers.db", "--port", "0", "--host", "0.0.0.0") as (_, address):
        base, _, token = address.partition("?token=")
        assert len(token) >= 32
        here = base.replace("0.0.0.0", "127.0.0.1")
        assert status(here) == 401
        assert status(f"{here}?token={token}") == 200


def test_a_port_that_is_taken_is_told_in_one_line(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = evoengine("view", "numbers.db", "--port", str(port), cwd=folder)
    assert done.returncode == 2
    assert f"port {port}" in done.stderr
    assert "--port" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_store_that_is_not_there_is_told_in_one_line(folder: Path) -> None:
    done = evoengine("view", "nothing.db", cwd=folder)
    assert done.returncode == 1
    assert "there is no store" in done.stderr


def test_without_the_extra_the_command_that_adds_it_is_told(folder: Path) -> None:
    script = (
        "import sys, importlib.util as u\n"
        "real = u.find_spec\n"
        "u.find_spec = lambda name, package=None: None if name == 'uvicorn' else real(name, package)\n"
        "sys.argv = ['evoengine', 'view', 'numbers.db']\n"
        "from evoengine.cli import main\n"
        "main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, timeout=120, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 2
    assert "pip install 'evoengine[web]'" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
