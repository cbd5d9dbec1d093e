"""`evoengine sandbox`, as a person or a script uses it."""

from __future__ import annotations

import csv
import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from evoengine.cli import main
from evoengine.sandboxes import probe
from tests.conftest import evoengine

PROGRAM = """
import random, sys
import numpy as np

def area(width, height):
    print("measuring", width)
    sys.stderr.write("\\x1b[31mred\\x1b[0m")
    return {"area": width * height, "sides": np.arange(2), "pair": (1, None)}

def drawn():
    return random.random()

def forever():
    while True:
        pass

def greedy():
    return len(bytearray(2 ** 30))

def threads():
    import threading
    thread = threading.Thread(target=print)
    thread.start()
    thread.join()
    return True

def waits():
    import time
    time.sleep(60)

def opens():
    import os
    return len([os.pipe() for _ in range(30)])

def prints():
    print("x" * 2 ** 20)

def peeks():
    return open("/etc/passwd").read()

def large():
    return "x" * 2 ** 20

def forged():
    import os, struct, time
    header = b'{"answers":[null],"f8":[[0,1]]}'
    os.write(3, struct.pack("<II", len(header), 8) + header + struct.pack("<d", 1.0))
    time.sleep(60)

def fails():
    return {}["missing"]
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("program") / "area.py"
    path.write_text(PROGRAM, encoding="utf-8")
    return path


@dataclass(frozen=True, slots=True)
class Done:
    status: int
    stdout: str
    stderr: str


def evoengine_here(*arguments: str) -> Done:
    """Runs the command line in this process, which saves the start of another one."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        patch.setattr(sys, "argv", ["evoengine", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
    assert isinstance(ended.value.code, int)
    return Done(ended.value.code, out.getvalue(), err.getvalue())


def executed(path: Path, *arguments: str, status: int) -> dict[str, Any]:
    done = evoengine_here("sandbox", "exec", str(path), "--format", "json", *arguments)
    assert (done.status, done.stderr) == (status, "")
    row = json.loads(done.stdout)
    assert isinstance(row, dict)
    assert row["status"] == ("failed" if status else "ok")
    assert (row["cause"] is None) == (status == 0)
    return row


def refused(path: Path, *arguments: str, status: int = 2) -> str:
    """The last line on standard error of a command that prints nothing else."""
    done = evoengine_here("sandbox", "exec", str(path), *arguments)
    assert (done.status, done.stdout) == (status, "")
    return done.stderr.splitlines()[-1]


@pytest.mark.parametrize(("call", "status"), [("drawn", 0), ("fails", 1), ("", 1)])
def test_the_exit_status_of_the_command_tells_how_it_went(program: Path, call: str, status: int) -> None:
    done = evoengine("sandbox", "exec", str(program), "--call", call, "--format", "json", cwd=program.parent)
    assert (done.returncode, done.stderr) == (status, "")
    assert json.loads(done.stdout)["status"] == ("failed" if status else "ok")


def test_a_program_that_answers_is_ok_and_what_it_used_is_measured(program: Path) -> None:
    row = executed(program, "--call", "area", "--args", "[2, 3]", "--args", "[0.5, 4]", status=0)
    assert row["outputs"] == [
        {"area": 6, "sides": [0, 1], "pair": [1, None]},
        {"area": 2.0, "sides": [0, 1], "pair": [1, None]},
    ]
    assert row["stdout"] == "measuring 2\nmeasuring 0.5\n"
    assert row["stderr"] == "redred"
    assert row["cpu_seconds"] > 0
    assert row["wall_seconds"] > 0
    assert row["peak_mib"] > 1
    assert set(row) == {
        *("status", "cause", "feedback", "outputs", "cpu_seconds"),
        *("wall_seconds", "peak_mib", "stdout", "stderr", "tier"),
    }


def test_a_program_that_fails_ends_with_status_1_and_its_traceback(program: Path) -> None:
    row = executed(program, "--call", "fails", status=1)
    assert row["cause"] == "crashed"
    assert row["feedback"].rstrip().endswith("KeyError: 'missing'")
    assert row["outputs"] == []


