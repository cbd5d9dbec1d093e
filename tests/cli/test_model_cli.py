"""The verbs about the language model's part in a campaign."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ANSWER = (
    "HYPOTHESIS: nearer\\nCHANGE: other digits\\nPREDICTED: more\\n"
    "```python\\ndef numbers():\\n    return [0.3, 0.4, 0.5]\\n```"
)


def evoengine(folder: Path, *arguments: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "evoengine", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == status, done.stderr
    return done


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.conftest import PEAK

    folder = tmp_path_factory.mktemp("model")
    (folder / "problems").mkdir()
    (folder / "problems" / "peak.py").write_text(PEAK)
    (folder / "run.toml").write_text(
        'problem = "peak"\nsandbox = "none"\noperators = ["rewrite"]\n'
        f'generator = {{ use = "scripted", answers = ["{ANSWER}", "no idea"] }}\n'
    )
    evoengine(folder, "run", "run.toml", "--evaluations", "20", "--quiet")
    return folder


@pytest.mark.slow
def test_the_next_prompt_is_shown_and_not_sent(store: Path) -> None:
    told = json.loads(evoengine(store, "prompt", "--format", "json").stdout)
    assert told["operator"] == "rewrite"
    assert [message["role"] for message in told["messages"]] == ["system", "user"]
    assert "Write numbers() -> three numbers" in told["messages"][0]["content"]
    assert told["messages"][1]["content"].count("## The program to improve") == 1
    before = json.loads(evoengine(store, "show", "--format", "json").stdout)["records"]
    assert evoengine(store, "prompt").stdout.count("--- ") == 2
    assert json.loads(evoengine(store, "show", "--format", "json").stdout)["records"] == before
    evoengine(store, "resume", "--evaluations", "40", "--quiet")
    sent = json.loads(evoengine(store, "prompt", "--format", "json").stdout)
    assert sent["number"] > told["number"]


def test_costs_guidance_and_lessons_are_told(store: Path) -> None:
    costs = {row["operator"]: row for row in json.loads(evoengine(store, "costs", "--format", "json").stdout)}
    assert costs["rewrite"]["model"] == "scripted"
    assert costs["rewrite"]["tokens"] > 0
    guidance = json.loads(evoengine(store, "guidance", "--format", "json").stdout)
    assert guidance
    assert all(0.0 < row["credit"] < 1.0 and row["text"] for row in guidance)
    [lesson] = json.loads(evoengine(store, "lessons", "--format", "json", "--limit", "1").stdout)
    assert lesson["change"] == "other digits"
    evoengine(store, "lessons", "--export", "lessons.jsonl")
    assert json.loads((store / "lessons.jsonl").read_text().splitlines()[0])["hypothesis"] == "nearer"


@pytest.mark.slow
def test_a_campaign_that_asks_no_model_has_no_prompt(store: Path) -> None:
    evoengine(store, "run", "peak", "--name", "plain", "--sandbox", "none", "--evaluations", "8", "--quiet")
    told = evoengine(store, "prompt", "plain", status=1).stderr
    assert "asks a language model; its operators are: structural, tune, idioms" in told


def test_an_unknown_generator_is_told_with_those_that_there_are(store: Path) -> None:
    told = evoengine(store, "run", "peak", "--name", "m", "--generator", "nothing", status=2).stderr
    assert "no generators plugin is called 'nothing'" in told
