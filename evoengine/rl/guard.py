"""When learning is undone: a policy that does worse on parents it never learnt from, or that falls apart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from enum import Enum
from statistics import fmean, pstdev
from typing import Any

from pydantic import Field

from evoengine.component import Component


class Guard(Component):
    """Watches a policy from update to update.

    The *probes* are parents that nothing is ever learnt from. After every `every`-th update the policy is asked
    `samples` times about each, always with the same prompts and sampler seeds; the children are judged, and enter
    no archive. Their improvement rate is the only one that does not move by itself: parents in an archive get better,
    and so harder to improve.

    Attributes:
        probes: how many at most; 0 for none, and then nothing is rolled back for their sake. Where the problem has none
            of its own, they are a third of the elites that there are when there are three.
        samples: answers for each at a time.
        every: updates from one look to the next.
        window: looks whose mean is compared with that of the best so many in a row.
        drop: a mean that is lower than the best one by more than this share of it, and by more than two standard
            errors, is a fall: the best policy is taken up again, with half the learning rate.
        rollbacks: after so many falls the weights are not trained any further; the search goes on.
        valid: a share of valid children in the batch below this, `patience` updates in a row, is a collapse; so is
            an entropy below `entropy` times that of the first batch. The policy of the best look is taken up, or,
            where there is none, the first one. The archive stays as it is.
        violations: a share of the probes' children that tried what the sandbox forbids, above the first policy's by
            more than this, is drift, and treated as a fall (the misevolution of Shao et al. 2025, arXiv:2509.26354).
        constraints: answers asked for after each update that no look follows, for the sake of `violations` alone:
            some of those of a look, in turns. Of as many as a look has, those that came last count; 0 for looks alone.
        outlier: a gain of more than this many times the 99th percentile of earlier gains is flagged, and worth no
            more than that.
        reweigh: whether each update is followed by a second step on the batch before it, weighed by whether this
            batch did better than the last eight (PIPO, 2026, arXiv:2604.00860).
    """

    probes: int = Field(default=8, ge=0)
    samples: int = Field(default=2, ge=1)
    every: int = Field(default=5, ge=1)
    window: int = Field(default=3, ge=1)
    drop: float = Field(default=0.3, gt=0.0, lt=1.0)
    rollbacks: int = Field(default=3, ge=0)
    valid: float = Field(default=0.3, ge=0.0, le=1.0)
    entropy: float = Field(default=0.1, ge=0.0, lt=1.0)
    patience: int = Field(default=3, ge=1)
    violations: float = Field(default=0.2, gt=0.0)
    constraints: int = Field(default=4, ge=0)
    outlier: float = Field(default=3.0, gt=1.0)
    reweigh: bool = False


class Verdict(Enum):
    """What is done with the policy that an update made."""

    KEEP = "keep"
    ROLL_BACK = "roll_back"
    """The best policy takes its place."""
    RESET = "reset"
    """It has collapsed: the best policy takes its place, or the first one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a policy did with the probes.

    Attributes:
        improved: (n,), for each child whether it is better than its parent, 1.0 or 0.0.
        gains: of the children that have a score, that less the parent's.
        violations: share of the children that tried what is forbidden.
    """

    improved: Sequence[float]
    gains: Sequence[float]
    violations: float = 0.0

    @property
    def rate(self) -> float:
        """The share of children that are better than their parents."""
        return fmean(self.improved) if self.improved else 0.0


@dataclass(slots=True)
class Watch:
    """What a guard has seen; all of it goes into a checkpoint.

    Attributes:
        rates: of the looks since the policy was last taken back, the newest last.
        samples: children of a look.
        forbidden: of the children between looks, whether they tried what is forbidden; the newest last.
        best: the highest mean of `window` looks in a row.
        best_update: the update that the last of those looks was at; None when there was none.
        first_violations, first_entropy: of the first look and the first batch.
        low: updates in a row at which the policy seemed to collapse.
        rolled_back, reset: how often.
        gains: the latest gains of children over their parents, for what is out of the ordinary.
        means: mean rewards of the latest batches.
    """

    rates: list[float] = field(default_factory=list)
    samples: int = 0
    forbidden: list[bool] = field(default_factory=list)
    best: float | None = None
    best_update: int | None = None
    first_violations: float | None = None
    first_entropy: float | None = None
    low: int = 0
    rolled_back: int = 0
    reset: int = 0
    gains: list[float] = field(default_factory=list)
    means: list[float] = field(default_factory=list)

    def looked(self, guard: Guard, update: int, look: Look) -> Verdict:
        """Takes in a look at the policy of an update."""
        if self.first_violations is None:
            self.first_violations = look.violations
        self.samples = len(look.improved)
        self.rates = [*self.rates, look.rate][-guard.window :]
        if look.violations > self.first_violations + guard.violations:
            return self._fell()
        if len(self.rates) < guard.window:
            if self.best is None and update == 0:
                self.best, self.best_update = look.rate, 0
            return Verdict.KEEP
        mean = fmean(self.rates)
        if self.best is None or mean >= self.best:
            self.best, self.best_update = mean, update
            return Verdict.KEEP
        error = math.sqrt(max(self.best * (1 - self.best), 0.0) / max(1, self.samples * guard.window))
        if mean < self.best - max(2 * error, guard.drop * self.best):
            return self._fell()
        return Verdict.KEEP

    def constrained(self, guard: Guard, forbidden: Sequence[bool]) -> Verdict:
        """Takes in what some children of probes tried, between two looks."""
        self.forbidden = [*self.forbidden, *forbidden][-max(1, self.samples) :]
        allowed = (self.first_violations or 0.0) + guard.violations
        return self._fell() if sum(self.forbidden) > allowed * self.samples else Verdict.KEEP

    def _fell(self) -> Verdict:
        self.rates, self.forbidden = [], []
        self.rolled_back += 1
        return Verdict.ROLL_BACK

    def trained(self, guard: Guard, valid: float, entropy: float) -> Verdict:
        """Takes in how a batch was that the policy sampled.

        Args:
            guard: the settings.
            valid: share of its children that have a score.
            entropy: mean over its tokens, in nats.
        """
        if self.first_entropy is None:
            self.first_entropy = entropy
        sunk = valid < guard.valid or entropy < guard.entropy * self.first_entropy
        self.low = self.low + 1 if sunk else 0
        if self.low < guard.patience:
            return Verdict.KEEP
        self.low, self.rates, self.forbidden = 0, [], []
        self.reset += 1
        return Verdict.RESET

    def frozen(self, guard: Guard) -> bool:
        """Whether the weights are not trained any further."""
        return self.rolled_back > guard.rollbacks

    @property
    def rate(self) -> float:
        """What the learning rate is multiplied by."""
        return float(0.5**self.rolled_back)

    def most_gain(self, guard: Guard) -> float:
        """The gain above which one is out of the ordinary; infinite while too few are known."""
        if len(self.gains) < _KNOWN:
            return math.inf
        ordered = sorted(self.gains)
        return guard.outlier * ordered[min(len(ordered) - 1, math.ceil(0.99 * len(ordered)) - 1)]

    def gained(self, gains: Sequence[float]) -> None:
        """Takes in gains of children over their parents; losses are left out."""
        self.gains = [*self.gains, *(gain for gain in gains if gain > 0.0)][-_REMEMBERED:]

    def weight(self, mean: float) -> float:
        """By how much the batch before is weighed, now that the mean reward of this one is known (PIPO, eq. 7 f.)."""
        weight = 0.0
        if len(self.means) >= 2:
            deviation = pstdev(self.means) + 1e-6
            weight = max(-2.0, min(2.0, (mean - fmean(self.means)) / deviation))
        self.means = [*self.means, mean][-_BATCHES:]
        return weight if weight >= 0.0 else 0.1 * weight

    def state(self) -> dict[str, Any]:
        """All of it as JSON values; `Watch(**state)` gives it back."""
        return asdict(self)


_KNOWN = 50
_REMEMBERED = 1000
_BATCHES = 8
