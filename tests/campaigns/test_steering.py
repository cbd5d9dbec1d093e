"""What people decide while a campaign goes on: records like any other, and what follows from them."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from evoengine import Campaign, Program
from evoengine.chronicle import Chronicle
from evoengine.errors import CampaignError
from evoengine.events import Committed, Event
from evoengine.reading import Reading
from evoengine.stores.sqlite import Sqlite
from evoengine.types import Action, ActionKind, Cause, Failed, Record, Scored
from tests.campaigns.numbers import campaign_of

pytestmark = pytest.mark.slow

UP = "number() + 1  # {number}"


def number_of(text: str) -> Program:
    return Program.of(f"def number():\n    return {text}\n")


def records_of(campaign: Campaign) -> list[Record]:
    row = campaign.store.campaign(campaign.name)
    assert row is not None
    return list(campaign.store.replay(row))


def decided(campaign: Campaign) -> list[Record]:
    return [record for record in records_of(campaign) if record.candidate.action is not None]


def submit(text: str, target: int | None = None) -> Action:
    return Action(kind=ActionKind.SUBMIT, content=number_of(text), target=target)


def test_a_program_of_one_s_own_is_judged_like_any_other(tmp_path: Path) -> None:
    with campaign_of(tmp_path) as campaign:
        campaign.run(evaluations=10)
        campaign.decide(submit("1000", target=3))
        campaign.decide(submit("1 / 0"))
        campaign.run(evaluations=20)
        first, second = decided(campaign)
        best = campaign.best()
    assert first.candidate.operator == "human.submit"
    assert first.candidate.parents == (3,)
    assert isinstance(first.evaluation, Scored)
    assert best is not None
    assert (best.number, best.scored.score) == (first.number, 1000.0)
    assert isinstance(second.evaluation, Failed)
    assert second.evaluation.cause is Cause.CRASHED
    assert second.number == first.number + 1


def test_a_copy_of_what_is_there_is_refused_from_a_person_too(tmp_path: Path) -> None:
    with campaign_of(tmp_path) as campaign:
        campaign.run(evaluations=10)
        campaign.decide(submit("5"))
        campaign.run(evaluations=15)
        [record] = decided(campaign)
    assert isinstance(record.evaluation, Failed)
    assert record.evaluation.cause is Cause.DUPLICATE
    assert record.cost.calls == 0


def test_what_a_person_decides_while_a_run_goes_on_is_a_record_of_that_run(tmp_path: Path) -> None:
    other = Sqlite(url=f"sqlite:///{tmp_path}/numbers.db")

    def told(event: Event) -> None:
        if isinstance(event, Committed) and event.record.number == 20:  # another process, as far as SQLite can tell
            other.open()
            row = other.campaign("numbers")
            assert row is not None
            other.decide(row, submit("1000"))
            threading.Event().wait(0.3)  # the queue is looked at four times a second

    with campaign_of(tmp_path, watchers=[told]) as campaign:
        campaign.run(evaluations=60)
        [record] = decided(campaign)
    other.close()
    assert 20 < record.number <= 20 + 2 * campaign.window + 1


def steered(folder: Path, **settings: Any) -> Campaign:
    """A campaign in which everything was decided once."""
    folder.mkdir(exist_ok=True)
    campaign = campaign_of(folder, **settings)
    campaign.run(evaluations=20)
    for action in (
        submit("77"),
        Action(kind=ActionKind.PIN, target=20),
        Action(kind=ActionKind.NOTE, target=3, text="look at this one"),
        Action(kind=ActionKind.GOAL, text="odd numbers"),
        Action(kind=ActionKind.QUARANTINE, target=7),
    ):
        campaign.decide(action)
    campaign.run(evaluations=90)
    return campaign


def test_the_log_alone_tells_what_was_decided(tmp_path: Path) -> None:
    with steered(tmp_path) as campaign:
        digest, best, elites = campaign.digest(), campaign.best(), campaign.elites()
        barred = set(campaign.islands.barred)
    with campaign_of(tmp_path) as again:
        assert again.digest() == digest
        assert again.best() == best
        assert again.elites() == elites
        assert again.islands.barred == barred
    store = Sqlite(url=f"sqlite:///{tmp_path}/numbers.db")
    store.open()
    row = store.campaign("numbers")
    assert row is not None
    assert Reading(store, row).fold.islands.digest() == digest
    chronicle = Chronicle(row)
    chronicle.take(store.outlines(row))
    for at in (20, 22, 27, 60, 90):
        now = [sorted(numbers.tolist()) for numbers in chronicle.elites(at)]
        with campaign_of(tmp_path) as whole:
            fold = whole._parts.fold()
            fold.recalled = lambda number: store.elite(row, number)
            for record in store.replay(row, until=at):
                fold.take(record)
        assert now == [sorted(archive.numbers()) for archive in fold.islands.archives]
    assert [action.kind for action in chronicle.actions.values()] == [
        ActionKind.SUBMIT, ActionKind.PIN, ActionKind.NOTE, ActionKind.GOAL, ActionKind.QUARANTINE,
    ]  # fmt: skip
    store.close()


def test_a_campaign_that_goes_on_from_a_kept_state_knows_what_was_decided(tmp_path: Path) -> None:
    with steered(tmp_path / "kept", snapshot_every=10) as campaign:
        kept = campaign.digest()
    with campaign_of(tmp_path / "kept", snapshot_every=10) as campaign:
        campaign.run(evaluations=150)
        kept = campaign.digest()
        [*_, state] = [campaign._log.fold.steering.state()]
    with steered(tmp_path / "whole", snapshot_every=10**6) as campaign:
        campaign.run(evaluations=150)
        assert campaign.digest() == kept
        assert campaign._log.fold.steering.state() == state


def test_a_decision_in_flight_at_a_kill_is_taken_in_by_the_next_run(tmp_path: Path) -> None:
    class Killed(Exception):
        pass

    with campaign_of(tmp_path) as campaign:
        campaign.run(evaluations=10)
        campaign.decide(submit("1000"))
        append = campaign.store.append
        campaign.store.__dict__["append"] = lambda *_: (_ for _ in ()).throw(Killed())
        with pytest.raises(Killed):
            campaign.run(evaluations=30)
        campaign.store.__dict__["append"] = append
    with campaign_of(tmp_path) as campaign:
        campaign.run(evaluations=30)
        assert len(decided(campaign)) == 1
        campaign.run(evaluations=60)
        assert len(decided(campaign)) == 1, "and once is enough"


# -- quarantine ------------------------------------------------------------------------------------------------------


def family_of(campaign: Campaign, target: int) -> set[int]:
    """A record and its descendants, by what the records say."""
    found = {target}
    for record in records_of(campaign):
        if found & set(record.candidate.parents):
            found.add(record.number)
    return found


def test_a_record_in_quarantine_and_all_that_comes_of_it_leave_the_archives_for_good(tmp_path: Path) -> None:
    with campaign_of(tmp_path) as campaign:
        campaign.run(evaluations=40)
        best = campaign.best()
        assert best is not None
        root = next(one for one in records_of(campaign)[1:] if len(family_of(campaign, one.number)) > 2).number
        campaign.decide(Action(kind=ActionKind.QUARANTINE, target=root))
        campaign.run(evaluations=90)
        [record] = decided(campaign)
        family = family_of(campaign, root)
        assert record.candidate.action is not None
        assert set(record.candidate.action.barred) == {one for one in family if one < record.number}
        assert not family & {elite.number for elite in campaign.elites()}
        later = [one for one in records_of(campaign) if one.number > record.number + campaign.window]
        assert not any(family & set(one.candidate.parents) for one in later)
        champion = campaign.best()
        assert champion is not None
        assert champion.number not in family


def test_the_best_in_quarantine_is_the_best_no_more(tmp_path: Path) -> None:
    with campaign_of(tmp_path) as campaign:
        campaign.run(evaluations=20)
        campaign.decide(submit("1000"))
        campaign.run(evaluations=30)
        best = campaign.best()
        assert best is not None
        assert best.scored.score == 1000.0
        campaign.decide(Action(kind=ActionKind.QUARANTINE, target=best.number))
        campaign.run(evaluations=40)
        after = campaign.best()
        assert after is not None
        assert after.scored.score < 1000.0
        assert campaign.progress.best == after.scored.score


def test_a_quarantine_that_would_leave_nothing_takes_nothing_out(tmp_path: Path) -> None:
    with campaign_of(tmp_path) as campaign:
        campaign.run(evaluations=20)
        before = len(campaign.elites())
        campaign.decide(Action(kind=ActionKind.QUARANTINE, target=1))
        campaign.run(evaluations=30)
        [record] = decided(campaign)
        assert "no elite" in getattr(record.evaluation, "feedback", "")
        assert len(campaign.elites()) >= before
        assert not campaign.islands.barred


# -- pins and goals --------------------------------------------------------------------------------------------------


def test_a_pinned_elite_goes_on_having_children_when_its_cell_has_another_owner(tmp_path: Path) -> None:
    def children(folder: Path, *, pin: bool) -> int:
        folder.mkdir()
        with campaign_of(folder) as campaign:
            campaign.run(evaluations=12)
            number = next(iter(campaign.elites())).number
            if pin:
                campaign.decide(Action(kind=ActionKind.PIN, target=number))
            campaign.run(evaluations=400)
            assert number not in {elite.number for elite in campaign.elites()}
            return sum(number in one.candidate.parents for one in records_of(campaign)[200:])

    assert children(tmp_path / "not", pin=False) == 0
    assert children(tmp_path / "pinned", pin=True) > 5


def test_a_pin_ends_with_an_unpin_and_with_a_quarantine(tmp_path: Path) -> None:
    with campaign_of(tmp_path) as campaign:
        campaign.run(evaluations=12)
        one, other = [elite.number for elite in campaign.elites()][:2]
        campaign.decide(Action(kind=ActionKind.PIN, target=one))
        campaign.decide(Action(kind=ActionKind.PIN, target=other))
        campaign.run(evaluations=20)
        assert {elite.number for elite in campaign._log.fold.steering.pinned} == {one, other}
        campaign.decide(Action(kind=ActionKind.UNPIN, target=one))
        campaign.decide(Action(kind=ActionKind.QUARANTINE, target=other))
        campaign.run(evaluations=30)
        assert campaign._log.fold.steering.pinned == ()


def test_what_has_no_score_or_is_in_quarantine_is_not_pinned(tmp_path: Path) -> None:
    with campaign_of(tmp_path) as campaign:
        campaign.run(evaluations=10)
        campaign.decide(submit("1 / 0"))
        campaign.decide(Action(kind=ActionKind.QUARANTINE, target=10))
        campaign.run(evaluations=20)
        failed = decided(campaign)[0].number
        campaign.decide(Action(kind=ActionKind.PIN, target=failed))
        campaign.decide(Action(kind=ActionKind.PIN, target=10))
        campaign.run(evaluations=30)
        *_, one, other = decided(campaign)
        assert "it has no score" in getattr(one.evaluation, "feedback", "")
        assert "quarantine" in getattr(other.evaluation, "feedback", "")
        assert campaign._log.fold.steering.pinned == ()


def test_goals_reach_drafts_until_they_are_taken_back(tmp_path: Path) -> None:
    with campaign_of(tmp_path) as campaign:
        campaign.run(evaluations=10)
        campaign.decide(Action(kind=ActionKind.GOAL, text="odd numbers"))
        campaign.decide(Action(kind=ActionKind.GOAL, text="no zeros"))
        campaign.run(evaluations=20)
        notes = campaign._log.fold.draft(30).brief.notes
        assert "- odd numbers\n- no zeros" in notes
        campaign.decide(Action(kind=ActionKind.CLEAR))
        campaign.run(evaluations=30)
        assert campaign._log.fold.draft(40).brief.notes == campaign.problem.notes


# -- what makes no sense ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "why"),
    [
        (Action(kind=ActionKind.PIN), "say which one"),
        (Action(kind=ActionKind.NOTE, target=99, text="a"), "records are 1 to 10"),
        (Action(kind=ActionKind.NOTE, target=0, text="a"), "records are 1 to 10"),
        (Action(kind=ActionKind.NOTE, target=1, text=" "), "needs a text"),
        (Action(kind=ActionKind.GOAL, text="a" * 4001), "4000 are the most"),
        (Action(kind=ActionKind.SUBMIT), "takes a program"),
        (Action(kind=ActionKind.PIN, target=1, content=number_of("1")), "takes no program"),
    ],
)
def test_a_decision_that_makes_no_sense_is_refused(tmp_path: Path, action: Action, why: str) -> None:
    with campaign_of(tmp_path) as campaign:
        campaign.run(evaluations=10)
        with pytest.raises(CampaignError, match=why):
            campaign.decide(action)


def test_a_campaign_without_records_takes_no_decision(tmp_path: Path) -> None:
    with campaign_of(tmp_path) as campaign, pytest.raises(CampaignError, match="no records yet"):
        campaign.decide(Action(kind=ActionKind.GOAL, text="a"))


def test_a_loop_of_one_s_own_is_asked_for_nothing_that_a_person_decided(tmp_path: Path) -> None:
    with campaign_of(tmp_path) as campaign:
        campaign.run(evaluations=10)
        campaign.decide(Action(kind=ActionKind.GOAL, text="odd"))
        assert all(campaign.ask().action is None for _ in range(campaign.window))
