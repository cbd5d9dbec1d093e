"""SQLite stores: the contract of all stores, old and foreign files, full disks, kills and other processes."""

from __future__ import annotations

import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlite_utils import Database

from evoengine.errors import StoreError
from evoengine.stores._schema import APPLICATION_ID, MIGRATIONS, VERSION
from evoengine.stores.sqlite import Sqlite
from evoengine.testing import StoreContract
from evoengine.testing.store import record
from evoengine.types import Program, Scored
from tests.killed_writer import ROOT, kill_round


def opened(path: Path, **settings: float) -> Sqlite:
    store = Sqlite(url=f"sqlite:///{path}", **settings)
    store.open()
    return store


def filled(path: Path, count: int = 3) -> Sqlite:
    store = opened(path)
    campaign = store.create(name="one", problem="p", fingerprint="f", seed=1, settings={})
    for number in range(1, count + 1):
        store.append(campaign, [record(number)])
    return store


def numbers(store: Sqlite, name: str = "one") -> list[int]:
    campaign = store.campaign(name)
    assert campaign is not None
    return [one.number for one in store.replay(campaign)]


class TestSqlite(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Sqlite]:
        made = opened(tmp_path / "evo.db")
        yield made
        made.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "evo.db"


def python(text: str, *arguments: object) -> subprocess.Popen[str]:
    """A process that runs a script in this checkout."""
    return subprocess.Popen(
        [sys.executable, "-c", text, *map(str, arguments)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def answer(process: subprocess.Popen[str]) -> str:
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return out


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


# Files of other versions, and files that are no stores.


@pytest.mark.parametrize("half_way", [False, True])
def test_an_old_schema_is_migrated_and_keeps_its_data(path: Path, half_way: bool) -> None:
    connection = sqlite3.connect(path)
    MIGRATIONS[0](Database(connection))
    connection.execute(f"pragma application_id = {APPLICATION_ID}")
    connection.execute("pragma user_version = 1")
    connection.execute("insert into campaigns values (1, 'old', 'p', 'f', 7, '{\"islands\": 2}', '2026-01-01')")
    digest = Program.of("x = 1\n").digest
    base = 1 << 40
    connection.execute(
        "insert into contents values (1, ?, ?, 'program', 'python', 'main.py', ?, null)", (digest, base + 1, "x = 1\n")
    )
    connection.execute(
        "insert into records values (?, 1, 1, 1, -1, 'seed', '[]', null, 0.5, null, '{\"x\":0.25}', 1, 0, 0, 0.0, 0.1)",
        (base + 1,),
    )
    connection.commit()
    if half_way:  # a process that died between the steps of a migration
        connection.execute("alter table records add column at float")
    connection.commit()
    connection.close()
    store = opened(path)
    campaign = store.campaign("old")
    assert campaign is not None
    assert (campaign.seed, campaign.settings) == (7, {"islands": 2})
    [old] = store.replay(campaign)
    assert old.candidate.content == Program.of("x = 1\n")
    assert old.evaluation == Scored(score=0.5, features={"x": 0.25})
    assert store.content(digest) == old.candidate.content
    store.append(campaign, [record(2)])
    store.note_run(store.begin_run(campaign), 1.0)
    store.close()
    with sqlite3.connect(path) as connection:
        assert connection.execute("pragma user_version").fetchone() == (VERSION,)
        assert connection.execute("select number, score from programs order by number").fetchall() == [
            (1, 0.5),
            (2, 2.0),
        ]
        growing = "('records', 'contents', 'details', 'digests')"
        indices = f"select name from sqlite_master where type = 'index' and tbl_name in {growing}"
        assert connection.execute(indices).fetchall() == []  # an append costs the same whatever is there
    connection.close()


def test_a_newer_schema_is_refused_and_left_as_it_is(path: Path) -> None:
    filled(path).close()
    with sqlite3.connect(path) as connection:
        connection.execute(f"pragma user_version = {VERSION + 3}")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match=f"newer evoengine.*{VERSION + 3}.*upgrade"):
        opened(path)
    assert path.read_bytes() == before


def test_a_database_of_another_application_is_refused_and_left_as_it_is(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("create table mine (a)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="not one of evoengine's"):
        opened(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("junk", [b"no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 4096, b"x"])
def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(path: Path, junk: bytes) -> None:
    path.write_bytes(junk)
    with pytest.raises(StoreError, match=str(path)):
        opened(path)
    assert path.read_bytes() == junk


def test_a_store_damaged_in_the_middle_gives_an_error_and_no_wrong_record(path: Path) -> None:
    store = filled(path, 400)
    store.close()
    data = bytearray(path.read_bytes())
    data[len(data) // 3 : 2 * len(data) // 3] = b"\xa5" * (2 * len(data) // 3 - len(data) // 3)
    path.write_bytes(bytes(data))
    with pytest.raises(StoreError, match="damaged"):
        numbers(opened(path))


@pytest.mark.parametrize("url", ["postgres://x", "sqlite://", "sqlite:///", "evo.db", ""])
def test_a_url_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(StoreError, match="sqlite:///"):
        Sqlite(url=url).open()


def test_what_cannot_be_a_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no store"):
        Sqlite(url=f"sqlite:///{tmp_path}/none.db").open(create=False)
    assert not (tmp_path / "none.db").exists()
    with pytest.raises(StoreError, match="not a file"):
        opened(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError):
        opened(tmp_path / "file" / "evo.db")


def test_an_empty_file_becomes_a_store(path: Path) -> None:
    path.touch()
    assert numbers(filled(path)) == [1, 2, 3]


# Other processes.


def test_a_locked_store_says_so_and_goes_on_afterwards(path: Path) -> None:
    filled(path).close()
    store = opened(path, wait=0.05)
    campaign = store.campaign("one")
    assert campaign is not None
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("begin immediate")
    with pytest.raises(StoreError, match="locked"):
        store.append(campaign, [record(4)])
    assert numbers(store) == [1, 2, 3]
    other.execute("rollback")
    other.close()
    store.append(campaign, [record(4)])
    assert numbers(store) == [1, 2, 3, 4]


CREATE = """
import sys
from evoengine.stores.sqlite import Sqlite
print("ready", flush=True)
for path in sys.stdin:
    store = Sqlite(url=f"sqlite:///{path.strip()}")
    store.open()
    store.create(name=sys.argv[1], problem="p", fingerprint="f", seed=1, settings={})
    print("made", flush=True)
    store.close()
"""


@pytest.mark.slow
def test_processes_that_make_a_store_at_the_same_moment_make_one(tmp_path: Path) -> None:
    processes = [python(CREATE, name) for name in "abcd"]
    assert {line_of(process) for process in processes} == {"ready"}
    for number in range(40):
        path = tmp_path / f"{number}.db"
        for process in processes:
            print(path, file=process.stdin, flush=True)
        assert [line_of(process) for process in processes] == ["made"] * 4
        assert sorted(row.name for row in opened(path).campaigns()) == ["a", "b", "c", "d"]
    for process in processes:
        answer(process)


WRITE = """
import sys
from evoengine.errors import StoreError
from evoengine.stores.sqlite import Sqlite
from evoengine.testing.store import record
path, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
store = Sqlite(url=f"sqlite:///{path}")
store.open()
campaign = store.campaign(name)
try:
    with store.writer(campaign):
        for number in range(store.last(campaign) + 1, count + 1):
            store.append(campaign, [record(number)])
    sys.stdout.write("done")
except StoreError as error:
    sys.stdout.write(str(error))
"""


def test_a_second_process_is_refused_a_campaign_that_is_being_written(path: Path) -> None:
    store = filled(path)
    campaign = store.campaign("one")
    assert campaign is not None
    with store.writer(campaign):
        assert "being run by another process" in answer(python(WRITE, path, "one", 5))
    assert answer(python(WRITE, path, "one", 5)) == "done"
    assert numbers(store) == [1, 2, 3, 4, 5]


def test_two_processes_with_two_campaigns_share_contents(path: Path) -> None:
    store = opened(path)
    for name in ("one", "two"):
        store.create(name=name, problem="p", fingerprint="f", seed=1, settings={})
    processes = [python(WRITE, path, name, 150) for name in ("one", "two")]
    assert [answer(process) for process in processes] == ["done", "done"]
    for name in ("one", "two"):
        assert numbers(store, name) == list(range(1, 151))
    with sqlite3.connect(path) as connection:
        found = connection.execute("select count(*), count(distinct digest) from contents").fetchone()
    connection.close()
    assert found == (150, 150)


# Disks that are full and processes that are killed.

FILL = """
import resource, sys
from evoengine.errors import StoreError
from evoengine.stores.sqlite import Sqlite
from evoengine.testing.store import record
store = Sqlite(url=f"sqlite:///{sys.argv[1]}")
store.open()
campaign = store.create(name="one", problem="p", fingerprint="f", seed=1, settings={})
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), hard))
number = 0
try:
    while number < 10000:
        store.append(campaign, [record(number + k, "x" * 500 + str(number + k)) for k in range(1, 9)])
        number += 8
except StoreError as error:
    sys.stdout.write(f"{error}\\n")
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
assert store.last(campaign) == number
if sys.argv[3] == "on":
    store.append(campaign, [record(number + 1)])
    number += 1
sys.stdout.write(f"{number}\\n")
"""


@pytest.mark.parametrize("then", ["on", "end"])
@pytest.mark.parametrize("size", [300_000, 1_000_000])
def test_a_full_disk_is_an_error_that_loses_nothing_acknowledged(path: Path, size: int, then: str) -> None:
    message, count = answer(python(FILL, path, size, then)).splitlines()
    assert "the disk takes no more" in message
    assert int(count) > 0
    store = opened(path)
    assert numbers(store) == list(range(1, int(count) + 1))
    campaign = store.campaign("one")
    assert campaign is not None
    store.append(campaign, [record(int(count) + 1)])
    with sqlite3.connect(path) as connection:
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
    connection.close()


@pytest.mark.slow
def test_nothing_acknowledged_is_lost_when_the_writer_is_killed(path: Path) -> None:
    rng = random.Random(1)
    for _ in range(5):
        one = kill_round(path, rng)
        assert one.found >= one.acknowledged > 0
        assert one.sound


def test_a_log_that_is_cut_anywhere_gives_the_records_before_the_cut(tmp_path: Path) -> None:
    source = tmp_path / "whole.db"
    store = opened(source)
    campaign = store.create(name="one", problem="p", fingerprint="f", seed=1, settings={})
    store.close()  # the schema is in the file itself, everything after it in the log
    store.open()
    for start in range(0, 120, 4):
        store.append(campaign, [record(start + k) for k in range(1, 5)])
    wal = source.with_name("whole.db-wal")
    whole, rng = wal.stat().st_size, random.Random(6)
    found = []
    for cut in [0, whole, *(rng.randrange(whole) for _ in range(20))]:
        copy = tmp_path / f"cut{cut}.db"
        shutil.copy(source, copy)
        copy.with_name(f"{copy.name}-wal").write_bytes(wal.read_bytes()[:cut])
        cut_store = opened(copy)
        held = list(cut_store.replay(campaign))
        assert held == [record(number) for number in range(1, len(held) + 1)]
        assert len(held) % 4 == 0  # a batch is there as a whole or not at all
        cut_store.append(campaign, [record(len(held) + 1)])
        cut_store.close()
        with sqlite3.connect(copy) as connection:
            assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
        connection.close()
        found.append((cut, len(held)))
    held_by_cut = [count for _, count in sorted(found)]
    assert held_by_cut == sorted(held_by_cut)
    assert (held_by_cut[0], held_by_cut[-1]) == (0, 120)
    store.close()
