"""What people decide, on its way from the store's queue to the log."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import replace
from typing import TypeAlias

from evoengine.events import Progress
from evoengine.fold import Fold
from evoengine.proposing import Proposal
from evoengine.steering import descendants
from evoengine.stores.base import CampaignRow, Store
from evoengine.types import Action, ActionKind, Cause, Draft, Failed

Drafts: TypeAlias = deque[tuple[Draft, Progress]]
_LOOK_SECONDS = 0.25
"""From one look at the queue to the next. When a decision is seen follows from a clock, as when it is made; what comes
of it follows from the log, where it has a number."""


class Decisions:
    """Gives decisions the places of drafts that are not begun yet.

    Args:
        store: whose queue it is.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: deque[Action] = deque()
        self._seen = 0
        self._looked = -_LOOK_SECONDS

    def forget(self) -> None:
        """Begins anew, behind the last decision that is a record."""
        self._waiting.clear()
        self._seen, self._looked = 0, -_LOOK_SECONDS

    def placed(self, row: CampaignRow, fold: Fold, drafts: Drafts) -> None:
        """Puts what was decided in the place of the drafts that come first, in the order in which it was decided."""
        now = time.monotonic()
        if now >= self._looked + _LOOK_SECONDS:
            self._looked = now
            new = self._store.decided(row, after=max(self._seen, fold.steering.last))
            self._waiting += new
            self._seen = new[-1].place if new else self._seen
        for at, (draft, progress) in enumerate(drafts):
            if not self._waiting:
                return
            if draft.action is None:
                drafts[at] = (fold.by_hand(draft, self._waiting.popleft()), progress)

    def settled(self, row: CampaignRow, fold: Fold, proposal: Proposal) -> Proposal:
        """A proposal with what its decision comes to at this moment; all earlier records are in the store."""
        action = proposal.candidate.action
        if action is None or action.target is None:
            return proposal
        match action.kind:
            case ActionKind.QUARANTINE:
                barred = descendants(action.target, self._store.parents(row, after=action.target))
                if not fold.islands.stands_without(set(barred)):
                    return _in_vain(proposal, action, "it would have left no elite, so nothing was taken out")
                return replace(proposal, candidate=replace(proposal.candidate, action=replace(action, barred=barred)))
            case ActionKind.PIN:
                if action.target in fold.islands.barred:
                    return _in_vain(proposal, action, "it is in quarantine, so nothing was pinned")
                if fold.score(action.target) is None:
                    return _in_vain(proposal, action, "it has no score, so nothing was pinned")
        return proposal


def _in_vain(proposal: Proposal, action: Action, why: str) -> Proposal:
    candidate = replace(proposal.candidate, action=replace(action, vain=True))
    return replace(proposal, candidate=candidate, evaluation=Failed(cause=Cause.DECIDED, feedback=why))
