"""A candidate that may have files has them in one folder, which is bounded and gone with it; all else stays shut."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evoengine.errors import SandboxError
from evoengine.sandboxes import probe
from evoengine.sandboxes.base import Job, Outcome
from evoengine.sandboxes.jail import Jail
from evoengine.sandboxes.none import Unconfined
from evoengine.testing import job_of
from evoengine.types import Limits

WORKING = [one.tier for one in probe() if one.works]
FILES = Limits(memory_mib=512, processes=8, scratch_mib=8, wall_seconds=30.0)
TRIED = """
import os, signal, socket, subprocess, sys, tempfile

def tried(make):
    try:
        return repr(make())
    except OSError as error:
        return f"refused: {error.errno}"
"""
WRITES = """
def f(text):
    found = sorted(os.listdir(tempfile.gettempdir()))
    with open(os.path.join(tempfile.gettempdir(), "left"), "w") as file:
        file.write(text)
    with open(os.path.join(tempfile.gettempdir(), "left")) as file:
        return [found, file.read()]
"""


@pytest.fixture(scope="module", params=[tier for tier in WORKING if tier in ("T1", "T2")])
def jail(request: pytest.FixtureRequest) -> Iterator[Jail]:
    made = Jail(tier=request.param)
    yield made
    made.shutdown()


def job(body: str, *arguments: Any, limits: Limits = FILES, readable: tuple[str, ...] = ()) -> Job:
    return replace(job_of(TRIED + body, arguments, limits=limits), readable=readable)


def ran(sandbox: Jail | Unconfined, given: Job) -> Outcome:
    return asyncio.run(sandbox.run(given))


def test_what_one_candidate_wrote_is_not_there_for_the_next(jail: Jail) -> None:
    for text in ("first", "second"):
        assert ran(jail, job(WRITES, text)).outputs == ([[], text],)


def test_files_are_bounded_one_by_one_and_together(jail: Jail) -> None:
    body = """
def f():
    place, written = tempfile.gettempdir(), 0
    def fill(name, mib):
        nonlocal written
        with open(os.path.join(place, name), "wb", buffering=0) as file:
            for _ in range(mib):
                written += file.write(bytes(2 ** 20))
    return [tried(lambda: fill("one", 16)), tried(lambda: [fill(f"of{n}", 1) for n in range(16)]), written]
"""
    [[one, several, written]] = ran(jail, job(body)).outputs
    assert one == "refused: 27"  # EFBIG
    assert several == "refused: 28"  # ENOSPC
    assert written <= 8 * 2**20


def test_everything_else_stays_read_only_and_out_of_sight(jail: Jail, tmp_path: Path) -> None:
    shown, hidden = tmp_path / "shown", tmp_path / "hidden"
    for folder in (shown, hidden):
        folder.mkdir(mode=0o755)
        (folder / "file").write_text("inside", encoding="utf-8")
    body = """
def f(shown, hidden):
    return [
        tried(lambda: open(shown + "/file").read()),
        tried(lambda: open(shown + "/new", "w")),
        tried(lambda: open(shown + "/file", "a")),
        tried(lambda: os.unlink(shown + "/file")),
        tried(lambda: os.rename(shown + "/file", shown + "/other")),
        tried(lambda: os.chmod(shown + "/file", 0o777)),
        tried(lambda: os.link(shown + "/file", tempfile.gettempdir() + "/linked")),
        tried(lambda: open(hidden + "/file").read()),
        tried(lambda: open("/etc/passwd").read()),
        tried(lambda: open(os.path.dirname(os.__file__) + "/new", "w")),
        tried(lambda: open("/new", "w")),
        tried(lambda: os.symlink("/etc/passwd", tempfile.gettempdir() + "/soft") or
              open(tempfile.gettempdir() + "/soft").read()),
    ]
