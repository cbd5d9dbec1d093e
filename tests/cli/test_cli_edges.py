"""What the command line does with odd text, odd settings, pipes, and stores that cannot be written."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from evoengine import Campaign
from evoengine.config import campaign_of, changed
from evoengine.errors import SettingError, StoreError
from evoengine.events import Committed, Event, Halting, Started
from evoengine.reading import Reading
from evoengine.stores.sqlite import Sqlite
from tests.conftest import ROOT, evoengine

STORE = ("--store", "sqlite:///evo.db")

ODD = """
from evoengine import Feature, Problem, Reject, Score


class Odd(Problem):
    name = "odd"
    goal = "say anything"
    direction = "minimize"
    seed = "def main():\\n    return 5.0  # \\u2603 \\x9b31m\\n"
    features = (Feature(name="length", low=0, high=200, bins=5),)

    def inputs(self):
        return [()]

    def judge(self, outputs):
        if type(outputs[0]) is not float:
            raise Reject("\\ud800 \\x1b[31m no float")
        return Score(abs(outputs[0]), feedback="\\ud800 \\x9b31m\\u202e")
"""


def run_quietly(folder: Path, *arguments: str) -> None:
    done = evoengine("run", *arguments, *STORE, "--quiet", "--workers", "1", cwd=folder)
    assert done.returncode == 0, done.stderr


def in_bytes(folder: Path, *arguments: str, **environ: str) -> bytes:
    done = subprocess.run(
        [sys.executable, "-m", "evoengine", *arguments, *STORE],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environ},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@pytest.mark.slow
def test_odd_text_of_a_judge_or_candidate_is_printed_harmlessly_in_every_form(folder: Path) -> None:
    (folder / "problems" / "odd.py").write_text(ODD)
    run_quietly(folder, "odd", "--evaluations", "20", "--set", "operators=structural")
    for form in ("table", "json", "csv"):
        for verb in (["best", "--number", "1"], ["export"]):
            printed = in_bytes(folder, *verb, "--format", form, PYTHONIOENCODING="utf-8").decode()
            assert not {"\x1b", "\x9b", "\u202e"} & set(printed)
            if form == "csv":
                assert list(csv.DictReader(io.StringIO(printed)))
            if form == "json" and verb == ["best", "--number", "1"]:
                assert json.loads(printed)["feedback"] == "\ud800 \x9b31m\u202e"
                assert json.loads(printed)["score"] == 5.0
    assert in_bytes(folder, "best", "--number", "1", "--source", PYTHONIOENCODING="utf-8").decode() == (
        "def main():\n    return 5.0  # \u2603 \x9b31m\n\n"
    )


@pytest.mark.slow
def test_a_reader_that_goes_away_is_no_error(folder: Path) -> None:
    run_quietly(folder, "peak", "--evaluations", "300", "--set", "operators=structural")
    done = subprocess.run(
        f"{sys.executable} -m evoengine export {' '.join(STORE)} | head -c 10; echo '' ${{PIPESTATUS[0]}}",
        shell=True,
        executable="/bin/bash",
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.split()[-1] == "0"


PLUGIN = """
from evoengine.archives.grid import Grid
class MyOwn(Grid):
    scale: float = 1.0
"""
BOX = """
from evoengine.sandboxes.none import Unconfined
class Box(Unconfined):
    pad: int = 1
