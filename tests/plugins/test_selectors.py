"""The contract of selectors, for all that ship."""

from __future__ import annotations

import pytest

from evoengine.plugins import build, plugins
from evoengine.selectors.base import Selector
from evoengine.testing import SelectorContract

pytestmark = pytest.mark.slow

NAMES = sorted(plugin.name for plugin in plugins("selectors"))


def test_all_ten_are_found() -> None:
    core = {"uniform", "tournament", "rank", "softmax"}
    assert set(NAMES) == core | {"novelty", "curiosity", "pareto", "ucb_tree", "puct", "clade_thompson"}


class TestEverySelector(SelectorContract):
    @pytest.fixture(params=NAMES)
    def selector(self, request: pytest.FixtureRequest) -> Selector:
        made = build("selectors", request.param)
        assert isinstance(made, Selector)
        return made
