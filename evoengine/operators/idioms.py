"""Code templates put into a program where the names in scope fit."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Mapping, Sequence
from random import Random

from evoengine.operators._idiom_library import LIBRARY
from evoengine.operators.base import Conversation, NoChild, Operator
from evoengine.operators.splice import Context, Patch, Source, Splice, compiles, source_of, spliced
from evoengine.operators.splice.lines import inserted
from evoengine.operators.splice.scope import fresh, import_splice, kind_of, names_at
from evoengine.types import Draft, Idiom, Program

_HOLE = re.compile(r"\$([A-Za-z_]\w*)")
_KINDS = ("array", "number", "function", "any")


class Idioms(Operator):
    """Inserts one template of the problem's, or of the library, with its holes filled by names that fit.

    Attributes:
        library: whether the built-in templates are used beside the problem's own.
        own: the chance that a template of the problem's own is tried first, where it has any.
        tries: how many places are tried for each template.
    """

    library: bool = True
    own: float = 0.6
    tries: int = 8

    def breed(self, draft: Draft) -> Conversation:
        return self.child(draft)
        yield  # a conversation that asks for nothing

    def child(self, draft: Draft) -> Program:
        """The child of a draft; what `breed` returns.

        Raises:
            NoChild: the first parent is no Python program that parses, or no template fits.
        """
        program, rng = draft.parents[0].content, draft.rng
        source = source_of(program.text) if isinstance(program, Program) and program.language == "python" else None
        if source is None or not isinstance(program, Program):
            raise NoChild("the parent is not a Python program that parses")
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

    def _order(self, own: Sequence[Idiom], rng: Random) -> list[Idiom]:
        mine, common = list(own), list(LIBRARY) if self.library else []
        rng.shuffle(mine)
        rng.shuffle(common)
        return mine + common if rng.random() < self.own else common + mine


def _placed(source: Source, idiom: Idiom, entry: str, rng: Random) -> Patch | None:
    """The template before a random statement of a function whose names fit; None if there is none."""
    places = [
        (block, statement)
        for block in source.index.blocks
        if isinstance(block.scope.node, ast.FunctionDef | ast.AsyncFunctionDef)
        for statement in block.statements
        if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
    ]
    rng.shuffle(places)
    for block, statement in places:
        span = source.own_lines(statement)
        if span is None:
            continue
        around = {entry, *_enclosing(source, statement)}
        names = [name for name in names_at(source, Context(statement, block.scope)) if name not in around]
        filling = _filled(source, idiom, names, rng)
        if filling is None:
            continue
        patch, inner = _imports(source, idiom)
        lines = "\n".join((*inner, _code(idiom, filling)))
        return [*patch, inserted(source, span[0], source.indent(statement), lines)]
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
