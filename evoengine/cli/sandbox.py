"""Verbs around the sandbox: run one program in it, and try it out with attacks."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console

from evoengine.cli.output import FORMAT, plain, print_one, print_rows
from evoengine.plugins import build
from evoengine.sandboxes.base import CandidateError, Job, Outcome, Sandbox
from evoengine.types import JSON, Limits, Program

if TYPE_CHECKING:
    from evoengine.selfcheck import Verdict

SANDBOX = click.option("--sandbox", default="jail", show_default=True, help="Which sandbox.")
TIER = click.option("--tier", help="Force a tier of the jail, such as T2; fails where it is not possible.")


def _limit(
    name: str, kind: type[int] | type[float], about: str, *, least: int = 1
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The option of one of the limits."""
    positive = click.IntRange(min=least) if kind is int else click.FloatRange(min=0, min_open=True)
    flag = f"--{name.replace('_', '-')}"
    return click.option(flag, name, type=positive, default=getattr(Limits(), name), show_default=True, help=about)


@click.group("sandbox")
def sandbox_command() -> None:
    """Run a program in the sandbox, or see whether it holds here."""


@sandbox_command.command("exec")
@click.argument("file", type=click.Path(exists=True, path_type=Path))
@click.option("--call", "entry", default="main", show_default=True, help="The function to call.")
@click.option(
    "--args",
    "texts",
    multiple=True,
    help="Its arguments, a JSON list; once for each call, all in one process. [default: one call without arguments]",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Where its random numbers start.")
@_limit("cpu_seconds", float, "CPU seconds, loading included.")
@_limit("wall_seconds", float, "Seconds by the clock, for programs that wait.")
@_limit("memory_mib", int, "Memory in MiB.")
@_limit("output_mib", float, "The largest answer to one call, in MiB.")
@_limit("printed_mib", float, "What it may print, on stdout and on stderr each, in MiB.")
@_limit("processes", int, "Threads and processes beside its first.", least=0)
@_limit("descriptors", int, "Open files and pipes.", least=8)
@click.option("--preload", multiple=True, default=["numpy"], show_default=True, help="A module to import beforehand.")
@SANDBOX
@TIER
@FORMAT
def exec_command(
    file: Path,
    entry: str,
    texts: tuple[str, ...],
    seed: int,
    preload: tuple[str, ...],
    sandbox: str,
    tier: str | None,
    form: str,
    **limits: Any,
) -> int:
    """Run the program FILE (a file, or a folder with a main.py) and print what it returned and used.

    Exits with 0 when every call was answered, with 1 when the program failed.
    """
    job = Job(
        program=program_at(file),
        entry=entry,
        calls=[_arguments(text) for text in texts or ("[]",)],
        limits=Limits(**limits),
        seed=seed,
        preload=preload,
    )
    made: Sandbox = build("sandboxes", _chosen(sandbox, tier))
    try:
        outcome = _ran(made, job)
    finally:
        made.shutdown()
    print_one(_row(outcome), form)
    return 0 if outcome.cause is None else 1


@sandbox_command.command("self-check")
@SANDBOX
@TIER
@click.option("--only", multiple=True, help="Try the attacks of this name only, such as '07*'; may be given again.")
@FORMAT
def self_check_command(sandbox: str, tier: str | None, only: tuple[str, ...], form: str) -> int:
    """Try the attacks that ship with evoengine on this machine, and say what holds.

    Exits with 0 when everything was held and every honest program scored right, with 1 otherwise. JSON and CSV hold
    every attack; a table has a line for each group, and one for each attack that got through.
    """
    from evoengine.selfcheck import GROUPS, self_check

    verdicts: list[Verdict] = []
    with Console(stderr=True).status("starting") as status:

        def tell(verdict: Verdict) -> None:
            verdicts.append(verdict)
            status.update(plain(f"{len(verdicts)} tried, {verdict.name}"))

        self_check(_chosen(sandbox, tier), only=list(only) or None, on_verdict=tell)
    rows = [_verdict_row(verdict) for verdict in verdicts]
    if form != "table":
        print_rows(rows, form)
    else:
        groups = {key: [one for one in verdicts if int(one.name[:4]) // 100 == key] for key in GROUPS}
        print_rows(
            [
                {
                    "group": GROUPS[key],
                    "tried": len(found),
                    "held": sum(one.held for one in found),
                    "seconds": round(sum(one.seconds for one in found), 1),
                    "tier": ", ".join(sorted({one.tier for one in found if one.tier})),
                }
                for key, found in groups.items()
                if found
            ],
            form,
        )
        through = [row for row in rows if not row["held"]]
        if through:
            print_rows(through, form, ["name", "cause", "why"])
    return 0 if all(verdict.held for verdict in verdicts) else 1


def _verdict_row(verdict: Verdict) -> dict[str, Any]:
    return {
        "name": verdict.name,
        "held": verdict.held,
        "why": verdict.why,
        "cause": verdict.cause,
        "seconds": verdict.seconds,
        "tier": verdict.tier,
    }


def _chosen(sandbox: str, tier: str | None) -> dict[str, str]:
    return {"use": sandbox} | ({} if tier is None else {"tier": tier})


def program_at(path: Path) -> Program:
    """The program in a file, or that of the .py files below a folder, without hidden ones.

    Raises:
        UsageError: there is none, or one that is not text.
    """
    if path.is_file():
        return Program.of(_text(path))
    places = [place.relative_to(path) for place in sorted(path.rglob("*.py"))]
    files = {
        place.as_posix(): _text(path / place)
        for place in places
        if (path / place).is_file() and not any(part.startswith(".") for part in place.parts)
    }
    if "main.py" not in files and len(files) != 1:
        raise click.UsageError(f"{path} holds {len(files)} .py files and no main.py; name the one to run main.py.")
    return Program(files=files)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"cannot read {path}: {error}.") from None


def _arguments(text: str) -> Sequence[JSON]:
    try:
        arguments = json.loads(text)
        json.dumps(arguments, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise click.UsageError(f"--args {text[:60]!r} is not strict JSON: {error}.") from None
    if not isinstance(arguments, list):
        raise click.UsageError(f"--args takes a JSON list with one item for each argument, got {text[:60]!r}.")
    return arguments


def _ran(sandbox: Sandbox, job: Job) -> Outcome:
    """As `Sandbox.run`, but with answers as the program's own JSON values: whole numbers stay whole."""
    with sandbox.open(job) as session:
        try:
            session.load()
            outputs = tuple(session.batch(job.calls, plain=True))
        except CandidateError as error:
            return replace(session.close(), cause=error.cause, feedback=error.feedback)
        return replace(session.close(), outputs=outputs)


def _row(outcome: Outcome) -> dict[str, Any]:
    return {
        "status": "ok" if outcome.cause is None else "failed",
        "cause": None if outcome.cause is None else str(outcome.cause),
        "feedback": outcome.feedback,
        "outputs": list(outcome.outputs),
        "cpu_seconds": outcome.cpu_seconds,
        "wall_seconds": outcome.wall_seconds,
        "peak_mib": outcome.peak_mib,
        "stdout": outcome.stdout,
        "stderr": outcome.stderr,
        "tier": outcome.tier,
    }