@pytest.mark.parametrize(
    ("call", "limit", "cause"),
    [
        ("forever", ("--cpu-seconds", "0.2"), "timed_out"),
        ("greedy", ("--memory-mib", "128"), "out_of_memory"),
        ("large", ("--output-mib", "0.5"), "flooded"),
        ("prints", ("--printed-mib", "0.5"), "flooded"),
        ("waits", ("--wall-seconds", "0.3"), "stalled"),
        ("threads", ("--processes", "0"), "out_of_processes"),
        ("opens", ("--descriptors", "20"), "out_of_descriptors"),
    ],
)
def test_a_program_over_a_limit_is_told_which(program: Path, call: str, limit: tuple[str, ...], cause: str) -> None:
    assert executed(program, "--call", call, *limit, status=1)["cause"] == cause


def test_a_program_may_be_allowed_threads(program: Path) -> None:
    assert executed(program, "--call", "threads", "--processes", "1", status=0)["outputs"] == [True]


def test_a_program_that_reads_a_file_of_the_machine_is_held_where_there_is_a_jail(program: Path) -> None:
    row = executed(program, "--call", "peeks", status=1)
    assert row["cause"] in ("forbidden", "crashed")
    assert row["tier"] in ("T1", "T2", "T3")
    free = executed(program, "--call", "peeks", "--sandbox", "none", status=0)
    assert free["outputs"] == [Path("/etc/passwd").read_text()]
    assert free["tier"] == "none"


@pytest.mark.parametrize("tier", [found.tier for found in probe() if found.works])
def test_a_tier_that_is_asked_for_is_the_one_that_holds(program: Path, tier: str) -> None:
    assert executed(program, "--call", "area", "--args", "[1, 1]", "--tier", tier, status=0)["tier"] == tier


def test_an_array_forged_on_the_result_channel_is_no_answer(program: Path) -> None:
    assert executed(program, "--call", "forged", status=1)["cause"] == "rejected"


def test_random_numbers_follow_from_the_seed(program: Path) -> None:
    [one], [same], [other] = (
        executed(program, "--call", "drawn", "--seed", seed, status=0)["outputs"] for seed in ("1", "1", "2")
    )
    assert one == same != other


def test_a_folder_is_run_by_its_main_file(tmp_path: Path) -> None:
    (tmp_path / "main.py").write_text("from pkg.part import value\ndef main():\n    return value\n")
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "part.py").write_text("value = 'é'\n", encoding="utf-8")
    (tmp_path / ".hidden.py").write_bytes(b"\xff")
    assert executed(tmp_path, status=0)["outputs"] == ["é"]


def test_tables_and_csv_show_the_same(program: Path) -> None:
    table = evoengine_here("sandbox", "exec", str(program), "--call", "drawn")
    rows = evoengine_here("sandbox", "exec", str(program), "--call", "drawn", "--format", "csv")
    [row] = csv.DictReader(io.StringIO(rows.stdout))
    assert row["status"] == "ok"
    [output] = json.loads(row["outputs"])
    shown = dict(line.split(None, 1) for line in table.stdout.splitlines() if len(line.split(None, 1)) == 2)
    assert float(shown["outputs"]) == pytest.approx(output)


@pytest.mark.parametrize("text", ["2", '{"a": 1}', "[NaN]", "[1e999]", "[1,]", '["\\ud800"]', "[" * 10**5, ""])
def test_arguments_that_are_no_list_of_json_are_wrong_usage(program: Path, text: str) -> None:
    assert "--args" in refused(program, "--args", text)


def test_what_is_no_program_is_wrong_usage(tmp_path: Path) -> None:
    assert "does not exist" in refused(tmp_path / "nowhere.py")
    assert "no main.py" in refused(tmp_path)
    (tmp_path / "latin.py").write_bytes(b"# \xe9\n")
    assert "latin.py" in refused(tmp_path / "latin.py")
    (tmp_path / "other.py").write_text("")
    (tmp_path / "latin.py").write_text("")
    assert "2 .py files" in refused(tmp_path)


def test_a_sandbox_or_a_setting_that_is_unknown_is_wrong_usage(program: Path) -> None:
    assert "no sandboxes plugin is called 'sandcastle'" in refused(program, "--sandbox", "sandcastle")
    assert "tier" in refused(program, "--tier", "T9")
    assert "tier" in refused(program, "--sandbox", "none", "--tier", "T3")
    assert "memory-mib" in refused(program, "--memory-mib", "0")


def test_a_sandbox_that_fails_says_so_in_a_line(program: Path) -> None:
    line = refused(program, "--preload", "no_such_module", status=1)
    assert line.startswith("evoengine: ")
    assert "no_such_module" in line
