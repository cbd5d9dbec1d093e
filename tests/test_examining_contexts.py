"""`evoengine check` of problems that judge contexts, without a language model."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import evoengine

ECHO = '''
from evoengine import Context, Problem, Reject, Score, Stage
from evoengine.types import Prompt


class Echo(Problem):
    """A context is worth what the task model says of it."""

    name = "echo"
    goal = "Have a number said."
    seed = Context(sections={"instructions": "Say 7."})
    stages = (Stage(name="full"), Stage(name="unseen", held_out=True))
    most_tokens = 100

    def converse(self, context, stage="full"):
        answer = yield Prompt(messages=({"role": "user", "content": context.sections["instructions"]},))
        return Score(JUDGE)
'''


@pytest.mark.parametrize(("judge", "code", "says"), [
    ("float(answer.text.strip() == '7')", 0, "yes    hostile answers never beat silence"),
    ("float(len(answer.text))", 1, "NO     hostile answers never beat silence"),
    ("float(int(answer.text or 0) == 7)", 1, "NO     hostile answers never crash the judge"),
    ("float(answer.text)", 1, "NO     seed 1 is judged under a model that says nothing"),
    ("0.0 if stage == 'full' else 1 / 0", 1,
     "NO     seed 1 is judged under a model that says nothing on the held-out stage"),
])  # fmt: skip
def test_check_finds_without_a_model_what_is_wrong_with_a_problem_of_contexts(
    tmp_path: Path, judge: str, code: int, says: str
) -> None:
    (tmp_path / "problems").mkdir()
    (tmp_path / "problems" / "echo.py").write_text(ECHO.replace("JUDGE", judge))
    done = evoengine("check", "echo", "--sandbox", "none", cwd=tmp_path)
    assert done.returncode == code, done.stdout + done.stderr
    assert says in done.stdout
    assert "Traceback" not in done.stderr
