"""The `evoengine` command: verbs are loaded when they are used, so that `--help` stays fast."""

from __future__ import annotations

import io
import logging
import os
import sys
from importlib import import_module

import click

import evoengine
from evoengine.errors import EvoengineError, MissingExtra, PluginError, SettingError

_VERBS = {
    "run": ("run", "Evolve a problem; the same command again goes on where it stopped."),
    "resume": ("run", "Go on with a campaign that the store knows."),
    "list": ("read", "The campaigns in a store."),
    "show": ("read", "Where a campaign stands, or one of its records."),
    "best": ("read", "The best candidate."),
    "elites": ("read", "The elites of all islands."),
    "diff": ("read", "How two records' programs differ."),
    "lineage": ("read", "A record's ancestors."),
    "prompt": ("model", "The next prompt to the language model, without sending it."),
    "costs": ("model", "What each operator and model brought and cost."),
    "guidance": ("model", "The contexts that guide the model, with their credit."),
    "lessons": ("model", "What was learnt from changes; to be shown or exported."),
    "updates": ("learn", "What training measured at each update of the model's weights."),
    "compare": ("compare", "How much more campaigns reached than others, over their seeds."),
    "view": ("view", "Browse a store in a local web page."),
    "steer": ("steer", "Have a say in a campaign: programs of one's own, pins, notes, goals, quarantine."),
    "search": ("read", "Records whose source holds some words."),
    "export": ("export", "All records as a table, the elites as files, or all of it as one web page."),
    "check": ("make", "Prove that a problem keeps its contract."),
    "new": ("make", "Start a new problem from a template."),
    "problems": ("make", "The problems that can be run."),
    "plugins": ("make", "The plugins of every kind."),
    "doctor": ("make", "What this machine offers."),
    "import": ("foreign", "Make a problem of an OpenEvolve, ShinkaEvolve or CodeEvolve task."),
    "sandbox": ("sandbox", "Run a program in the sandbox, or see whether it holds here."),
    "bench": ("measure", "Compare methods on a suite of problems, or measure the engine itself."),
}


class _Verbs(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        return list(_VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _VERBS:
            return None
        module, _ = _VERBS[cmd_name]
        command = getattr(import_module(f"evoengine.cli.{module}"), f"{cmd_name}_command")
        assert isinstance(command, click.Command)
        return command

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:  # whoever read our output had enough of it; the rest must not fail at exit again
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in _VERBS.items()])


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(evoengine.__version__, prog_name="evoengine")
@click.option("-v", "--verbose", is_flag=True, help="Say more, on standard error.")
def app(verbose: bool) -> None:
    """Evolve code: campaigns of programs that get better, judged in a sandbox.

    Results go to standard output, everything else to standard error. Exit codes: 0 done, 1 failed,
    2 wrong usage, 130 interrupted.
    """
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING, format="%(levelname)s %(name)s: %(message)s"
    )


def main() -> None:
    """Runs the command line and exits."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what a terminal cannot show is escaped, never an error
            stream.reconfigure(errors="backslashreplace")
    try:
        code = app.main(standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("interrupted", err=True)
        code = 130
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except EvoengineError as error:
        click.echo(f"evoengine: {error}", err=True)
        code = 2 if isinstance(error, SettingError | PluginError | MissingExtra) else 1
    except KeyboardInterrupt:
        click.echo("interrupted; the same command goes on from here", err=True)
        code = 130
    sys.exit(code if isinstance(code, int) else 0)
