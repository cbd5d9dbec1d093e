"""Verbs around problems and plugins."""

from __future__ import annotations

import keyword
import os
import platform
import re
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import click

from evoengine.cli.invocation import invocation
from evoengine.cli.output import FORMAT, print_one, print_rows
from evoengine.errors import EvoengineError, PluginError
from evoengine.examining import examine
from evoengine.plugins import BASES, build, load, plugins
from evoengine.problem import Problem
from evoengine.sandboxes import probe

_TEMPLATE = '''"""{title}: say here what is to be found."""

from evoengine import Feature, Problem, Reject, Score


class {title}(Problem):
    name = "{name}"
    goal = "Write points(n) -> n numbers between 0 and 1 that are as far apart from each other as can be."
    entry = "points"
    seed = "def points(n):\\n    return [0.5 + 0.1 * i / n for i in range(n)]\\n"
    features = (Feature(name="mean", low=0.0, high=1.0, bins=20), Feature(name="length", low=0, high=1000, bins=10))

    def inputs(self):
        return [(5,)]  # what points() is called with: one tuple of arguments for each instance

    def judge(self, outputs):
        [points] = outputs  # untrusted: check everything, believe nothing that it says of itself
        if not isinstance(points, list) or len(points) != 5:
            raise Reject("expected a list of 5 numbers")
        if not all(type(x) is float and 0 <= x <= 1 for x in points):
            raise Reject("expected floats between 0 and 1")
        gaps = [b - a for a, b in zip(sorted(points), sorted(points)[1:])]
        return Score(min(gaps), mean=sum(points) / 5)
'''


@click.group("new")
def new_command() -> None:
    """Start something of your own from a template."""


@new_command.command("problem")
@click.argument("name")
@click.option("--folder", type=click.Path(path_type=Path), default=Path("problems"), show_default=True)
def new_problem_command(name: str, folder: Path) -> None:
    """Write problems/NAME.py: a whole problem of about twenty lines, ready to be changed."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise click.UsageError(f"a problem's name is a lower-case Python name such as my_problem, got {name!r}.")
    if any(plugin.name == name for plugin in plugins("problems")):
        raise PluginError(f"there is a problem called {name!r} already; choose another name.")
    path = folder / f"{name}.py"
    title = "".join(part.capitalize() for part in name.split("_"))
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(_TEMPLATE.format(name=name, title=title), encoding="utf-8")
    click.echo(path)
    where = name if folder == Path("problems") else path
    click.echo(f"next: {invocation()} check {where} && {invocation()} run {where} --seconds 20", err=True)


@click.command("check")
@click.argument("problem")
@click.option("--sandbox", default="jail", show_default=True, help="Where candidates run.")
@FORMAT
def check_command(problem: str, sandbox: str, form: str) -> int:
    """Prove that PROBLEM's seeds score, score the same again, and that hostile outputs gain nothing."""
    made: Problem = build("problems", problem)
    findings = list(examine(made, build("sandboxes", sandbox)))
    rows = [{"holds": "yes" if one.holds else "NO", "what": one.what, "detail": one.detail} for one in findings]
    print_rows(rows, form)
    return 0 if all(one.holds for one in findings) else 1


@click.command("problems")
@FORMAT
def problems_command(form: str) -> None:
    """The problems that `evoengine run` finds by name."""
    rows = []
    for plugin in plugins("problems"):
        row: dict[str, Any] = {"problem": plugin.name, "origin": plugin.origin, "goal": "", "best_known": None}
        try:
            problem: Problem = build("problems", plugin.name)
            row["goal"] = problem.goal
            row["best_known"] = None if problem.best_known is None else problem.best_known.value
        except EvoengineError as error:
            row["goal"] = f"cannot be loaded: {error}"
        rows.append({**row, "place": plugin.place})
    print_rows(rows, form, ["problem", "best_known", "goal"])


@click.command("plugins")
@click.argument("kind", required=False, type=click.Choice(list(BASES)))
@click.option("--settings", is_flag=True, help="Show each plugin's settings too (imports them).")
@FORMAT
def plugins_command(kind: str | None, settings: bool, form: str) -> None:
    """The plugins of every kind, or of KIND. Imports nothing unless asked for settings."""
    rows = []
    for one in [kind] if kind else BASES:
        for plugin in plugins(one):
            row: dict[str, Any] = {"kind": one, "name": plugin.name, "origin": plugin.origin, "place": plugin.place}
            if settings:
                fields = load(one, plugin.name).model_fields
                row["settings"] = {name: repr(field.default) for name, field in fields.items()}
            rows.append(row)
    print_rows(rows, form, ["kind", "name", "origin", "settings"] if settings else ["kind", "name", "origin", "place"])


_PACKAGES = ("numpy", "scipy", "pydantic", "libcst", "sqlite-utils", "cmaes", "torch", "vllm", "transformers", "ray")


@click.command("doctor")
@FORMAT
def doctor_command(form: str) -> None:
    """What this machine offers, and which parts of evoengine can be used on it."""
    row: dict[str, Any] = {
        "evoengine": version("evoengine") if _installed("evoengine") else "from a checkout",
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "user": "root" if hasattr(os, "geteuid") and os.geteuid() == 0 else "ordinary",
        "executable": sys.executable,
    }
    for package in _PACKAGES:
        row[package] = version(package) if _installed(package) else "not installed"
    for tier in probe():
        row[f"sandbox {tier.tier}"] = f"works: {tier.why}" if tier.works else f"not here: {tier.why}"
    print_one(row, form)


def _installed(package: str) -> bool:
    try:
        version(package)
    except PackageNotFoundError:
        return False
    return True
