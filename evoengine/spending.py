"""What a run has spent and may yet spend, so that it ends before the same proposal whatever happens to finish first."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from evoengine.events import Progress
from evoengine.stopping import Stop
from evoengine.types import Draft


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What a proposal costs at most.

    Attributes:
        calls: judged calls; at least one is counted for every record.
        money: US dollars.
    """

    calls: int = 1
    tokens: int = 0
    money: float = 0.0


class Spending:
    """Decides whether the next proposal may be begun.

    A stop condition is asked about the progress as it was when the proposal was drafted, but for what has been
    spent: that is known exactly only when all proposals before it are records. So it is asked twice, with the least
    and with the most that those in flight can cost. Where the answers differ the proposal waits.

    Args:
        price: of a draft, at most.
        dearest: of all drafts.
        now: where the campaign stands, by its records.
        lasted: seconds since the run began.
    """

    def __init__(
        self,
        *,
        price: Callable[[Draft], Price],
        dearest: Price,
        now: Callable[[], Progress],
        lasted: Callable[[], float],
    ) -> None:
        self._price, self._dearest, self._now, self._lasted = price, dearest, now, lasted

    def halts(self, condition: Stop, at: Progress, draft: Draft) -> str | None:
        """Why the run should end before a draft, going by what is spent for sure."""
        return condition.reason(self._ahead(at, draft, Price(calls=0)))

    def waits(self, condition: Stop, at: Progress, draft: Draft, flight: Collection[Draft]) -> bool:
        """Whether what is in flight may spend so much that the run should end before this draft."""
        if self._dearest == Price():
            return False
        most = self._dearest
        rough = Price(
            calls=len(flight) * (most.calls - 1), tokens=len(flight) * most.tokens, money=len(flight) * most.money
        )
        if condition.reason(self._ahead(at, draft, rough)) is None:
            return False  # a quick look, since most runs are far from their end
        prices = [self._price(one) for one in flight]
        exact = Price(
            calls=sum(one.calls - 1 for one in prices),
            tokens=sum(one.tokens for one in prices),
            money=sum(one.money for one in prices),
        )
        return condition.reason(self._ahead(at, draft, exact)) is not None

    def _ahead(self, at: Progress, draft: Draft, dearer: Price) -> Progress:
        now, before = self._now(), draft.number - 1
        return replace(
            at,
            records=before,
            evaluations=now.evaluations + (before - now.records) + dearer.calls,
            tokens=now.tokens + dearer.tokens,
            money=now.money + dearer.money,
            seconds=self._lasted(),
        )
