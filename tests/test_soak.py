"""A short soak of every tier, and proof that a soak sees what is left over."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.soak import GROWTH_MIB, Snapshot, leaks, soak
from evoengine.sandboxes import probe

BEFORE = Snapshot(
    lane=0, evaluations=0, descriptors=5, rss_mib=40.0, processes_below=0, zombies=0, descriptors_below=0,
    rss_mib_below=0.0, files=0, cgroups=0,
)  # fmt: skip
DURING = replace(
    BEFORE, evaluations=100, descriptors=6, rss_mib=50.0, processes_below=2, descriptors_below=9, cgroups=2
)
AFTER = replace(BEFORE, rss_mib=50.0)


@pytest.mark.slow
@pytest.mark.parametrize("tier", [found.tier for found in probe() if found.works])
def test_honest_candidates_are_right_among_hostile_ones_and_nothing_is_left(tier: str) -> None:
    found = soak(f"jail:{tier}", evaluations=400, every=100)
    assert found.faults == []
    assert sum(found.causes.values()) == 400
    assert found.causes["ok"] > 300
    assert {"crashed", "timed_out", "stalled", "flooded"} <= set(found.causes)


@pytest.mark.slow
def test_a_soak_without_a_jail_sees_the_files_that_candidates_leave() -> None:
    found = soak("none", evaluations=400, every=100)
    assert found.faults
    assert all("files" in fault for fault in found.faults)


def test_a_lane_that_holds_what_it_held_has_no_leak() -> None:
    assert leaks([BEFORE, DURING, DURING, AFTER]) == []


@pytest.mark.parametrize(
    ("name", "more"),
    [
        *((name, 1) for name in ("descriptors", "processes_below", "zombies", "descriptors_below", "files", "cgroups")),
        *((name, GROWTH_MIB + 0.5) for name in ("rss_mib", "rss_mib_below")),
    ],
)
def test_a_rise_between_the_first_stretch_and_the_end_is_a_leak(name: str, more: float) -> None:
    risen = replace(DURING, **{name: getattr(DURING, name) + more})
    assert name in leaks([BEFORE, DURING, risen, AFTER])[0]


@pytest.mark.parametrize("name", ["descriptors", "processes_below", "zombies", "descriptors_below", "files", "cgroups"])
def test_whatever_is_left_after_the_shutdown_is_a_leak(name: str) -> None:
    assert name in leaks([BEFORE, DURING, DURING, replace(AFTER, **{name: getattr(BEFORE, name) + 1})])[0]


def test_a_lane_that_died_early_is_no_success() -> None:
    assert leaks([BEFORE, DURING])
