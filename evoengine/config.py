"""Campaigns from TOML files and flags."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from evoengine.campaign import Campaign
from evoengine.errors import SettingError

PARTS = {
    "name": "the campaign's name in the store",
    "store": "URL of the store",
    "problem": "a problem's name or path, or a table with `use` and its settings",
    "seed": "decides every random choice",
    "islands": "how many, or a table of settings",
    "archive": "what each island keeps",
    "selector": "how parents are chosen",
    "operators": "a list of ways to make a child",
    "bandit": "a table of settings of who chooses among operators",
    "executor": "where evaluations run",
    "workers": "on how many workers",
    "sandbox": "where candidates run",
    "generator": "the language model that answers operators' prompts",
    "task_model": "the language model that contexts are judged by, where a problem evolves contexts",
    "gates": "a list of what a child must pass before it is evaluated",
    "guidance": "a table of settings of the contexts that guide a model, or true or false",
    "lessons": "a table of settings of the memory of changes, or true or false",
    "trainer": "who updates the model's weights while the campaign runs",
    "mutator": "what makes proposals: evolve, or a baseline to compare it with",
    "window": "how far proposals run ahead of committed records",
    "inspirations": "how many other elites an operator is shown",
}
BUDGET = {
    "evaluations": "judged calls in all",
    "seconds": "wall time of this run",
    "tokens": "what language models may read and write in all",
    "money": "what language models may cost in all, US dollars",
    "until_score": "the problem's own value to reach",
}


def read(path: Path) -> dict[str, Any]:
    """The settings in a TOML file.

    Raises:
        SettingError: it cannot be read, is no TOML, or names an unknown setting.
    """
    try:
        settings = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingError(f"{path} cannot be read: {error.strerror}.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingError(f"{path} is not valid TOML: {error}.") from None
    _known(settings, str(path))
    return settings


def changed(settings: Mapping[str, Any], assignments: Iterable[str]) -> dict[str, Any]:
    """Settings with `key=value` assignments applied; `a.b=value` reaches into a table.

    A value is read as TOML (`8`, `0.5`, `true`, `["structural"]`) and otherwise taken as text.

    Raises:
        SettingError: an assignment is no `key=value`, or its key is unknown.
    """
    result = {key: dict(value) if isinstance(value, Mapping) else value for key, value in settings.items()}
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals or not key.strip():
            raise SettingError(f"--set takes key=value, got {assignment!r}.")
        head, *rest = key.strip().split(".")
        _known({head: None}, "--set")
        value = _value(text)
        if not rest:
            result[head] = value
            continue
        table = result.get(head)
        if not isinstance(table, dict):
            table = result[head] = _table(head, table)
        for part in rest[:-1]:
            table = table.setdefault(part, {})
            if not isinstance(table, dict):
                raise SettingError(f"--set {assignment}: {part!r} is no table.")
        table[rest[-1]] = value
    return result


def campaign_of(settings: Mapping[str, Any]) -> tuple[Campaign, dict[str, Any]]:
    """A campaign, and the budget for its `run`.

    Raises:
        SettingError, PluginError, CampaignError: a setting is wrong.
    """
    _known(settings, "the settings")
    if "problem" not in settings:
        raise SettingError("no problem is named; give one: evoengine run PROBLEM (see `evoengine problems`).")
    parts = {key: value for key, value in settings.items() if key in PARTS}
    budget = {key: value for key, value in settings.items() if key in BUDGET}
    for key, value in settings.items():
        if not _fits(key, value):
            raise SettingError(f"setting {key!r} takes {_TAKES[key]}, got {value!r}.")
    for key in ("operators", "gates"):
        if key in parts and not isinstance(parts[key], list):
            parts[key] = [parts[key]]
    return Campaign(**parts), budget


_PART = "a name, or a table with `use` and settings"
_TAKES = {
    **dict.fromkeys(("name", "store", "mutator"), "text"),
    **dict.fromkeys(("problem", "archive", "selector", "executor", "sandbox"), _PART),
    **dict.fromkeys(("generator", "task_model", "trainer"), _PART),
    "islands": "a number, or a table of settings",
    **dict.fromkeys(("operators", "gates"), "a list of names, or of tables with `use` and settings"),
    **dict.fromkeys(("guidance", "lessons"), "true, false or a table of settings"),
    "bandit": "a table of settings",
    **dict.fromkeys(("seed", "window", "inspirations", "workers", "evaluations", "tokens"), "a whole number"),
    **dict.fromkeys(("seconds", "money", "until_score"), "a number"),
}


def _fits(key: str, value: Any) -> bool:
    match _TAKES[key]:
        case "text":
            return isinstance(value, str)
        case "a whole number":
            return _whole(value)
        case "a number":
            return _whole(value) or (isinstance(value, float) and math.isfinite(value))
        case "a table of settings":
            return isinstance(value, Mapping)
    match key:
        case "islands":
            return _whole(value) or isinstance(value, Mapping)
        case "operators" | "gates" if isinstance(value, list):
            return all(isinstance(one, str | Mapping) for one in value)
        case "guidance" | "lessons":
            return isinstance(value, bool | Mapping)
    return isinstance(value, str | Mapping)


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _known(settings: Mapping[str, Any], where: str) -> None:
    known = [*PARTS, *BUDGET]
    for key in settings:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise SettingError(f"{where}: there is no setting {key!r}; there are: {', '.join(known)}.{hint}")


def _table(head: str, value: Any) -> dict[str, Any]:
    match value:
        case None:
            return {}
        case str():
            return {"use": value}
        case int() if head == "islands":
            return {"count": value}
        case _:
            raise SettingError(f"--set {head}.…: {head!r} is {value!r}, which is no table.")


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text.strip()