"""
    [[inside, *others]] = ran(jail, job(body, str(shown), str(hidden), readable=(str(shown),))).outputs
    assert inside == "'inside'"
    assert all(one.startswith("refused") for one in others), others
    assert (shown / "file").read_text(encoding="utf-8") == "inside"
    assert sorted(os.listdir(shown)) == ["file"]


def test_a_folder_is_seen_by_the_jobs_that_name_it_alone(jail: Jail, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    body = "\ndef f(path):\n    return os.path.isdir(path)\n"
    plain = replace(FILES, scratch_mib=0)  # so that warm processes are kept, and could be mixed up
    for _ in range(2):
        assert ran(jail, job(body, str(tmp_path), limits=plain, readable=(str(tmp_path),))).outputs == (True,)
        assert ran(jail, job(body, str(tmp_path), limits=plain)).outputs == (False,)


def test_sockets_come_in_pairs_alone(jail: Jail) -> None:
    body = """
def f():
    pair = socket.socketpair()
    pair[0].send(b"x")
    return [
        pair[1].recv(1).decode(),
        tried(lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM)),
        tried(lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)),
        tried(lambda: socket.socketpair(socket.AF_INET)),
    ]
"""
    outcome = ran(jail, job(body))
    assert outcome.cause is None, outcome.feedback
    [[told, *others]] = outcome.outputs
    assert told == "x"
    assert others == ["refused: 1"] * 3  # EPERM: by the filter, before the kernel looks at what is asked


def test_programs_event_loops_and_pools_run_and_a_file_of_its_own_is_no_program(jail: Jail) -> None:
    body = """
import asyncio, concurrent.futures, shutil

async def later():
    return await asyncio.to_thread(lambda: 5)

def f():
    with tempfile.TemporaryDirectory() as folder:
        script = os.path.join(folder, "a.py")
        with open(script, "w") as file:
            file.write("import numpy; print(numpy.arange(4).sum())")
        copied = shutil.copy2(script, os.path.join(folder, "b.py"))
        printed = subprocess.run([sys.executable, copied], cwd=folder, capture_output=True, text=True).stdout
        with open(os.path.join(folder, "shell"), "w") as file:
            file.write(f"#!{sys.executable}\\nprint(1)\\n")
        os.chmod(file.name, 0o755)
        own = tried(lambda: subprocess.run([file.name]))
    with concurrent.futures.ProcessPoolExecutor(2) as pool:
        mapped = list(pool.map(abs, [-1, 2]))
    return [printed, own, mapped, asyncio.run(later())]
"""
    assert ran(jail, job(body)).outputs == (["6\n", "refused: 13", [1, 2], 5],)


def test_what_a_candidate_started_ends_with_it_though_it_left_its_group(jail: Jail, tmp_path: Path) -> None:
    body = """
def f():
    if os.fork() == 0:
        os.setsid()
        while True:
            pass
    return os.getpid()
"""
    before = _mine()
    with jail.open(job(body)) as session:
        session.load()
        session.batch([()])
    assert _mine() == before


def test_without_leave_there_is_no_folder(jail: Jail) -> None:
    body = "\ndef f():\n    return tried(lambda: open('/jail/x', 'w')), tried(lambda: open('/tmp/x', 'w'))\n"
    [both] = ran(jail, job(body, limits=replace(FILES, scratch_mib=0))).outputs
    assert all(one.startswith("refused") for one in both)
    assert ran(jail, job(WRITES, "later")).outputs == ([[], "later"],)  # in another warm process than that one


@pytest.mark.skipif("T3" not in WORKING, reason="there is no T3 here")
def test_a_tier_without_namespaces_says_that_it_has_no_files() -> None:
    jail = Jail(tier="T3")
    with pytest.raises(SandboxError, match="use T1 or T2"):
        jail.open(job(WRITES))
    jail.shutdown()


def test_without_walls_the_folder_is_taken_away_all_the_same() -> None:
    sandbox = Unconfined()
    [place] = ran(sandbox, job("\ndef f():\n    return tempfile.mkdtemp()\n")).outputs
    sandbox.shutdown()
    assert Path(place).parent.name.startswith("evoengine-")
    assert not Path(place).parent.exists()


def _mine() -> set[str]:
    """The processes below this one, by id."""
    found, left = set(), [str(os.getpid())]
    while left:
        pid = left.pop()
        try:
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        except OSError:
            continue
        found |= {*children}
        left += children
    return found
