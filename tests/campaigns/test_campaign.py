"""Budgets, stop conditions, one's own loop, watchers, and runs in every kind of surroundings."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from evoengine import Campaign, Program
from evoengine.errors import CampaignError, ProblemError, StoreError
from evoengine.events import Committed, Event, Started, Stopped
from evoengine.executors.inline import Inline
from evoengine.operators.base import Conversation, Operator
from evoengine.stopping import Evaluations, Reached, Records, Stalled
from evoengine.types import Candidate, Cause, Draft, Failed, Scored
from tests.campaigns.numbers import Numbers, Plus, campaign_of


def test_a_budget_of_evaluations_is_spent_and_never_exceeded_by_plain_proposals(tmp_path: Path) -> None:
    with campaign_of(tmp_path) as campaign:
        assert campaign.run(evaluations=50) == "50 evaluations are spent"
        assert campaign.progress.evaluations == 50
        assert campaign.run(evaluations=50) == "50 evaluations are spent"
        assert campaign.progress.records == 50
        campaign.run(evaluations=60)
        assert campaign.progress.records == 60


def test_answers_without_a_child_are_records_and_use_up_the_budget(tmp_path: Path) -> None:
    with campaign_of(tmp_path, say="nothing") as campaign:
        campaign.run(evaluations=20)
        assert campaign.progress.records == 20
        row = campaign.store.campaign("numbers")
        assert row is not None
        causes = [record.evaluation for record in campaign.store.replay(row, after=1)]
        assert all(isinstance(one, Failed) and one.cause is Cause.NO_CHANGE for one in causes)


def test_a_target_ends_the_run(tmp_path: Path) -> None:
    with campaign_of(tmp_path) as campaign:
        reason = campaign.run(until_score=30, evaluations=1000)
        assert reason == "the target 30 is reached"
        best = campaign.best()
        assert best is not None
        assert 30 <= best.scored.score < 40


def test_conditions_compose(tmp_path: Path) -> None:
    with campaign_of(tmp_path) as campaign:
        campaign.run(stop=(Records(10) & Reached(25, 25)) | Evaluations(1000))
        assert campaign.progress.records >= 25
    with campaign_of(tmp_path, say="0", name="stuck") as campaign:
        assert campaign.run(stop=Stalled(12) | Records(500)) == "no improvement in 12 records"


def test_the_same_child_again_is_a_duplicate_that_is_not_evaluated(tmp_path: Path) -> None:
    with campaign_of(tmp_path, say="7") as campaign:
        campaign.run(stop=Records(12))
        row = campaign.store.campaign("numbers")
        assert row is not None
        records = list(campaign.store.replay(row))
    assert isinstance(records[1].evaluation, Scored)
    causes = [str(one.evaluation.cause) for one in records[2:] if isinstance(one.evaluation, Failed)]
    assert set(causes) <= {"duplicate", "no_change"}  # no_change where the parent is the very same
    assert "duplicate" in causes
    assert len(causes) == 10
    assert sum(record.cost.calls for record in records[2:]) == 0


def test_one_s_own_loop_asks_and_tells(tmp_path: Path) -> None:
    with campaign_of(tmp_path) as campaign:
        drafts = [campaign.ask() for _ in range(4)]
        with pytest.raises(CampaignError, match="window"):
            campaign.ask()
        for draft in drafts:
            child = Program.of(f"def number():\n    return {draft.number * 100}\n")
            judgement = campaign.judge(child)
            candidate = Candidate(content=child, island=draft.island, operator="mine", parents=(1,))
            campaign.tell(candidate, judgement.evaluation)
        assert campaign.progress.records == 5
        best = campaign.best()
        assert best is not None
        assert best.scored.score == 500
        assert campaign.ask().number == 6


def test_watchers_are_told_everything_in_order(tmp_path: Path) -> None:
    told: list[Event] = []
    with campaign_of(tmp_path, watchers=[told.append]) as campaign:
        campaign.run(stop=Records(10))
    assert isinstance(told[0], Started)
    assert isinstance(told[-1], Stopped)
    numbers = [event.record.number for event in told if isinstance(event, Committed)]
    assert numbers == list(range(1, 11))


def test_a_run_works_inside_a_running_loop_as_in_a_notebook(tmp_path: Path) -> None:
    async def cell() -> str:
        with campaign_of(tmp_path) as campaign:
            return campaign.run(stop=Records(8))

    assert asyncio.run(cell()) == "8 records are there"


def test_a_run_works_in_a_thread_and_awaited(tmp_path: Path) -> None:
    reasons: list[str] = []

    def work() -> None:
        with campaign_of(tmp_path) as campaign:
            reasons.append(campaign.run(stop=Records(8)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(timeout=60)

    async def awaited() -> str:
        with campaign_of(tmp_path) as campaign:
            return await campaign.arun(stop=Records(16))

    reasons.append(asyncio.run(awaited()))
    assert reasons == ["8 records are there", "16 records are there"]


def test_a_halted_run_finishes_what_is_in_flight_and_goes_on_later(tmp_path: Path) -> None:
    with campaign_of(tmp_path) as campaign:
        campaign.watchers.append(
            lambda event: campaign.halt() if isinstance(event, Committed) and event.record.number == 9 else None
        )
        assert campaign.run(stop=Records(100)) == "interrupted"
        assert 9 <= campaign.progress.records <= 9 + campaign.window
        halted = campaign.progress.records
        campaign.watchers.clear()
        campaign.run(stop=Records(100))
        assert halted < campaign.progress.records == 100


@pytest.mark.slow
def test_work_that_outlasts_the_time_is_given_up_and_done_anew_later(folder: Path) -> None:
    slow = "__import__('time').sleep(8) or {number}"
    with campaign_of(folder, say=slow, executor="local", workers=2) as campaign:
        began = time.monotonic()
        campaign.run(seconds=0.5)
        took = time.monotonic() - began
        assert took < 7.9, "the run waited for all that was in flight"
        assert campaign.progress.records == 1
        assert campaign.run(stop=Records(3)).startswith("3 records")
        assert campaign.progress.records >= 3


class Broken(Numbers):
    seed = "def number():\n    return 1 / 0\n"


def test_a_seed_that_does_not_score_is_an_error_and_records_nothing(tmp_path: Path) -> None:
    store = f"sqlite:///{tmp_path}/broken.db"
    with Campaign(Broken(), store=store, operators=[Plus()], executor=Inline()) as campaign:
        with pytest.raises(ProblemError, match=r"no seed of problem 'numbers' scores: crashed.*ZeroDivisionError"):
            campaign.run(evaluations=5)
        assert campaign.store.campaigns() == []


def test_a_name_that_another_problem_has_is_refused(tmp_path: Path, folder: Path) -> None:
    with campaign_of(tmp_path, name="mine") as campaign:
        campaign.run(stop=Records(3))
    other = Campaign("peak", name="mine", store=f"sqlite:///{tmp_path}/numbers.db")
    with other, pytest.raises(CampaignError, match=r"of problem 'numbers', not 'peak'.*--name"):
        other.run(evaluations=5)


def test_other_settings_under_the_same_name_are_refused_and_named(tmp_path: Path) -> None:
    with campaign_of(tmp_path) as campaign:
        campaign.run(stop=Records(3))
    with campaign_of(tmp_path, seed=3) as other, pytest.raises(CampaignError, match=r"seed = 0, now it is 3"):
        other.run(evaluations=5)
    with campaign_of(tmp_path, islands=3) as other, pytest.raises(CampaignError, match="islands"):
        other.run(evaluations=5)


def test_two_campaigns_in_one_store_share_evaluations_of_equal_programs(tmp_path: Path) -> None:
    with campaign_of(tmp_path) as campaign:
        campaign.run(stop=Records(10))

    class Counting:
        def __init__(self) -> None:
            self.asked = 0

        def evaluate(self, content: Any, **_: Any) -> Any:
            self.asked += 1
            raise AssertionError("what the store knows was evaluated again")

        def close(self) -> None: ...

    again = campaign_of(tmp_path, name="again", seed=5)
    with again:
        again.run(stop=Records(1))
    with campaign_of(tmp_path, name="again", seed=5, evaluator=Counting()) as campaign:
        campaign.run(stop=Records(10))
        best = campaign.best()
        assert best is not None
        assert best.scored.score == 10


def test_a_store_that_is_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "numbers.db").write_text("this is not a database, but it is long enough to look like one\n" * 50)
    with campaign_of(tmp_path) as campaign, pytest.raises(StoreError, match="no SQLite database"):
        campaign.run(evaluations=5)
    assert (tmp_path / "numbers.db").read_text().startswith("this is not")


class Noisy(Numbers):
    name = "noisy"
    seed = "import random\ndef number():\n    return random.random()\n"
    repeats = 5


def test_a_would_be_champion_of_a_noisy_problem_is_evaluated_again(tmp_path: Path) -> None:
    class Redraw(Operator):
        def breed(self, draft: Draft) -> Conversation:
            return Program.of(f"import random\ndef number():\n    return random.random()  # {draft.number}\n")
            yield

    store = f"sqlite:///{tmp_path}/noisy.db"
    with Campaign(Noisy(), store=store, operators=[Redraw()], executor=Inline(), islands=1) as campaign:
        campaign.run(stop=Records(60))
        row = campaign.store.campaign("noisy")
        assert row is not None
        records = list(campaign.store.replay(row))
        best = campaign.best()
    repeated = [record for record in records if record.cost.calls == 5]
    assert repeated, "no candidate was evaluated again"
    assert all(record.cost.calls in (1, 5) for record in records)
    assert best is not None
    # one draw of sixty would be near 1; the mean of five stays away from it
    assert best.scored.score < 0.95
