"""Rollouts as lines for other trainers (verl, slime, TRL and what reads their formats)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from evoengine.errors import CampaignError
from evoengine.pacing import Steps
from evoengine.plugins import build
from evoengine.reading import Reading
from evoengine.rl.gathering import UNVERIFIED, groups_of
from evoengine.rl.ladder import Ladder, returns_of
from evoengine.rl.reward import Reward
from evoengine.types import SEED, Record

_ANY_LENGTH = 2**31


def rollouts(reading: Reading) -> Iterator[dict[str, Any]]:
    """What training saw, one line for each rollout, as JSON values.

    `messages`, `completion`, `reward` and `group` are what trainers of whole answers read; `turns` holds the token ids
    and log-probabilities of the sampler, for those that train on its tokens. Scores are the problem's own values;
    rewards are what the campaign's shaper and ladder make of them.

    Raises:
        CampaignError: the campaign trains nothing.
    """
    settings = reading.row.settings.get("trainer")
    if settings is None:
        raise CampaignError(
            f"campaign {reading.row.name!r} trains nothing, and has no rollouts; start one with --set trainer.use=lora."
        )
    reward: Reward = build("rewards", settings["reward"])
    ladder = Ladder(**settings["ladder"])
    checks = reading.store.checks(reading.row)
    unverified = frozenset(check.number for check in checks if check.stage == UNVERIFIED)
    steps, seeds = Steps(settings["group"] * settings["groups"]), 0
    step: list[Record] = []
    for record in reading.records():
        if record.candidate.operator == SEED:
            seeds += 1
            continue
        step.append(record)
        if record.number == steps.last(steps.step_of(record.number, seeds), seeds):
            yield from _lines(reading, step, reward, ladder, unverified)
            step.clear()
    yield from _lines(reading, step, reward, ladder, unverified)


def _lines(
    reading: Reading, records: Sequence[Record], reward: Reward, ladder: Ladder, unverified: frozenset[int]
) -> Iterator[dict[str, Any]]:
    """The lines of one step."""
    own = {record.number: record for record in records}
    for group in groups_of(records, lambda number: reading.store.score(reading.row, number), unverified):
        worth = returns_of(group, reward, ladder, _ANY_LENGTH).rewards
        for rollout, value in zip(group.rollouts, worth.tolist(), strict=True):
            turns = [turn for turn in own[rollout.record].candidate.turns if not turn.judging]
            yield {
                "campaign": reading.row.name,
                "group": group.number,
                "record": rollout.record,
                "parent": group.parent,
                "parent_score": reading.shown(group.parent_score),
                "version": group.version,
                "control": group.control,
                "outcome": str(rollout.outcome),
                "score": None if rollout.score is None else reading.shown(rollout.score),
                "reward": value,
                "messages": [dict(message) for message in turns[0].prompt.messages] if turns else [],
                "completion": turns[0].completion.text if turns else "",
                "turns": [
                    {
                        "policy": turn.completion.policy,
                        "prompt_ids": turn.completion.prompt_ids,
                        "completion_ids": turn.completion.token_ids,
                        "logprobs": turn.completion.logprobs,
                        "finish": turn.completion.finish,
                    }
                    for turn in turns
                ],
            }