"""


@pytest.mark.slow
def test_a_campaign_with_plugins_of_ones_own_is_read_and_resumed_with_them(folder: Path) -> None:
    for kind, name, text in (
        ("archives", "my_own", PLUGIN),
        ("sandboxes", "my_box", "from evoengine.sandboxes.none import Unconfined\nclass Box(Unconfined):\n    pad: int = 1"),  # noqa: E501
    ):  # fmt: skip
        (folder / "plugins" / kind).mkdir(parents=True)
        (folder / "plugins" / kind / f"{name}.py").write_text(text)
    settings = ("--set", "archive.use=my_own", "--set", "archive.scale=2.0", "--set", "sandbox={use='my_box', pad=3}")
    run_quietly(folder, "peak", *settings, "--evaluations", "10", "--set", "operators=['structural']")
    shown = json.loads(in_bytes(folder, "show", "--format", "json"))
    done = evoengine("resume", *STORE, "--quiet", "--evaluations", "20", "--format", "json", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["evaluations"] >= 20 > shown["evaluations"] - 1
    with Campaign("peak", store="sqlite:///evo.db") as campaign:
        campaign.store.open()
        row = campaign.store.campaign("peak")
        assert row is not None
        assert row.settings["archive"] == {"use": "my_own", "bounds": "fixed", "qd_offset": 0.0, "scale": 2.0}
        assert row.settings["about"]["sandbox"]["pad"] == 3


@pytest.mark.parametrize(
    ("assignment", "says"),
    [
        ("bandit=3", "'bandit' takes a table of settings, got 3"),
        ("islands=many", "'islands' takes a number, or a table"),
        ("seconds=nan", "'seconds' takes a number, got nan"),
        ("until_score=high", "'until_score' takes a number"),
        ("problem=5", "'problem' takes a name, or a table"),
        ("operators=[1]", "'operators' takes a list of names"),
        ("name=7", "'name' takes text"),
        ("seed=9223372036854775808", "'seed' takes a whole number from -9223372036854775808 to 9223372036854775807"),
        ("window=0", "'window' takes a whole number from 1"),
    ],
)
def test_a_setting_of_the_wrong_kind_is_told_with_what_it_takes(folder: Path, assignment: str, says: str) -> None:
    with pytest.raises(SettingError) as told:
        campaign_of(changed({"problem": "peak"}, [assignment]))
    assert says in str(told.value)
    assert "\n" not in str(told.value)


def test_one_operator_may_be_named_without_a_list(folder: Path) -> None:
    campaign, _ = campaign_of(changed({"problem": "peak"}, ["operators=structural"]))
    assert campaign.identity()["operators"][0]["use"] == "structural"


@pytest.mark.slow
def test_a_diff_has_every_form(folder: Path) -> None:
    run_quietly(folder, "peak", "--evaluations", "10", "--set", "operators=structural")
    diff = json.loads(in_bytes(folder, "diff", "1", "2", "--format", "json"))
    assert diff["records"] == [1, 2]
    assert diff["diff"].startswith("--- #1\n+++ #2")


def in_two_stages(folder: Path, inputs: str) -> str:
    """The problem with a held-out stage, and an expression for the inputs of `stage`."""
    text = (folder / "problems" / "peak.py").read_text()
    text = text.replace("import Anchor,", "import Stage, Anchor,").replace(
        "    shift: float = 0.0\n",
        "    shift: float = 0.0\n    stages = (Stage(name='seen'), Stage(name='later', held_out=True))\n",
    )
    return text.replace("def inputs(self):\n        return [()]", f"def inputs(self, stage):\n        return {inputs}")


def test_check_looks_at_held_out_stages(folder: Path) -> None:
    (folder / "problems" / "peak.py").write_text(in_two_stages(folder, "{'seen': [()]}[stage]"))
    done = evoengine("check", "peak", cwd=folder)
    assert done.returncode == 1, done.stderr
    assert "NO     seed 1 scores on the held-out stage 'later'" in done.stdout


@pytest.mark.slow
def test_a_run_ends_with_why_the_best_was_refused_on_the_held_out_stage(folder: Path) -> None:
    text = in_two_stages(folder, "[()] * len(stage)").replace(
        "        [numbers] = outputs\n",
        "        if len(outputs) == 5:\n            raise Reject('lost \\x1b[1m')\n        numbers = outputs[0]\n",
    )
    (folder / "problems" / "peak.py").write_text(text)
    done = evoengine("run", "peak", "--evaluations", "4", *STORE, "--quiet", "--workers", "1", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "\nlater        rejected   (lost \\x1b[1m)\n" in done.stdout


def test_a_display_starts_from_where_the_campaign_stands_and_draws_without_the_campaign(folder: Path) -> None:
    from rich.console import Console

    from evoengine.cli.live import Display

    with Campaign("peak", executor="inline", operators=["structural"]) as campaign:
        campaign.run(evaluations=20)
        display = Display(campaign, {"evaluations": 40}, pictured=True)
        display(Started(campaign="peak", resumed=campaign.progress.records))
        assert display.line().startswith("best -0.")
        assert "| 0/s |" in display.line()
    (folder / "evo.db").unlink()
    drawn = io.StringIO()
    Console(file=drawn, width=100).print(display)
    assert "first right, length up" in drawn.getvalue()
    assert not (folder / "evo.db").exists(), "drawing opened the store again"


def interrupted_run(folder: Path, script: str, signals: int) -> tuple[int, str]:
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = ""
    try:
        for _ in range(signals):
            while "ready" not in (line := process.stdout.readline()):
                said += line
                assert line, said
            process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    return process.returncode, said + rest


IN_A_CELL = """
import asyncio, signal
from evoengine import Campaign
from evoengine.events import Committed, Halting

