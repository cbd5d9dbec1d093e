"""Candidates in plain worker processes: limits and clean kills, but no isolation from the machine."""

from __future__ import annotations

from evoengine.sandboxes._tiers import UNCONFINED, Walls, walls_of
from evoengine.sandboxes._warm import WarmSandbox


class Unconfined(WarmSandbox):
    """Runs every candidate in a process of its own, forked from a warm one.

    CPU time, memory, answers and output are limited, and everything a candidate started is killed with it.
    It is no jail: a candidate can read what this user can read, and reach the network.
    """

    @property
    def held(self) -> str:
        return UNCONFINED

    def _walls(self) -> Walls:
        return walls_of(UNCONFINED)
