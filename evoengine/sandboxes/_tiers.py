"""What a machine offers to hold a candidate with."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from evoengine.errors import SandboxError

Tier: TypeAlias = Literal["T1", "T2", "T3", "T4"]

_PLATFORM = sys.platform

TIERS: dict[Tier, str] = {
    "T1": "control groups around T2: memory of every kind and processes are held by the kernel",
    "T2": "namespaces of its own around T3: no file, process or network of the machine is there",
    "T3": "Landlock, seccomp and limits: nothing can be opened, reached or started",
    "T4": "macOS's Seatbelt and limits, best effort, never tried by its authors: memory is looked at, not held",
}
UNCONFINED = "none"
SCRATCH = "/jail"
"""Where a candidate that may have files finds its folder, inside namespaces; as `sandbox/walls.py` has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Walls:
    """What a warm process is told to put up.

    Attributes:
        tier: the name that is recorded.
        groups: whether it lives in a control group.
        portable: whether it does without what only Linux has, behind Seatbelt if it is confined.
        without: layers that are left out, for tests of what each is for.
    """

    tier: str
    groups: bool = False
    namespaces: bool = False
    confined: bool = True
    portable: bool = False
    without: tuple[str, ...] = ()

    def request(self) -> dict[str, Any]:
        """As the warm process takes it."""
        root = os.geteuid() == 0
        namespaces = self.namespaces and "namespaces" not in self.without
        return {
            "namespaces": ("root" if root else "user") if namespaces else "",
            "walls": self.confined,
            "user": root and self.confined and "user" not in self.without,
            "without": list(self.without),
            "sacrifice": self.groups,
        }


def tiers_here() -> dict[Tier, str]:
    """The tiers that are made for this kind of machine, best first, and what they are."""
    return {tier: about for tier, about in TIERS.items() if (tier == "T4") == (_PLATFORM == "darwin")}


def walls_of(tier: str, without: tuple[str, ...] = ()) -> Walls:
    """The walls of a tier.

    Raises:
        SandboxError: there is no such tier, or it is made for another kind of machine.
    """
    if tier in TIERS and tier not in tiers_here():
        system = "macOS" if tier == "T4" else "Linux"
        raise SandboxError(f"tier {tier} needs {system}; on {_PLATFORM} there are: {', '.join(tiers_here())}")
    match tier:
        case "T1":
            return Walls(tier=tier, groups="cgroup" not in without, namespaces=True, without=without)
        case "T2":
            return Walls(tier=tier, namespaces=True, without=without)
        case "T3":
            return Walls(tier=tier, without=without)
        case "T4":
            return Walls(tier=tier, portable=True, without=without)
        case _ if tier == UNCONFINED:
            return Walls(tier=tier, confined=False, portable=_PLATFORM == "darwin")
    raise SandboxError(f"there is no tier {tier!r}; there are {', '.join(TIERS)}")


def readable_folders() -> list[str]:
    """Where the interpreter and the libraries of the system lie, and what runs inside."""
    import site

    from evoengine.paths import bundled

    wanted = [
        sys.base_prefix, sys.base_exec_prefix, sys.prefix, sys.exec_prefix, *site.getsitepackages(),
        str(bundled("sandbox")), "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache",
        "/usr/share/zoneinfo",
    ]  # fmt: skip
    return [path for path in dict.fromkeys(wanted) if os.path.exists(path)]
