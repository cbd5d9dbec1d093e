"""A candidate of another engine's task can forge its score, which is marked, and cannot leave the jail."""

from __future__ import annotations

import csv
import io
import json
import os
import socket
from pathlib import Path

import pytest
from click.testing import CliRunner

from evoengine.assembly import store_of
from evoengine.cli.app import app
from evoengine.compat import Foreign
from evoengine.problem import Reject
from evoengine.stores.base import Store
from evoengine.types import Failed, Scored
from tests.compat.by_hand import TASKS
from tests.compat.judged import evaluation_of, problem_in, written
from tests.conftest import PEAK, evoengine
from tests.web.pages import asked

pytestmark = pytest.mark.slow

FORGES = """
    import sys

    sys.modules["numpy"].sum = lambda *_: 1e9

    def construct():
        return [0.0]
"""
ESCAPES = """
    import os, signal, socket, subprocess, sys

    def construct():
        return [float(sum(map(escaped, [
            lambda: open({secret!r}).read(),
            lambda: subprocess.run([sys.executable, "-c", "open({secret!r})"], check=True),
            lambda: open("evaluator.py", "a"),
            lambda: os.unlink({folder!r} + "/evaluator.py"),
            lambda: open({folder!r} + "/new.py", "w"),
            lambda: socket.create_connection(("127.0.0.1", {port})),
            lambda: os.kill(os.getppid(), signal.SIGKILL),
            lambda: os.kill({engine}, 0),
            lambda: open("/etc/passwd").read(),
            lambda: os.setuid(0),
            lambda: os.listdir("/proc/1"),
        ])))]

    def escaped(attempt):
        try:
            attempt()
        except Exception:
            return False
        return True
"""


def test_a_candidate_can_forge_its_score() -> None:
    forged = evaluation_of(TASKS / "oe_error_text", FORGES)
    assert isinstance(forged, Scored)
    assert forged.score == 1e9  # which is why it is marked
    assert problem_in(TASKS / "oe_error_text").self_scored


