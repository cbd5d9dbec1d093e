"""The jail: what a machine offers to keep hostile programs from everything but their own computing."""

from __future__ import annotations

from typing import Literal

from pydantic import PrivateAttr

from evoengine.errors import SandboxError
from evoengine.sandboxes._forkserver import ForkServer
from evoengine.sandboxes._tiers import TIERS, Walls, walls_of
from evoengine.sandboxes._warm import WarmSandbox


class Jail(WarmSandbox):
    """Runs every candidate in a process of its own behind walls that were tried before it is let in.

    Attributes:
        tier: "T1" to "T3" for just that one; "auto" takes the best that works on this machine, and fails when
            none does.
        memory_mib: what any candidate may use at most; the problem's own limit holds where it is lower.
    """

    tier: Literal["auto", "T1", "T2", "T3"] = "auto"

    _without: tuple[str, ...] = PrivateAttr(default=())
    _chosen: Walls | None = PrivateAttr(default=None)

    @property
    def held(self) -> str:
        return "" if self._chosen is None else self._chosen.tier

    def _walls(self) -> Walls:
        if self._chosen is None:
            self._chosen = walls_of(best_tier() if self.tier == "auto" else self.tier, self._without)
        return self._chosen


_best: list[str] = []


def best_tier() -> str:
    """The best tier that works on this machine, found out once for each process.

    Raises:
        SandboxError: none works; the message says why, and what can be done.
    """
    if not _best:
        reasons = []
        for tier in TIERS:
            try:
                ForkServer((), walls_of(tier)).close()
            except SandboxError as error:
                reasons.append(f"{tier}: {error}")
            else:
                _best.append(tier)
                break
        else:
            raise SandboxError(
                "nothing on this machine can hold a hostile program (" + "; ".join(reasons) + "). Use a Linux of "
                "5.13 or later with Landlock, or accept the risk with --sandbox none."
            )
    return _best[0]
