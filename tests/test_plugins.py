"""Plugins are found by name or path, without importing what is not asked for."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from evoengine.errors import PluginError, SettingError
from evoengine.operators.base import Conversation, NoChild, Operator
from evoengine.plugins import BASES, build, find, load, name_of, plugins
from evoengine.types import Draft

OPERATOR = """
from evoengine.operators import NoChild, Operator

class Mine(Operator):
    strength: float = 1.0

    def breed(self, draft):
        raise NoChild("never")
        yield
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plugins" / "operators").mkdir(parents=True)
    (tmp_path / "plugins" / "operators" / "mine.py").write_text(OPERATOR)
    return tmp_path


def test_a_file_in_the_user_s_folder_is_a_plugin(here: Path) -> None:
    operator = build("operators", {"use": "mine", "strength": 2.0})
    assert operator.strength == 2.0
    assert find("operators", "mine").origin == "local"


def test_a_path_is_a_plugin(here: Path) -> None:
    assert load("operators", str(here / "plugins" / "operators" / "mine.py")).__name__ == "Mine"
    assert load("operators", "./plugins/operators/mine.py") is load("operators", "mine")


def test_listing_imports_nothing(here: Path) -> None:
    (here / "plugins" / "operators" / "loud.py").write_text("raise RuntimeError('imported')\n")
    before = set(sys.modules)
    for kind in BASES:
        plugins(kind)
    assert {name for name in set(sys.modules) - before if "plugin" in name} == set()
    assert "loud" in {plugin.name for plugin in plugins("operators")}


def test_two_claims_to_a_name_are_an_error_that_names_both(here: Path) -> None:
    (here / "plugins" / "selectors").mkdir()
    (here / "plugins" / "selectors" / "uniform.py").write_text("")
    with pytest.raises(PluginError, match=r"claimed by .*selectors.uniform\.py and .*uniform\.py"):
        find("selectors", "uniform")


def test_an_unknown_name_lists_the_known_ones_and_the_nearest(here: Path) -> None:
    with pytest.raises(PluginError, match=r"there are: .*mine.*structural.*Did you mean 'structural'"):
        load("operators", "structual")


def test_a_plugin_that_fails_to_import_says_where_and_why(here: Path) -> None:
    (here / "plugins" / "operators" / "bad.py").write_text("import nowhere_to_be_found\n")
    with pytest.raises(PluginError, match=r"bad\.py fails to import: ModuleNotFoundError"):
        load("operators", "bad")


def test_a_file_without_a_class_or_with_two_is_refused(here: Path) -> None:
    (here / "plugins" / "operators" / "none.py").write_text("x = 1\n")
    (here / "plugins" / "operators" / "two.py").write_text(OPERATOR + OPERATOR.replace("Mine", "Other"))
    with pytest.raises(PluginError, match="defines no subclass of Operator"):
        load("operators", "none")
    with pytest.raises(PluginError, match=r"several of Operator \(Mine, Other\)"):
        load("operators", "two")


def test_an_unknown_setting_names_the_known_ones(here: Path) -> None:
    with pytest.raises(
        SettingError, match=r"Mine has no setting 'strenght'; it has: strength. Did you mean 'strength'"
    ):
        build("operators", {"use": "mine", "strenght": 2.0})
    with pytest.raises(SettingError, match="'strength'"):
        build("operators", {"use": "mine", "strength": "much"})


def test_every_core_and_bundled_plugin_loads() -> None:
    for kind in BASES:
        for plugin in plugins(kind):
            assert load(kind, plugin.name)


@pytest.mark.parametrize("kind", ["archives", "selectors", "operators", "stores", "executors"])
def test_a_part_goes_by_the_name_under_which_it_is_found_again(kind: str) -> None:
    for plugin in plugins(kind):
        assert name_of(kind, build(kind, plugin.name)) == plugin.name


def test_a_part_from_a_path_goes_by_its_path_and_one_of_no_plugin_by_its_class(here: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "far" / "other.py"
    elsewhere.parent.mkdir()
    elsewhere.write_text(OPERATOR)
    assert name_of("operators", build("operators", "mine")) == "mine"
    assert build("operators", name_of("operators", build("operators", str(elsewhere)))).strength == 1.0

    class Typed(Operator):
        def breed(self, draft: Draft) -> Conversation:
            raise NoChild("never")
            yield

    assert name_of("operators", Typed()) == "typed"
