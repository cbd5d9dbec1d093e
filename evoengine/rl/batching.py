"""From groups of rollouts to what one update learns from, and the figures that tell how they were."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import fmean, pstdev

import numpy as np

from evoengine.errors import TrainerError
from evoengine.rl.advantage import Advantage
from evoengine.rl.ladder import returns_of
from evoengine.rl.reward import Reward
from evoengine.rl.rollouts import Group, Outcome, Rollout
from evoengine.rl.trainer import Example
from evoengine.rl.training import Training


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What became of a step's groups.

    Attributes:
        examples: to learn from; none where there is nothing to learn.
        gains: of the children that are better than their parents, "higher is better".
        flagged: records whose gain is out of the ordinary.
        facts: figures of the whole batch, by name.
        mean: reward, over all rollouts that are learnt from.
    """

    examples: tuple[Example, ...]
    gains: tuple[float, ...]
    flagged: tuple[int, ...]
    facts: dict[str, float]
    mean: float


def gathered(
    groups: Sequence[Group],
    *,
    training: Training,
    reward: Reward,
    advantage: Advantage,
    longest: int,
    version: int,
    most_gain: float,
    left_out: frozenset[int] = frozenset(),
) -> Gathered:
    """What an update learns from the groups of a step.

    Args:
        groups: of the step.
        training: the settings.
        reward: shapes what valid children are worth.
        advantage: estimates how much better a rollout was than its group.
        longest: tokens that an answer may have.
        version: of the policy that is to be trained.
        most_gain: a child's gain over its parent above which it is flagged, and counts as that much.
        left_out: parents that nothing is learnt from.

    Raises:
        TrainerError: an advantage is not finite.
    """
    own = [one for one in groups if not one.control]
    flagged = [
        rollout.record
        for group in own
        for rollout in group.rollouts
        if rollout.score is not None and rollout.score - group.parent_score > most_gain
    ]
    usable = [
        _tempered(group, most_gain)
        for group in own
        if group.parent not in left_out
        and version - group.version <= training.max_staleness
        and len(group.rollouts) >= advantage.smallest
    ]
    returns = [returns_of(group, reward, training.ladder, longest) for group in usable]
    found = advantage.of(returns)
    examples: list[Example] = []
    capped = 0
    for group, credit in zip(usable, found, strict=True):
        if not np.isfinite(credit.values).all():
            raise TrainerError(
                f"the advantages of the group of record {group.number} are not finite: {credit.values.tolist()}; "
                f"the estimator {type(advantage).__name__} is at fault."
            )
        values = np.clip(credit.values, -training.advantage_cap, training.advantage_cap)
        capped += int((values != credit.values).sum())
        if not values.any():  # a dead group: nothing in it was better or worse than the rest
            continue
        for member, (rollout, value, kept) in enumerate(zip(group.rollouts, values, credit.kept, strict=True)):
            if kept:
                examples += [
                    Example(
                        exchange=exchange,
                        advantage=float(value),
                        staleness=version - group.version,
                        member=member,
                    )
                    for exchange in rollout.exchanges
                ]
    rewards = [one.rewards for one in returns]
    spreads = [float(one.std()) for one in rewards]
    every = np.concatenate(rewards) if rewards else np.zeros(1)
    facts = {
        **_outcomes(own),
        "groups": float(len(usable)),
        "reward/mean": float(every.mean()),
        "reward/std": float(every.std()),
        "reward/group_std": fmean(spreads) if spreads else 0.0,
        "frac_reward_zero_std": fmean(spread == 0.0 for spread in spreads) if spreads else 1.0,
        "advantage/capped": float(capped),
        "flagged": float(len(flagged)),
        "staleness": fmean(version - one.version for one in usable) if usable else 0.0,
    }
    for name in sorted({name for credit in found for name in credit.facts}):
        facts[f"advantage/{name}"] = fmean(credit.facts[name] for credit in found if name in credit.facts)
    control = [one for one in groups if one.control]
    if control:
        facts |= {f"control/{name}": value for name, value in _outcomes(control).items()}
    return Gathered(
        examples=tuple(examples),
        gains=tuple(gain for group in own for gain in _gains(group)),
        flagged=tuple(flagged),
        facts=facts,
        mean=float(every.mean()),
    )


def _tempered(group: Group, most_gain: float) -> Group:
    """A group in which no gain is larger than that."""
    most = group.parent_score + most_gain

    def tempered(rollout: Rollout) -> Rollout:
        return rollout if rollout.score is None or rollout.score <= most else replace(rollout, score=most)

    return replace(group, rollouts=tuple(tempered(one) for one in group.rollouts))


def _gains(group: Group) -> list[float]:
    gains = [one.score - group.parent_score for one in group.rollouts if one.score is not None]
    return [gain for gain in gains if gain > 0.0]


def _outcomes(groups: Sequence[Group]) -> dict[str, float]:
    """What became of rollouts, as shares of all."""
    rollouts = [one for group in groups for one in group.rollouts]
    count = max(1, len(rollouts))
    seen = Counter(one.outcome for one in rollouts)
    answers = [exchange for one in rollouts for exchange in one.exchanges]
    lengths = [len(one.token_ids) for one in answers]
    valid = [one for one in rollouts if one.score is not None]
    surprises = [-value for one in answers for value in one.logprobs]
    return {
        "rollouts": float(len(rollouts)),
        "improvement_rate": sum(len(_gains(group)) for group in groups) / count,
        "valid_rate": len(valid) / count,
        **{f"outcome/{outcome}": seen[outcome] / count for outcome in Outcome},
        "unique_children": len({one.digest for one in rollouts if one.digest is not None}) / count,
        "entropy": fmean(surprises) if surprises else 0.0,  # the sampled tokens' surprise: unbiased, and costs nothing
        "completions/mean_length": fmean(lengths) if lengths else 0.0,
        "completions/clipped_ratio": fmean(one.cut for one in answers) if answers else 0.0,
        "score/deviation": pstdev(one.score for one in valid if one.score is not None) if valid else 0.0,
    }
