"""The pages in docs/, read as a person would follow them: what to write into files, what to run, what comes out.

Fenced blocks of a page are done in their order, in one folder:

- `console`: each line that begins with `$ ` is run by bash; the lines below it are what it prints, on both streams.
- `python` and `toml`: written to the file that a first line such as `# problems/spread.py` names; a `python` block
  without a name is run.
- `text`: what the block above it prints, where that is a `python` block.

In what a page shows, a line of `...` stands for any lines, and `...` within a line for any text. Spaces count as one
however many there are. Numbers must agree to six digits, as the last ones differ between processors.

A comment in the page's source, on the line before a block, changes this (each with its reason):

- `<!-- not run: why -->`: it is not run. Its commands have to be such as would be understood.
- `<!-- numbers vary: why -->`: any number may stand for any other.
- `<!-- fails: why -->`: the last command ends with another status than 0.
- `<!-- until Ctrl-C: why -->`: the last command goes on until it is interrupted, which is done when it has printed
  what the page shows. Where that is `evoengine view`, any free port is taken in the place of the usual one.
- `<!-- needs: MODULE, why -->`: the page is left out where this module cannot be imported.
- `<!-- output varies: why -->`: what it prints is not looked at, only whether it fails.

`python -m tests.docs.pages FILE` prints what comes out, for authors.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.conftest import ROOT

DOCS = ROOT / "docs"
PAGES = sorted(DOCS.glob("*.md"))
MARKS = ("not run", "needs", "numbers vary", "output varies", "fails", "until Ctrl-C")
_KINDS = ("console", "python", "toml", "text")
_NUMBER = r"-?\d+(?:,\d{3})*(?:\.\d+)?(?:e[+-]?\d+)?"
_PATIENCE = 120.0
"""Seconds that a command may take."""


class PageError(AssertionError):
    """A page is not as a page has to be, or what it shows is not what comes out."""


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fenced block.

    Attributes:
        kind: the first word after the fence.
        lines: between the fences.
        marks: reasons by mark.
        at: the line of the page, from 1.
    """

    kind: str
    lines: tuple[str, ...]
    marks: dict[str, str]
    at: int

    @property
    def name(self) -> str | None:
        """The file that it is written to."""
        found = re.fullmatch(r"# ([\w./-]+\.\w+)", self.lines[0]) if self.lines else None
        return found[1] if found and self.kind in ("python", "toml") else None

    def commands(self) -> list[tuple[str, list[str]]]:
        """Each command with the lines that it prints."""
        found: list[tuple[str, list[str]]] = []
        for line in self.lines:
            if line.startswith("$ "):
                found.append((line[2:], []))
            elif not found:
                raise PageError(f"line {self.at}: a console block begins with a command, after '$ '")
            else:
                found[-1][1].append(line)
        return found


def blocks_of(text: str) -> list[Block]:
    """The blocks of a page, with their marks.

    Raises:
        PageError: a block or a mark that nobody knows, or a mark without its reason.
    """
    lines, found, at = text.splitlines(), [], 0
    while at < len(lines):
        fence = re.match(r"`{3,}", lines[at])
        if fence is None:
            at += 1
            continue
        begin, kind = at, lines[at][fence.end() :].strip()
        at += 1
        while at < len(lines) and lines[at] != fence[0]:
            at += 1
        if at == len(lines):
            raise PageError(f"line {begin + 1}: the block has no end")
        if kind not in _KINDS:
            raise PageError(f"line {begin + 1}: a block is one of {', '.join(_KINDS)}, not {kind!r}")
        marks = dict(_marks(lines[:begin]))
        found.append(Block(kind=kind, lines=tuple(lines[begin + 1 : at]), marks=marks, at=begin + 1))
        at += 1
    return found


def _marks(before: Sequence[str]) -> Iterator[tuple[str, str]]:
    for line in reversed(before):
        comment = re.fullmatch(r"<!-- (.*) -->", line)
        if comment is None:
            return
        mark, colon, why = comment[1].partition(": ")
        if mark not in MARKS:
            raise PageError(f"line {len(before)}: a mark is one of {', '.join(MARKS)}, not {mark!r}")
        if not colon or len(why.split()) < 2:
            raise PageError(f"line {len(before)}: {mark!r} needs its reason")
        yield mark, why


def agrees(shown: Sequence[str], came: Sequence[str], *, vary: bool = False) -> bool:
    """Whether what a page shows is what came out; `vary` where numbers may be others."""
    if not shown:
        return not came
    if shown[0].strip() == "...":
        return any(agrees(shown[1:], came[at:], vary=vary) for at in range(len(came) + 1))
    return bool(came) and _line_agrees(shown[0], came[0], vary) and agrees(shown[1:], came[1:], vary=vary)


def _line_agrees(shown: str, came: str, vary: bool) -> bool:
    shown, came = (" ".join(line.split()) for line in (shown, came))
    if shown == came:
        return True
    numbers, pattern = [], ""
    for part in re.split(rf"({_NUMBER}|\.\.\.)", shown):
        if part == "...":
            pattern += ".*?"
        elif re.fullmatch(_NUMBER, part):
            numbers.append(part)
            pattern += f"({_NUMBER})"
        else:
            pattern += re.escape(part)
    found = re.fullmatch(pattern, came)
    return found is not None and (vary or all(map(_close, numbers, found.groups())))


def _close(one: str, other: str) -> bool:
    first, second = (float(text.replace(",", "")) for text in (one, other))
    return abs(first - second) <= 1e-6 * max(abs(first), abs(second))


def _least(shown: Sequence[str]) -> int:
    return sum(line.strip() != "..." for line in shown)


