"""The contract of archives, for all that ship, and what is particular to CVT and novelty."""

from __future__ import annotations

import math
import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evoengine.archives import Archive
from evoengine.archives._neighbours import Neighbours
from evoengine.errors import SettingError
from evoengine.plugins import build, plugins
from evoengine.testing import ArchiveContract
from evoengine.types import Feature, Program, Scored
from plugins.archives.cvt import Cvt
from plugins.archives.novelty import NoveltyArchive

pytestmark = pytest.mark.slow

VARIANTS = [
    {"use": "grid"},
    {"use": "grid", "bounds": "adaptive", "qd_offset": -3.0},
    {"use": "cvt", "cells": 30, "samples": 900},
    {"use": "cvt", "cells": 1, "samples": 1},
    {"use": "novelty", "threshold": 0.2, "k": 3, "qd_offset": 2.0},
    {"use": "novelty", "threshold": 0.1, "k": 2, "capacity": 6},
]


def test_every_archive_that_ships_is_among_the_variants() -> None:
    assert {plugin.name for plugin in plugins("archives")} == {variant["use"] for variant in VARIANTS}


class TestEveryArchive(ArchiveContract):
    @pytest.fixture(params=VARIANTS, ids=str)
    def archive(self, request: pytest.FixtureRequest) -> Archive:
        made = build("archives", request.param)
        assert isinstance(made, Archive)
        return made


AXES = (Feature(name="x", low=0.0, high=10.0), Feature(name="y", low=-1.0, high=1.0))


def at(x: float, y: float, score: float = 0.0) -> Scored:
    return Scored(score=score, features={"x": x, "y": y})


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.floats(-5, 15), st.floats(-2, 2)), min_size=1, max_size=30))
def test_a_cvt_cell_is_that_of_the_nearest_centroid(points: list[tuple[float, float]]) -> None:
    archive = Cvt(cells=25, samples=500)
    archive.open(AXES)
    centroids = archive.centroids.tolist()
    for x, y in points:
        here = (min(1.0, max(0.0, x / 10)), min(1.0, max(0.0, (y + 1) / 2)))
        [cell] = archive.cell(at(x, y))
        assert math.dist(here, centroids[cell]) == pytest.approx(min(math.dist(here, one) for one in centroids))


def test_centroids_are_spread_evenly_and_follow_from_the_seed_alone() -> None:
    def made(seed: int) -> Cvt:
        archive = Cvt(cells=20, samples=4000, seed=seed)
        archive.open(AXES)
        return archive

    one, same, other = made(1).centroids, made(1).centroids, made(2).centroids
    assert (one == same).all()
    assert (one != other).any()
    rng = random.Random(4)
    shares = Counter(made(1).cell(at(rng.uniform(0, 10), rng.uniform(-1, 1))) for _ in range(4000))
    assert len(shares) == 20
    assert max(shares.values()) < 3 * min(shares.values())
    assert ((one >= 0) & (one <= 1)).all()


def test_a_cvt_without_features_has_one_cell() -> None:
    archive = Cvt(cells=10, samples=10)
    archive.open(())
    for number, score in enumerate((1.0, 3.0, 2.0), start=1):
        archive.add(number, Program.of(f"# {number}"), Scored(score=score))
    assert [elite.number for elite in archive] == [2]
    assert archive.coverage == 1.0


def test_fewer_samples_than_cells_are_refused() -> None:
    with pytest.raises(SettingError, match="samples"):
        Cvt(cells=100, samples=99)
    with pytest.raises(SettingError, match="samples"):
        Cvt(cells=1_000_000)


def brute_force(offers: list[Scored], threshold: float, k: int, capacity: int | None) -> list[int]:
    """Who is in the archive in the end, by its places, from the definition."""
    held: list[tuple[int, Scored]] = []
    for number, scored in enumerate(offers, start=1):
        here = (scored.features["x"] / 10, (scored.features["y"] + 1) / 2)
        distances = [
            (math.dist(here, (one.features["x"] / 10, (one.features["y"] + 1) / 2)), place)
            for place, (_, one) in enumerate(held)
        ]
        nearest = sorted(distances)[:k]
        room = capacity is None or len(held) < capacity
        if not held or (room and nearest[0][0] > 0 and sum(d for d, _ in nearest) / len(nearest) > threshold):
            held.append((number, scored))
        elif scored.score > held[nearest[0][1]][1].score:
            held[nearest[0][1]] = (number, scored)
    return [number for number, _ in held]


def test_the_novelty_archive_takes_in_what_the_definition_says() -> None:
    # enough offers for the tree to be built many times over; none lies within rounding of the threshold
    for seed, (threshold, k, capacity) in enumerate([(0.01, 1, None), (0.05, 5, None), (0.01, 3, 120), (0.0, 2, None)]):
        rng = random.Random(seed)
        offers = [at(rng.uniform(-1, 11), rng.uniform(-1, 1), rng.random()) for _ in range(600)]
        archive = NoveltyArchive(threshold=threshold, k=k, capacity=capacity)
        archive.open(AXES)
        for number, scored in enumerate(offers, start=1):
            archive.add(number, Program.of(f"# {number}"), scored)
        assert [elite.number for elite in archive] == brute_force(offers, threshold, k, capacity)
        assert [elite.cell for elite in archive] == [(place,) for place in range(len(archive))]


def test_the_coverage_of_a_novelty_archive_is_of_its_capacity_or_its_reference() -> None:
    for settings_, expected in (({"capacity": 8}, 0.5), ({"reference": 16}, 0.25), ({"reference": 2}, 1.0)):
        archive = NoveltyArchive(**settings_)
        archive.open(AXES)
        for number in range(1, 5):
            archive.add(number, Program.of(f"# {number}"), at(2.0 * number, 0.0))
        assert archive.coverage == expected


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=120),
    st.integers(1, 8),
)
def test_neighbours_are_those_of_a_linear_search_with_ties_by_serial_number(
    moves: list[tuple[int, int, int]], k: int
) -> None:
    neighbours, points = Neighbours(2), []
    for serial, x, y in moves:
        serial = min(serial, len(points))
        points[serial : serial + 1] = [(float(x), float(y))]
        neighbours.put(serial, points[serial])
    for x in range(5):
        expected = sorted((math.dist((x, 2.0), point), serial) for serial, point in enumerate(points))[:k]
        found = neighbours.nearest((float(x), 2.0), k)
        assert [serial for _, serial in found] == [serial for _, serial in expected]
        assert [distance for distance, _ in found] == pytest.approx([distance for distance, _ in expected])


def test_points_that_have_moved_away_hide_nobody_behind_them() -> None:
    rng = random.Random(8)
    neighbours, points = Neighbours(2), [(rng.random(), rng.random()) for _ in range(400)]
    for serial, point in enumerate(points):
        neighbours.put(serial, point)
    for centre in ((0.2, 0.2), (0.8, 0.3), (0.5, 0.9)):
        for _, serial in neighbours.nearest(centre, 12):  # the nearest go to the other side
            points[serial] = (1.0 + rng.random(), 1.0)
            neighbours.put(serial, points[serial])
        expected = sorted((math.dist(centre, point), serial) for serial, point in enumerate(points))[:5]
        assert [serial for _, serial in neighbours.nearest(centre, 5)] == [serial for _, serial in expected]
