"""Which tiers work on this machine: each is tried for real."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from evoengine.errors import SandboxError
from evoengine.sandboxes._forkserver import ForkServer
from evoengine.sandboxes._tiers import tiers_here, walls_of


@dataclass(frozen=True, slots=True)
class Probed:
    """Whether a tier works here, and why not or what it does."""

    tier: str
    works: bool
    why: str


def probe() -> list[Probed]:
    """Every tier that is made for this kind of machine, best first."""
    return list(_tried())


_best: list[str] = []


def best_tier() -> str:
    """The best tier that works on this machine, found out once for each process.

    Raises:
        SandboxError: none works; the message says why, and what can be done.
    """
    if not _best:
        failed = []
        for found in _tried():
            if found.works:
                _best.append(found.tier)
                break
            failed.append(f"{found.tier}: {found.why}")
        else:
            raise SandboxError(
                "nothing on this machine can hold a hostile program (" + "; ".join(failed) + "). Use a Linux of "
                "5.13 or later with Landlock, or accept the risk with --sandbox none."
            )
    return _best[0]


def _tried() -> Iterator[Probed]:
    """Every tier, best first, each tried when it is asked for."""
    for tier, about in tiers_here().items():
        try:
            ForkServer((), walls_of(tier)).close()
        except SandboxError as error:
            yield Probed(tier, False, str(error))
        else:
            yield Probed(tier, True, about)