@dataclass(kw_only=True)
class Reader:
    """Follows a page.

    Attributes:
        folder: where its commands run.
        told: what each command printed, with the line of its block.
    """

    folder: Path
    told: list[tuple[int, str, str]] = field(default_factory=list)

    def follow(self, text: str, *, checked: bool = True) -> None:
        """Does what the page says.

        Raises:
            PageError: something fails, or (when `checked`) prints something else than the page shows.
        """
        printed: list[str] | None = None
        for block in blocks_of(text):
            if "not run" in block.marks:
                printed = None
            elif block.kind == "text":
                if printed is None:
                    raise PageError(f"line {block.at}: nothing above it is run")
                self._compare(block, "the block above", block.lines, printed, checked)
                printed = None
            elif block.name is not None:
                path = self.folder / block.name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text("\n".join(block.lines) + "\n", encoding="utf-8")
                printed = None
            elif block.kind == "toml":
                raise PageError(f"line {block.at}: its first line has to name a file")
            elif block.kind == "python":
                (self.folder / "_block.py").write_text("\n".join(block.lines) + "\n", encoding="utf-8")
                printed = self._run(block, "python _block.py", (), last=True)
            else:
                commands = block.commands()
                for place, (command, shown) in enumerate(commands, 1):
                    came = self._run(block, command, shown, last=place == len(commands))
                    self._compare(block, command, shown, came, checked)

    def _compare(self, block: Block, command: str, shown: Sequence[str], came: Sequence[str], checked: bool) -> None:
        endless = "until Ctrl-C" in block.marks
        shown = [*shown, "..."] if endless else shown  # what it says when it is interrupted
        vary = endless or "numbers vary" in block.marks
        if checked and "output varies" not in block.marks and not agrees(shown, came, vary=vary):
            raise PageError(f"line {block.at}: {command} prints\n" + "\n".join(came) + "\nnot\n" + "\n".join(shown))

    def _run(self, block: Block, command: str, shown: Sequence[str], *, last: bool) -> list[str]:
        endless = last and "until Ctrl-C" in block.marks
        if endless and command.startswith("evoengine view ") and "--port" not in command:
            command += " --port 0"
        # a reader's shell knows nothing of the pytest and the make that run this
        ours = ("PYTEST_", "MAKE", "MFLAGS")
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(ours)},
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "OMP_NUM_THREADS": "1",
        }
        out = self.folder.parent / f"{self.folder.name}.out"
        with out.open("w") as stream:
            process = subprocess.Popen(
                ["bash", "-c", f"exec {command}" if endless else command], cwd=self.folder, env=environment,
                stdin=subprocess.DEVNULL, stdout=stream, stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        end = time.monotonic() + _PATIENCE
        try:
            while endless and process.poll() is None and len(out.read_text().splitlines()) < _least(shown):
                if time.monotonic() > end:
                    raise PageError(f"line {block.at}: {command} never printed what the page shows")
                time.sleep(0.1)
            if endless:
                process.send_signal(signal.SIGINT)
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            raise PageError(f"line {block.at}: {command} takes longer than {_PATIENCE:.0f} s") from None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        printed = out.read_text()
        self.told.append((block.at, command, printed))
        interrupted = endless and process.returncode in (-signal.SIGINT, 128 + signal.SIGINT)
        failed = process.returncode != 0 and not interrupted
        if failed != (last and "fails" in block.marks):
            raise PageError(f"line {block.at}: {command} ended with {process.returncode}:\n{printed}")
        return printed.splitlines()


def understood(command: str) -> None:
    """Makes sure that a command that is not run would be understood.

    Raises:
        PageError: it would not.
    """
    import tomllib

    import click

    from evoengine.cli.app import app

    syntax = subprocess.run(["bash", "-n", "-c", command], capture_output=True, text=True, timeout=20, check=False)
    if syntax.returncode:
        raise PageError(f"{command}: {syntax.stderr}")
    for words in _simple(command):
        match words:
            case ["evoengine", *rest]:
                try:
                    _parsed(app, "evoengine", rest)
                except click.ClickException as error:
                    raise PageError(f"{command}: {error.format_message()}") from None
            case ["make", *targets]:
                known = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
                unknown = [one for one in targets if "=" not in one and one not in known]
                if unknown:
                    raise PageError(f"{command}: the Makefile has no {unknown}")
            case ["pip", "install", *wanted]:
                extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
                for one in wanted:
                    named = re.fullmatch(r"(?:evoengine|\.)\[([\w,]+)\]", one)
                    if named and not set(named[1].split(",")) <= set(extras):
                        raise PageError(f"{command}: there is no such extra")


def _simple(command: str) -> list[list[str]]:
    """The words of each simple command of a line, without what is redirected."""
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    found: list[list[str]] = [[]]
    words = iter(lexer)
    for word in words:
        if set(word) <= set("&|;"):
            found.append([])
        elif set(word) <= set("<>"):
            next(words, None)
        else:
            found[-1].append(word)
    return [one for one in found if one]


def _parsed(command: object, name: str, arguments: list[str], parent: object = None) -> None:
    import click

    assert isinstance(command, click.Command)
    assert parent is None or isinstance(parent, click.Context)
    context = command.make_context(name, list(arguments), parent=parent)
    if isinstance(command, click.Group):
        rest = [*context._protected_args, *context.args]
        if rest:
            verb, below, left = command.resolve_command(context, rest)
            _parsed(below, verb or "", left, context)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as place:
        reader = Reader(folder=Path(place))
        try:
            reader.follow(Path(sys.argv[1]).read_text(encoding="utf-8"), checked=False)
        finally:
            for at, command, printed in reader.told:
                sys.stdout.write(f"--- line {at}: {command}\n{printed}")
