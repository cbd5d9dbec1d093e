"""What the command line tells of training."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from evoengine.cli.app import app
from evoengine.errors import CampaignError
from evoengine.rl.rollouts import Outcome
from tests.campaigns.numbers import campaign_of as plain
from tests.rl.dial import Dial, campaign_of, turn

STEP = 12


def said(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def store(tmp_path: Path) -> str:
    with campaign_of(tmp_path, turn(control=0.3), Dial(unclear=0.3)) as campaign:
        campaign.run(evaluations=1 + round(3.5 * STEP))
    return f"sqlite:///{tmp_path}/heights.db"


def test_updates_are_listed_with_the_telling_figures_and_exported_with_all(store: str) -> None:
    table = said("updates", "--store", store)
    assert table.splitlines()[0].split() == ["number", "record", "reward", "improving", "first_policy", "valid",
                                             "entropy", "probe", "best", "rollbacks"]  # fmt: skip
    assert len(table.splitlines()) == 4
    rows = json.loads(said("updates", "--store", store, "--format", "json"))
    assert [row["number"] for row in rows] == [1, 2, 3]
    assert {"reward/group_std", "frac_reward_zero_std", "outcome/no_edit", "staleness", "sync_seconds"} <= set(rows[0])
    lines = list(csv.DictReader(io.StringIO(said("updates", "--store", store, "--format", "csv"))))
    assert [line["record"] for line in lines] == ["13", "25", "37"]


def test_rollouts_are_exported_a_line_for_each_with_what_the_sampler_saw(store: str) -> None:
    rows: list[dict[str, Any]] = [
        json.loads(line) for line in said("export", "--rollouts", "--store", store).splitlines()
    ]
    assert len(rows) == round(3.5 * STEP)
    groups: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault(row["group"], []).append(row)
    assert {len(members) for number, members in groups.items() if number < 38} == {4}
    for members in groups.values():
        assert len({json.dumps(row["messages"]) for row in members}) == 1
    one = next(row for row in rows if row["version"] == 1 and not row["control"])
    [turn_] = one["turns"]
    assert turn_["policy"] == "heights-v1"
    assert turn_["prompt_ids"] == [7, 8]
    assert len(turn_["completion_ids"]) == len(turn_["logprobs"]) == 1
    assert one["outcome"] in map(str, Outcome)
    improved = [row for row in rows if row["outcome"] == "scored" and row["score"] > row["parent_score"]]
    assert improved
    assert {row["reward"] for row in improved} == {1.0}
    assert {row["reward"] for row in rows if row["outcome"] == "no_edit"} == {-0.4}


def test_a_campaign_that_trains_nothing_says_so(tmp_path: Path) -> None:
    with plain(tmp_path) as campaign:
        campaign.run(evaluations=3)
    store = f"sqlite:///{tmp_path}/numbers.db"
    for command in (["updates"], ["export", "--rollouts"]):
        with pytest.raises(CampaignError, match="trains nothing"):
            said(*command, "--store", store)


def test_updates_are_drawn_for_tensorboard(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    with campaign_of(tmp_path, turn(tensorboard=str(tmp_path / "curves"))) as campaign:
        campaign.run(evaluations=1 + 3 * STEP)
    events = EventAccumulator(str(tmp_path / "curves" / "heights"))
    events.Reload()
    assert [event.step for event in events.Tensors("improvement_rate")] == [1, 2, 3]
