"""One seed gives one archive: with any number of workers, and however often the run was killed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from evoengine import Campaign
from evoengine.stores.sqlite import Sqlite
from tests.conftest import ROOT, evoengine


def digest_of(store: str, name: str = "peak", *, workers: int, evaluations: int, **settings: object) -> str:
    with Campaign("peak", name=name, store=store, workers=workers, **settings) as campaign:  # type: ignore[arg-type]
        campaign.run(evaluations=evaluations)
        return campaign.digest()


@pytest.mark.slow
def test_one_worker_and_two_give_the_same_archive(folder: Path) -> None:
    one = digest_of("sqlite:///one.db", workers=1, evaluations=600)
    two = digest_of("sqlite:///two.db", workers=2, evaluations=600)
    assert one == two


@pytest.mark.slow
def test_another_seed_gives_another_archive(folder: Path) -> None:
    one = digest_of("sqlite:///one.db", workers=2, evaluations=300)
    other = digest_of("sqlite:///two.db", workers=2, evaluations=300, seed=1)
    assert one != other


@pytest.mark.slow
def test_a_run_in_two_parts_is_the_run_in_one(folder: Path) -> None:
    whole = digest_of("sqlite:///whole.db", workers=2, evaluations=500)
    digest_of("sqlite:///parts.db", workers=1, evaluations=200)
    assert digest_of("sqlite:///parts.db", workers=2, evaluations=500) == whole


@pytest.mark.slow
def test_kept_states_do_not_change_what_follows(folder: Path) -> None:
    whole = digest_of("sqlite:///whole.db", workers=2, evaluations=500)
    for evaluations in (150, 300, 500):
        parts = digest_of("sqlite:///parts.db", workers=2, evaluations=evaluations, snapshot_every=7)
    assert parts == whole


RUN = """
import sys
from evoengine import Campaign
campaign = Campaign("{problem}", name="c", store="sqlite:///killed.db", workers={workers}, snapshot_every=20)
campaign.run(evaluations={evaluations})
"""


@pytest.mark.slow
@pytest.mark.parametrize(("problem", "evaluations"), [("peak", 800), ("circle_packing", 400)])
def test_kill_9_in_mid_run_and_a_resume_give_the_undisturbed_archive(
    folder: Path, problem: str, evaluations: int
) -> None:
    with Campaign(problem, name="c", store="sqlite:///whole.db", workers=2) as campaign:
        campaign.run(evaluations=evaluations)
        whole, records = campaign.digest(), campaign.progress.records
    kills = 0
    for attempt in range(20):
        script = RUN.format(problem=problem, workers=1 + attempt % 2, evaluations=evaluations)
        process = subprocess.Popen(
            [sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": str(ROOT)}, start_new_session=True
        )
        if kills < 3:
            before = _records()
            wanted = before + random.Random(attempt).randrange(5, max(6, records // 5))
            while process.poll() is None and _records() < wanted:
                time.sleep(0.02)
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                kills += 1
            process.wait(timeout=60)
        else:
            assert process.wait(timeout=120) == 0
            break
    assert kills, "the run was over before it could be killed"
    with Campaign(problem, name="c", store="sqlite:///killed.db") as campaign:
        assert campaign.digest() == whole
        assert campaign.progress.records == records


def _records() -> int:
    if not Path("killed.db").exists():
        return 0
    store = Sqlite(url="sqlite:///killed.db")
    try:
        store.open(create=False)
        row = store.campaign("c")
        return 0 if row is None else store.last(row)
    except Exception:  # another process is just making it
        return 0
    finally:
        store.close()


@pytest.mark.slow
def test_the_command_line_gives_the_same_archive_as_python(folder: Path) -> None:
    from_python = digest_of("sqlite:///python.db", workers=2, evaluations=300)
    done = evoengine("run", "peak", "--store", "sqlite:///cli.db", "--evaluations", "300", "--quiet", cwd=folder)
    assert done.returncode == 0, done.stderr
    shown = evoengine("show", "--store", "sqlite:///cli.db", "--format", "json", cwd=folder)
    assert json.loads(shown.stdout)["archive_digest"] == from_python