def test_a_candidate_cannot_leave_the_jail_not_even_through_the_evaluator(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("of the machine", encoding="utf-8")
    for folder in (tmp_path, *list(tmp_path.parents)[:3]):
        if folder.stat().st_uid == secret.stat().st_uid and folder.name.startswith(("test_", "pytest-")):
            folder.chmod(0o755)  # not for want of rights
    judge = (TASKS / "oe_error_text" / "evaluator.py").read_text(encoding="utf-8")
    task = written(tmp_path / "task", initial_program="def construct():\n    return [1]\n", evaluator=judge)
    with socket.create_server(("127.0.0.1", 0)) as server:
        text = ESCAPES.format(secret=str(secret), folder=str(task), port=server.getsockname()[1], engine=os.getpid())
        found = evaluation_of(task, text)
    assert isinstance(found, Scored), found
    assert found.score == 0.0, f"{found.score} attempts succeeded"
    assert sorted(path.name for path in task.iterdir()) == ["evaluator.py", "initial_program.py"]
    assert (task / "evaluator.py").read_text(encoding="utf-8") == judge


def test_a_candidate_that_ends_or_hangs_or_fills_its_folder_costs_itself_alone(tmp_path: Path) -> None:
    task = written(
        tmp_path / "task",
        initial_program="def result():\n    return {'combined_score': 1.0}\n",
        evaluator="import runpy\ndef evaluate(path):\n    return runpy.run_path(path)['result']()\n",
        config="evaluator: {timeout: 0.5, cascade_evaluation: false}",
    )
    for text in (
        "import os\nos._exit(0)\n",
        "while True:\n    pass\n",
        "import os, tempfile\nwith open(tempfile.gettempdir() + '/x', 'wb') as f:\n    f.write(bytes(2**30))\n",
        "import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n",
    ):
        assert isinstance(evaluation_of(task, text), Failed)
    assert isinstance(evaluation_of(task), Scored)


GOOD = {"numbers": {"combined_score": 1.0}, "flags": {}, "texts": {}, "bad": {}, "failed": None}


@pytest.mark.parametrize(
    "told",
    [
        None,
        [],
        {},
        {"combined_score": 1e9},
        {**GOOD, "numbers": {"combined_score": "9"}},
        {**GOOD, "numbers": {"combined_score": True}},
        {**GOOD, "numbers": {"combined_score": 10**400}},
        {**GOOD, "numbers": [1]},
        {**GOOD, "flags": {"a": 1}},
        {**GOOD, "texts": {"a": 1}},
        {**GOOD, "bad": None},
        {**GOOD, "failed": 0},
    ],
)
def test_what_has_another_form_than_a_result_is_refused(told: object) -> None:
    problem = problem_in(TASKS / "oe_text")
    assert isinstance(problem, Foreign)
    assert problem.scored(GOOD).value == 1.0
    with pytest.raises(Reject):
        problem.scored(told)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a task was evolved for a while."""
    folder = tmp_path_factory.mktemp("ran")
    done = evoengine(
        "run", str(TASKS / "sh_own_files"), "--name", "own", "--evaluations", "6", "--workers", "1", cwd=folder
    )
    assert done.returncode == 0, done.stderr
    assert "self-scored" in done.stdout
    return folder


def said(folder: Path, *words: str) -> str:
    """What a verb prints about the store in a folder."""
    result = CliRunner().invoke(app, [*words, "--store", f"sqlite:///{folder}/evo.db"])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize("verb", ["show", "best", "elites", "lineage"])
def test_every_verb_that_shows_a_score_says_that_it_is_self_scored(verb: str, ran: Path) -> None:
    assert "self_scored" in said(ran, verb)
    told = json.loads(said(ran, verb, "--format", "json"))
    for row in told if isinstance(told, list) else [told]:
        assert row["self_scored"] is True


def test_every_export_says_that_scores_are_self_scored(ran: Path) -> None:
    assert all(json.loads(line)["self_scored"] for line in said(ran, "export").splitlines())
    rows = [*csv.DictReader(io.StringIO(said(ran, "export", "--format", "csv")))]
    assert {row["self_scored"] for row in rows} == {"True"}
    said(ran, "export", "--programs", str(ran / "programs"))
    with (ran / "programs" / "index.csv").open(encoding="utf-8", newline="") as index:
        assert {row["self_scored"] for row in csv.DictReader(index)} == {"True"}
    said(ran, "export", "--format", "parquet", "--output", str(ran / "all.parquet"))
    from pyarrow import parquet

    assert parquet.read_schema(ran / "all.parquet").metadata[b"self_scored"] == b"true"
    assert "Scores are self-scored" in said(ran, "export", "--format", "html")
    assert "self_scored" in said(ran, "export", "--format", "table")


def test_every_page_of_such_a_campaign_says_so(ran: Path) -> None:
    store: Store = store_of(f"sqlite:///{ran}/evo.db")
    store.open(create=False)
    try:
        with asked(store) as client:
            front = client.get("/").text
            assert "(self-scored)" in front
            start = front.split('<th scope="row"><a href="')[1].split('"')[0]
            for page in (start, f"{start}/records/1", f"{start}/map", f"{start}/records"):
                told = client.get(page)
                assert told.status_code == 200, page
                assert "Scores are self-scored" in told.text
            assert "<dd>self-scored</dd>" in client.get(f"{start}/records/1").text
    finally:
        store.close()


def test_a_problem_of_our_own_carries_no_such_mark(tmp_path: Path) -> None:
    (tmp_path / "peak.py").write_text(PEAK, encoding="utf-8")
    done = evoengine("run", "./peak.py", "--evaluations", "2", "--workers", "1", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "self-scored" not in done.stdout
    assert "self_scored" not in said(tmp_path, "show") + said(tmp_path, "export")
