"""What every store must show."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evoengine.errors import StoreError
from evoengine.stores.base import CampaignRow, Check, Store, Update, outline_of
from evoengine.testing._laws import INHERITED
from evoengine.types import (
    Action,
    ActionKind,
    Candidate,
    Cause,
    Completion,
    Content,
    Context,
    Cost,
    Evaluation,
    Failed,
    Note,
    Program,
    Prompt,
    Record,
    Scored,
    Turn,
)

texts = st.text(st.characters(exclude_categories=()), max_size=20)
"""Text of every kind: other scripts, control characters, NUL, lone surrogates."""
_finite = st.floats(allow_nan=False, allow_infinity=False)
_few = st.dictionaries(texts, _finite, max_size=3)
_parts = st.dictionaries(texts, texts, min_size=1, max_size=3)
_programs = st.builds(
    lambda files, language: Program(files=files, language=language), _parts, st.sampled_from(["python", "c++"])
) | st.builds(Program.of, texts)
contents: st.SearchStrategy[Content] = _programs | st.builds(lambda parts: Context(sections=parts), _parts)
"""Programs of one file or several, and contexts."""
_messages = st.fixed_dictionaries({"role": st.just("user"), "content": texts})
_prompts = st.builds(
    Prompt,
    messages=st.lists(_messages, max_size=2).map(tuple),
    temperature=st.none() | _finite,
    max_tokens=st.none() | st.integers(1, 10**6),
    stop=st.lists(texts, max_size=2).map(tuple),
    seed=st.none() | st.integers(0, 2**31 - 1),
    model=st.none() | texts,
    pattern=st.none() | texts,
    policy=st.none() | texts,
)
_completions = st.builds(
    Completion,
    text=texts,
    thinking=texts,
    token_ids=st.lists(st.integers(0, 200_000), max_size=4).map(tuple),
    logprobs=st.lists(st.floats(-100, 0), max_size=4).map(tuple),
    prompt_ids=st.lists(st.integers(0, 200_000), max_size=4).map(tuple),
    policy=texts,
    prompt_tokens=st.integers(0, 10**6),
    cached_tokens=st.integers(0, 10**6),
    tokens=st.integers(0, 10**6),
    money=st.floats(0, 10),
    finish=texts,
)
_scored = st.builds(
    Scored,
    score=_finite,
    features=_few,
    metrics=_few,
    instances=_few,
    feedback=texts,
    outputs=st.none() | st.lists(texts, max_size=3).map(json.dumps),
)
evaluations: st.SearchStrategy[Evaluation] = _scored | st.builds(Failed, cause=st.sampled_from(Cause), feedback=texts)
_costs = st.builds(
    Cost,
    calls=st.integers(0, 10**6),
    trials=st.integers(0, 10**6),
    tokens=st.integers(0, 10**9),
    money=st.floats(0, 1e6),
    seconds=st.floats(0, 1e6),
)


@st.composite
def logs(draw: st.DrawFn, size: int = 8) -> list[Record]:
    """Records 1 to N of every kind."""
    records = []
    for number in range(1, draw(st.integers(1, size)) + 1):
        candidate = Candidate(
            content=draw(st.none() | contents),
            island=draw(st.integers(-1, 100)),
            operator=draw(st.text(max_size=10)),
            parents=tuple(draw(st.lists(st.integers(1, number), max_size=3))),
            group=draw(st.none() | st.integers(0, 10**9)),
            turns=tuple(
                draw(
                    st.lists(
                        st.builds(Turn, prompt=_prompts, completion=_completions, judging=st.booleans()), max_size=2
                    )
                )
            ),
            guidance=draw(st.none() | st.integers(1, 10**6)),
            lessons=tuple(draw(st.lists(st.integers(-5, 10**6), max_size=2))),
            withheld=tuple(draw(st.lists(st.integers(-5, 10**6), max_size=2))),
            note=draw(st.none() | st.builds(Note, hypothesis=texts, change=texts, predicted=texts)),
            shown=tuple(draw(st.lists(st.integers(1, 10**6), max_size=2))),
            version=draw(st.none() | st.integers(0, 10**6)),
            control=draw(st.booleans()),
        )
        tier = draw(st.sampled_from(["", "T1", "none"]))
        records.append(
            Record(number=number, candidate=candidate, evaluation=draw(evaluations), cost=draw(_costs), tier=tier)
        )
    return records


def record(number: int, text: str | None = None, score: float | None = None, calls: int = 1) -> Record:
    """A plain record: scored with its number, of a program of one line."""
    return Record(
        number=number,
        candidate=Candidate(content=Program.of(text or f"x = {number}\n"), island=0, operator="one", parents=(1,)),
        evaluation=Scored(score=float(number) if score is None else score),
        cost=Cost(calls=calls),
    )


class StoreContract:
    """What every store must show. Needs a fixture `store`: an opened, empty store."""

    def begun(self, store: Store, *, fingerprint: str = "f", name: str | None = None) -> CampaignRow:
        """A new campaign."""
        name = name or f"campaign {len(store.campaigns())}"
        return store.create(name=name, problem="peak", fingerprint=fingerprint, seed=1, settings={"islands": 4})

    def test_campaigns_are_listed_in_order_and_found_by_name(self, store: Store) -> None:
        assert store.campaigns() == []
        one = store.create(name="é 1", problem="p", fingerprint="f", seed=2**40, settings={"a": [1, {"b": None}]})
        other = self.begun(store, name="two")
        assert store.campaigns() == [one, other]
        assert (one.name, one.problem, one.fingerprint, one.seed) == ("é 1", "p", "f", 2**40)
        assert one.settings == {"a": [1, {"b": None}]}
        assert store.campaign("two") == other
        assert store.campaign("three") is None

    def test_a_name_is_given_once(self, store: Store) -> None:
        self.begun(store, name="one")
        with pytest.raises(StoreError, match="one"):
            self.begun(store, name="one")
        assert len(store.campaigns()) == 1

    @settings(deadline=None, suppress_health_check=INHERITED, max_examples=60)
    @given(log=logs(), cuts=st.lists(st.integers(0, 8), max_size=3))
    def test_what_is_replayed_is_what_was_appended(self, store: Store, log: list[Record], cuts: list[int]) -> None:
        campaign = self.begun(store)
        assert (store.last(campaign), list(store.replay(campaign))) == (0, [])
        edges = sorted({0, len(log), *(cut for cut in cuts if cut < len(log))})
        for start, end in pairwise(edges):
            store.append(campaign, log[start:end])
            assert store.last(campaign) == end
        assert list(store.replay(campaign)) == log
        after, until = min(edges[0] + 1, len(log)), max(len(log) - 1, 0)
        assert list(store.replay(campaign, after)) == log[after:]
        assert list(store.replay(campaign, until=until)) == log[:until]
        wanted = [one.number for one in log[::2]]
        assert store.records(campaign, [*wanted, *wanted, 10**6]) == {number: log[number - 1] for number in wanted}
        for end in {until, len(log)}:
            held = {one.candidate.content.digest for one in log[:end] if one.candidate.content is not None}
            assert store.digests(campaign, end) == held
        for one in log:
            expected = one.evaluation.score if isinstance(one.evaluation, Scored) else None
            assert store.score(campaign, one.number) == expected
            if one.candidate.content is not None:
                assert store.content(one.candidate.content.digest) == one.candidate.content

    @settings(deadline=None, suppress_health_check=INHERITED, max_examples=60)
    @given(log=logs(), cut=st.integers(0, 8))
    def test_outlines_say_what_the_records_say(self, store: Store, log: list[Record], cut: int) -> None:
        campaign, other = self.begun(store), self.begun(store)
        store.append(campaign, log)
        store.append(other, [record(1)])
        outlines = [one._replace(at=None) for one in store.outlines(campaign)]
        assert outlines == [outline_of(one) for one in log]
        assert [one.number for one in store.outlines(campaign, after=cut)] == list(range(cut + 1, len(log) + 1))
        assert [one.number for one in store.outlines(campaign, until=cut)] == list(range(1, min(cut, len(log)) + 1))

    def test_outlines_tell_failures_costs_models_and_guidance(self, store: Store) -> None:
        campaign = self.begun(store)
        asked = [
            Turn(prompt=Prompt(messages=()), completion=Completion(text="", policy=policy))
            for policy in ("a", "b\0\ud800é")
        ]
        candidate = Candidate(content=None, island=3, operator="diff", parents=(2, 1), turns=tuple(asked), guidance=1)
        failed = Failed(cause=Cause.CRASHED, feedback="why")
        one = Record(
            number=1, candidate=candidate, evaluation=failed, cost=Cost(calls=4, tokens=5, money=0.5), tier="T1"
        )
        store.append(campaign, [one])
        [told] = store.outlines(campaign)
        assert (told.score, told.cause, told.held) == (None, Cause.CRASHED, False)
        assert (told.operator, told.island, told.parents, told.guidance) == ("diff", 3, (2, 1), 1)
        assert (told.calls, told.tokens, told.money, told.tier, told.model) == (4, 5, 0.5, "T1", "b\0\ud800é")

    def test_appending_nothing_does_nothing(self, store: Store) -> None:
        campaign = self.begun(store)
        store.append(campaign, [])
        assert store.last(campaign) == 0

    @pytest.mark.parametrize("numbers", [[2], [1, 3], [1, 1], [2, 1], [0, 1], [1, 2, 4]])
    def test_a_batch_that_leaves_a_gap_or_repeats_a_number_is_refused_whole(
        self, store: Store, numbers: Sequence[int]
    ) -> None:
        campaign = self.begun(store)
        with pytest.raises(StoreError):
            store.append(campaign, [record(number) for number in numbers])
        assert list(store.replay(campaign)) == []
        assert store.content(Program.of("x = 1\n").digest) is None
        store.append(campaign, [record(1), record(2)])
        with pytest.raises(StoreError):
            store.append(campaign, [record(2)])
        store.append(campaign, [record(3)])
        assert [one.number for one in store.replay(campaign)] == [1, 2, 3]

    @settings(deadline=None, suppress_health_check=INHERITED, max_examples=20)
    @given(log=logs(), other_log=logs())
    def test_campaigns_in_one_store_do_not_mix(self, store: Store, log: list[Record], other_log: list[Record]) -> None:
        one, other = self.begun(store), self.begun(store)
        for place in range(max(len(log), len(other_log))):
            store.append(one, log[place : place + 1])
            store.append(other, other_log[place : place + 1])
        store.save_state(one, 1, {"of": "one"})
        store.add_check(one, Check(number=1, stage="s", evaluation=Scored(score=1.0)))
        store.note_run(store.begin_run(one), 5.0)
        assert list(store.replay(one)) == log
        assert list(store.replay(other)) == other_log
        assert (store.last(one), store.last(other)) == (len(log), len(other_log))
        held = {one.candidate.content.digest for one in other_log if one.candidate.content is not None}
        assert store.digests(other, len(other_log)) == held
        with pytest.raises(KeyError):
            store.score(other, len(other_log) + 1)
        assert store.records(other, range(1, 20)).keys() == {one.number for one in other_log}
        assert store.load_state(other, 10**6) is None
        assert store.checks(other) == []
        assert store.seconds(other) == 0.0

    def test_a_score_is_recalled_in_every_campaign_of_the_same_problem(self, store: Store) -> None:
        one, same, different = (self.begun(store, fingerprint=fingerprint) for fingerprint in "ffg")
        judged = Scored(score=0.1, features={"x": 1.0}, metrics={"m": 2.0}, instances={"i": 3.0}, feedback="\ud800 ok")
        content = Program.of("a = 1\n")
        failed = Program.of("b = 1\n")
        store.append(
            one,
            [
                Record(
                    number=1,
                    candidate=Candidate(content=content, island=0, operator="tune"),
                    evaluation=judged,
                    cost=Cost(calls=12, trials=10, seconds=0.5),
                ),
                Record(
                    number=2,
                    candidate=Candidate(content=failed, island=0, operator="one"),
                    evaluation=Failed(cause=Cause.CRASHED),
                ),
            ],
        )
        for campaign in (one, same):
            judgement = store.recall(campaign.fingerprint, content.digest)
            assert judgement is not None
            assert judgement.evaluation == judged
            assert (judgement.calls, judgement.seconds) == (2, 0.5)
        assert store.recall(different.fingerprint, content.digest) is None
        assert store.recall("f", failed.digest) is None
        assert store.recall("f", "0" * 32) is None

    def test_the_newest_state_that_is_old_enough_is_loaded(self, store: Store) -> None:
        campaign = self.begun(store)
        assert store.load_state(campaign, 100) is None
        for number in (10, 20, 30):
            store.save_state(campaign, number, {"records": number, "deep": [[1, None], {"é": 0.1}]})
        assert store.load_state(campaign, 30) == (30, {"records": 30, "deep": [[1, None], {"é": 0.1}]})
        loaded = store.load_state(campaign, 29)
        assert loaded is None or (loaded[0] <= 29 and loaded[1]["records"] == loaded[0])
        store.save_state(campaign, 30, {"records": 30, "again": True})
        assert store.load_state(campaign, 10**6) == (30, {"records": 30, "again": True})

    def test_an_update_is_kept_by_number_and_the_last_one_counts(self, store: Store) -> None:
        """A process that dies between an update and its note makes the note again."""
        campaign, other = self.begun(store), self.begun(store)
        second = Update(number=2, record=18, policy="p-v2", facts={"kl": None})
        first = Update(number=1, record=10, policy="p-v1", facts={"kl": 0.1, "reward/mean": -0.25})
        for update in (second, replace(first, facts={}), first):
            store.add_update(campaign, update)
        assert store.updates(campaign) == [first, second]
        assert store.updates(other) == []

    def test_what_people_decide_waits_in_order_for_its_campaign_and_its_record_tells_it(self, store: Store) -> None:
        campaign, other = self.begun(store), self.begun(store)
        program = Program(files={"main.py": "\ud800", "b.txt": "\0"}, language="toml")
        asked = [
            Action(kind=ActionKind.SUBMIT, target=1, content=program),
            Action(kind=ActionKind.SUBMIT, content=Context(sections={"a": "\ud800"})),
            Action(kind=ActionKind.NOTE, target=2, text="é\ud800"),
        ]
        places = [store.decide(campaign, action) for action in asked]
        store.decide(other, Action(kind=ActionKind.CLEAR))
        assert places == sorted(set(places))
        found = store.decided(campaign)
        assert found == [replace(action, place=place) for action, place in zip(asked, places, strict=True)]
        assert [action.content for action in found] == [action.content for action in asked]
        assert store.decided(campaign, after=places[1]) == found[2:]
        barred = replace(found[2], kind=ActionKind.QUARANTINE, barred=(2, 5), vain=True)
        made = record(1, None)
        made = replace(made, candidate=replace(made.candidate, action=barred))
        store.append(campaign, [made])
        assert next(iter(store.replay(campaign))).candidate.action == barred
        assert next(iter(store.outlines(campaign))).action == barred

    def test_parents_are_told_without_the_records(self, store: Store) -> None:
        campaign = self.begun(store)
        made = [record(number, f"{number}") for number in (1, 2, 3)]
        parents = ((), (1,), (2, 1))
        store.append(
            campaign,
            [replace(one, candidate=replace(one.candidate, parents=of)) for one, of in zip(made, parents, strict=True)],
        )
        assert list(store.parents(campaign)) == [(1, ()), (2, (1,)), (3, (2, 1))]
        assert list(store.parents(campaign, after=2)) == [(3, (2, 1))]

    def test_a_check_is_kept_by_record_and_stage_and_the_last_one_counts(self, store: Store) -> None:
        campaign = self.begun(store)
        first = Check(number=7, stage="held out", evaluation=Scored(score=1.0))
        second = Check(
            number=7,
            stage="held out",
            evaluation=Scored(score=2.0, metrics={"m": 1.0}, instances={"i": 2.0}, feedback="\ud800"),
        )
        other = Check(number=3, stage="again", evaluation=Failed(cause=Cause.TIMED_OUT, feedback="slow"))
        for check in (first, second, other):
            store.add_check(campaign, check)
        assert store.checks(campaign) == [other, second]
        assert store.checks(campaign, 7) == [second]
        assert store.checks(campaign, 4) == []

    def test_the_lengths_of_runs_add_up(self, store: Store) -> None:
        campaign = self.begun(store)
        one, other = store.begin_run(campaign), store.begin_run(campaign)
        store.note_run(one, 1.0)
        store.note_run(one, 2.5, "done")
        store.note_run(other, 4.0)
        assert store.seconds(campaign) == 6.5

    def test_words_of_sources_are_found_also_in_what_came_later(self, store: Store) -> None:
        campaign = self.begun(store, name="one")
        store.append(campaign, [record(1, "def simplex(n):\n    return n\n"), record(2, "y = 2\n")])
        assert [(name, number) for name, number, _ in store.search("simplex")] == [("one", 1)]
        store.append(campaign, [record(3, "simplex = anneal = 3\n")])
        assert sorted(number for _, number, _ in store.search("simplex")) == [1, 3]
        assert [number for _, number, _ in store.search("anneal simplex")] == [3]
        assert "anneal" in store.search("anneal")[0][2]
        assert len(store.search("simplex", limit=1)) == 1
        assert store.search("absent") == []

    @settings(deadline=None, suppress_health_check=INHERITED, max_examples=60)
    @given(text=texts | st.sampled_from(["", '"', "a AND", "NEAR(", "*", "a:b", "-x", "(", "'; drop table records"]))
    def test_no_search_is_an_error(self, store: Store, text: str) -> None:
        assert isinstance(store.search(text), list)

    def test_everything_is_there_after_it_was_closed_and_opened(self, store: Store) -> None:
        campaign = self.begun(store)
        store.append(campaign, [record(1), record(2)])
        store.save_state(campaign, 1, {"a": 1})
        store.close()
        store.close()
        with pytest.raises(StoreError):
            store.last(campaign)
        store.open(create=False)
        assert store.campaigns() == [campaign]
        assert list(store.replay(campaign)) == [record(1), record(2)]
        assert store.load_state(campaign, 2) == (1, {"a": 1})
        assert store.content(Program.of("x = 2\n").digest) == Program.of("x = 2\n")
        store.append(campaign, [record(3)])
        assert store.last(campaign) == 3

    def test_what_one_appends_another_reads(self, store: Store) -> None:
        campaign = self.begun(store)
        other = store.fresh()
        other.open(create=False)
        try:
            store.append(campaign, [record(1)])
            assert list(other.replay(campaign)) == [record(1)]
            assert other.content(Program.of("x = 1\n").digest) is not None
            assert other.digests(campaign, 1) == {Program.of("x = 1\n").digest}
        finally:
            other.close()

    def test_a_campaign_has_one_writer_at_a_time(self, store: Store) -> None:
        one, two = self.begun(store), self.begun(store)
        other = store.fresh()
        other.open(create=False)
        try:
            with store.writer(one):
                with pytest.raises(StoreError, match=one.name), other.writer(one):
                    raise AssertionError("two writers")
                with other.writer(two):
                    pass
            with other.writer(one):
                pass
        finally:
            other.close()

    def test_an_error_in_the_work_of_a_writer_stays_what_it_is(self, store: Store) -> None:
        campaign = self.begun(store)
        with pytest.raises(FileNotFoundError), store.writer(campaign):
            raise FileNotFoundError("of the campaign, not of the store")
