"""The jail: what a machine offers to keep hostile programs from everything but their own computing."""

from __future__ import annotations

from typing import Literal

from pydantic import PrivateAttr

from evoengine.sandboxes._probe import best_tier
from evoengine.sandboxes._tiers import Walls, walls_of
from evoengine.sandboxes._warm import WarmSandbox


class Jail(WarmSandbox):
    """Runs every candidate in a process of its own behind walls that were tried before it is let in.

    Attributes:
        tier: "T1" to "T3" (Linux) or "T4" (macOS) for just that one; "auto" takes the best that works on this machine,
            and fails when none does.
        memory_mib: what any candidate may use at most; the problem's own limit holds where it is lower.
    """

    tier: Literal["auto", "T1", "T2", "T3", "T4"] = "auto"

    _without: tuple[str, ...] = PrivateAttr(default=())
    _chosen: Walls | None = PrivateAttr(default=None)

    @property
    def held(self) -> str:
        return "" if self._chosen is None else self._chosen.tier

    def _walls(self) -> Walls:
        if self._chosen is None:
            self._chosen = walls_of(best_tier() if self.tier == "auto" else self.tier, self._without)
        return self._chosen
