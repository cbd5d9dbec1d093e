"""Code templates put into a program where the names in scope fit."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from evoengine.operators._idiom_library import LIBRARY
from evoengine.operators.base import Conversation, NoChild, Operator
from evoengine.operators.splice import Context, Patch, Source, Splice, compiles, source_of, spliced
from evoengine.operators.splice.lines import inserted
from evoengine.operators.splice.scope import fresh, import_splice, kind_of, module_alias, names_at
from evoengine.operators.splice.source import Block
from evoengine.operators.tuning.effects import idle_before
from evoengine.operators.tuning.freezing import PROBE, Capture, probing, written
from evoengine.types import JSON, Draft, Failed, Idiom, Probe, Program

_HOLE = re.compile(r"\$([A-Za-z_]\w*)")
_KINDS = ("array", "number", "function", "any")


class Idioms(Operator):
    """Inserts one template of the problem's, or of the library, with its holes filled by names that fit.

    The arm `plain` inserts it into the parent as it is. The arm `warm` first replaces what the parent has computed
    up to there by literals, so that a template that refines goes on from the parent's result and what was
    paid for it is not paid again; it needs a problem with one input.

    Attributes:
        library: whether the built-in templates are used beside the problem's own.
        own: the chance that a template of the problem's own is tried first, where it has any.
        tries: how many places are tried for each template.
        probes: how often the arm `warm` runs the parent to see what it computes.
    """

    library: bool = True
    own: float = 0.6
    tries: int = 8
    probes: int = 2

    def arms(self) -> tuple[str, ...]:
        return ("plain", "warm")

    def breed(self, draft: Draft) -> Conversation:
        program = draft.parents[0].content
        source = source_of(program.text) if isinstance(program, Program) and program.language == "python" else None
        if source is None or not isinstance(program, Program):
            raise NoChild("the parent is not a Python program that parses")
        if draft.arm == "warm":
            return (yield from self._warm(draft, program, source))
        return self._plain(draft, program, source)

    def _plain(self, draft: Draft, program: Program, source: Source) -> Program:
        rng = draft.rng
        for idiom in self._order(draft.brief.idioms, rng):
            for _ in range(self.tries):
                place = _wrapped if idiom.where == "wrap" else _placed
                patch = place(source, idiom, draft.brief.entry, rng)
                if patch is None:
                    break
                text = spliced(source.data, patch).decode()
                if text != source.text and compiles(text):
                    return program.with_text(text)
        raise NoChild("no template fits the names in scope")

    def _warm(self, draft: Draft, program: Program, source: Source) -> Conversation:
        rng, probes = draft.rng, 0
        for idiom in self._order(draft.brief.idioms, rng):
            spot = (
                None
                if idiom.where == "wrap" or probes >= self.probes
                else _spot(source, idiom, draft.brief.entry, rng, after_something=True)
            )
            if spot is None:
                continue
            kinds = {name: kind_of(source, name) for hole, name in spot.filling.items() if hole != "random"}
            names = [name for name, kind in kinds.items() if kind not in ("function", "class", "import")]
            place = spot.place - 1
            text = probing(source, Capture(spot.block, place, f"({', '.join(names)},)"), draft.brief.entry)
            if not names or text is None:
                continue
            probes += 1
            values = yield Probe(program=program.with_text(text), entry=PROBE)
            if isinstance(values, Failed) or len(values) != 1:
                raise NoChild("a warm start needs a program that runs, and a problem with one input")
            literals = _literals(source, names, values[0])
            if literals is None:
                continue
            patch, inner = _imports(source, idiom)
            span = source.own_lines(spot.block.statements[place])
            assert span is not None
            for at in idle_before(source, spot.block, place, names):
                lines = source.own_lines(spot.block.statements[at])
                assert lines is not None
                patch.append(Splice(*lines, b""))
            code = "\n".join((*inner, *literals, _code(idiom, spot.filling)))
            patch.append(inserted(source, span[1], source.indent(spot.block.statements[place]), code))
            child = spliced(source.data, patch).decode()
            if child != source.text and compiles(child):
                return program.with_text(child)
        raise NoChild("no template that refines an array fits the names in scope")

    def _order(self, own: Sequence[Idiom], rng: Random) -> list[Idiom]:
        mine, common = list(own), list(LIBRARY) if self.library else []
        rng.shuffle(mine)
        rng.shuffle(common)
        return mine + common if rng.random() < self.own else common + mine


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where a template fits: before a statement of a block, with names for its holes."""

    block: Block
    place: int
    filling: dict[str, str]


def _spot(source: Source, idiom: Idiom, entry: str, rng: Random, after_something: bool = False) -> _Spot | None:
    """A random statement of a function where names fit; one with others before it if `after_something`."""
    places = [
        (block, place, statement)
        for block in source.index.blocks
        if isinstance(block.scope.node, ast.FunctionDef | ast.AsyncFunctionDef)
        for place, statement in enumerate(block.statements)
        if not after_something or (place > 0 and block.owner is block.scope.node)
        if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
    ]
    rng.shuffle(places)
    for block, place, statement in places:
        if source.own_lines(statement) is None or (place > 0 and source.own_lines(block.statements[place - 1]) is None):
            continue
        around = {entry, *_enclosing(source, statement)}
        names = [name for name in names_at(source, Context(statement, block.scope)) if name not in around]
        filling = _filled(source, idiom, names, rng)
        if filling is not None:
            return _Spot(block, place, filling)
    return None