def watch(event):
    if isinstance(event, Committed) and event.record.number == 3 or isinstance(event, Halting):
        print("ready", flush=True)

async def cell():
    signal.signal(signal.SIGINT, signal.default_int_handler)  # as a notebook's kernel has it
    with Campaign("slow", operators=["structural"], workers=1, watchers=[watch]) as campaign:
        try:
            campaign.run()
        except KeyboardInterrupt:
            print("stopped at once", flush=True)

asyncio.run(cell())
"""


@pytest.mark.slow
def test_in_a_notebook_the_second_interrupt_stops_at_once_as_a_keyboard_interrupt(folder: Path) -> None:
    text = (folder / "problems" / "peak.py").read_text().replace('"peak"', '"slow"')
    text = text.replace("    a = 0.9\n", "    import time; time.sleep(0.5)\n    a = 0.9\n")
    (folder / "problems" / "slow.py").write_text(text)
    code, said = interrupted_run(folder, IN_A_CELL, signals=2)
    assert code == 0, said
    assert "stopped at once" in said
    assert "Traceback" not in said


def test_the_first_ctrl_c_says_what_the_second_would_do(folder: Path) -> None:
    from evoengine.cli.live import Display

    told: list[Event] = []
    with Campaign("peak", executor="inline", operators=["structural"], watchers=[told.append]) as campaign:
        display = Display(campaign, {})

        def press(event: Event) -> None:
            if isinstance(event, Committed) and event.record.number == 5:
                signal.raise_signal(signal.SIGINT)

        campaign.watchers += [display, press]
        assert campaign.run(evaluations=500) == "interrupted"
        assert campaign.progress.records < 100
    assert sum(isinstance(event, Halting) for event in told) == 1
    assert any("Ctrl-C again stops at once" in news for news in display.news)


def test_a_store_that_cannot_be_written_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run_quietly(folder, "peak", "--evaluations", "10", "--set", "operators=structural")
    place = Path(tempfile.mkdtemp())
    shutil.copy(folder / "evo.db", place)
    (place / "evo.db").chmod(0o444)
    place.chmod(0o555)
    monkeypatch.chdir(place)  # plugins are looked for where one is
    root = os.geteuid() == 0
    try:
        if root:
            os.seteuid(65534)  # root may write anywhere
        with pytest.raises(StoreError, match="cannot be opened for writing"):
            Sqlite(url=f"sqlite:///{place}/evo.db").open()
        store = Sqlite(url=f"sqlite:///{place}/evo.db")
        store.open(create=False)
        assert Reading.named(store, "peak").summary()["records"] >= 10
        store.close()
    finally:
        if root:
            os.seteuid(0)
        place.chmod(0o755)
        shutil.rmtree(place)


FULL = """
import resource
from pathlib import Path
from evoengine import Campaign
from evoengine.errors import StoreError

with Campaign("peak", store="evo.db", executor="inline", operators=["structural"]) as campaign:
    campaign.run(evaluations=20)
    room = max(path.stat().st_size for path in Path().glob("evo.db*")) + 40_000
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
    try:
        campaign.run(evaluations=120)
    except StoreError as error:
        print(error)
"""


@pytest.mark.slow
def test_on_a_full_disk_what_was_acknowledged_is_kept_and_the_run_goes_on_when_there_is_room(folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert "the disk takes no more; all acknowledged records are safe" in done.stdout, done.stderr
    settings: dict[str, Any] = {"executor": "inline", "operators": ["structural"]}
    with Campaign("peak", store="sqlite:///evo.db", **settings) as campaign:
        assert 20 <= campaign.progress.records < 120
        campaign.run(evaluations=120)
        after = campaign.digest()
    with Campaign("peak", store="sqlite:///whole.db", **settings) as campaign:
        campaign.run(evaluations=120)
        assert campaign.digest() == after
