"""The contract of archives, for all that ship, and what is particular to CVT and novelty."""

from __future__ import annotations

import pytest

from evoengine.archives import Archive
from evoengine.plugins import build, plugins
from evoengine.testing import ArchiveContract

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