def _placed(source: Source, idiom: Idiom, entry: str, rng: Random) -> Patch | None:
    """The template before a random statement of a function whose names fit; None if there is none."""
    spot = _spot(source, idiom, entry, rng)
    if spot is None:
        return None
    statement = spot.block.statements[spot.place]
    span = source.own_lines(statement)
    assert span is not None
    patch, inner = _imports(source, idiom)
    lines = "\n".join((*inner, _code(idiom, spot.filling)))
    return [*patch, inserted(source, span[0], source.indent(statement), lines)]


def _literals(source: Source, names: Sequence[str], seen: JSON) -> list[str] | None:
    """Assignments of captured values to names; None if one of them is not a few numbers."""
    match seen:
        case [_, ["tuple", list(values)]] if len(values) == len(names):
            numpy = module_alias(source, "numpy")
            texts = [written(value, numpy, "") for value in values]
            return None if None in texts else [f"{name} = {text}" for name, text in zip(names, texts, strict=True)]
    return None


def _code(idiom: Idiom, filling: Mapping[str, str]) -> str:
    return _HOLE.sub(lambda hole: filling.get(hole[1], hole[0]), textwrap.dedent(idiom.code).strip("\n"))


def _enclosing(source: Source, statement: ast.stmt) -> list[str]:
    """Functions around a statement: a template that called one of them would not come to an end."""
    return [
        name
        for name, node in source.index.defined.items()
        if source.start(node) <= source.start(statement) <= source.end(node)
    ]


def _wrapped(source: Source, idiom: Idiom, entry: str, rng: Random) -> Patch | None:
    """The entry renamed and the template behind it; None if the entry may not be edited or no names fit."""
    function = next((one for one in source.functions() if one.name == entry), None)
    if not isinstance(function, ast.FunctionDef):
        return None
    span = source.own_lines(function)
    if span is None:
        return None
    names = [name for name in source.index.module.bound if name != entry and name not in source.index.modules]
    filling = _filled(source, idiom, names, rng)
    renamed = fresh(source, f"{entry}_inner")
    head = re.compile(rb"def[ \t]+").match(source.data, source.start(function))
    calls = _calls(source, function, entry)
    if filling is None or head is None or calls is None:
        return None
    filling |= {"entry": entry, "inner": renamed}
    code = _code(idiom, filling)
    patch, inner = _imports(source, idiom)
    end = head.end() + len(entry.encode())
    return [
        *patch,
        Splice(head.end(), end, renamed.encode()),
        *(Splice(source.start(one), source.end(one), renamed.encode()) for one in calls),
        inserted(source, span[1], b"", "\n".join(("", "", *inner, code))),
    ]


def _calls(source: Source, function: ast.FunctionDef, entry: str) -> list[ast.Name] | None:
    """Where a function names itself; None where that cannot be told, inside f-strings."""
    for node in ast.walk(function):
        if isinstance(node, ast.JoinedStr) and entry.encode() in source.code(node):
            return None
    return [node for node in ast.walk(function) if isinstance(node, ast.Name) and node.id == entry]


def _filled(source: Source, idiom: Idiom, names: Sequence[str], rng: Random) -> dict[str, str] | None:
    """A name for every hole, different ones as far as they go; None if a hole fits none."""
    filling: dict[str, str] = {}
    for hole, wanted in idiom.holes.items():
        fitting = [name for name in names if _fits(source, name, wanted)]
        unused = [name for name in fitting if name not in filling.values()]
        if not fitting:
            return None
        filling[hole] = rng.choice(unused or fitting)
    if "$random" in idiom.code:
        filling.setdefault("random", str(rng.randrange(2**31)))
    return filling


def _fits(source: Source, name: str, wanted: str) -> bool:
    if wanted not in _KINDS:
        return name == wanted
    kind = kind_of(source, name)
    if wanted == "any":
        return kind not in ("function", "class", "import")
    return kind == wanted or (wanted == "number" and kind == "any")


def _imports(source: Source, idiom: Idiom) -> tuple[Patch, list[str]]:
    """The missing imports of a template: as splices at the top, or as lines to put before its code."""
    present = {line for statement in source.tree.body for line in _import_lines(statement)}
    missing = [line for line in idiom.imports if not set(_parsed(line)) <= present]
    patch = [one for line in missing if (one := import_splice(source, line)) is not None]
    return (patch, []) if len(patch) == len(missing) else ([], missing)


def _import_lines(statement: ast.stmt) -> list[str]:
    """One line for each name that an import binds."""
    match statement:
        case ast.Import(names=aliases):
            return [ast.unparse(ast.Import(names=[alias])) for alias in aliases]
        case ast.ImportFrom(module=module, names=aliases, level=level):
            return [ast.unparse(ast.ImportFrom(module=module, names=[alias], level=level)) for alias in aliases]
    return []


def _parsed(line: str) -> list[str]:
    return [found for statement in ast.parse(line).body for found in _import_lines(statement)]
