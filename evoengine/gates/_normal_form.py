"""A program's text with everything gone that does not change what it does, as far as syntax tells."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_SCOPES = frozenset({*_FUNCTIONS, *_COMPREHENSIONS})
_CLOSED = frozenset({*_FUNCTIONS, ast.ClassDef})
"""Kinds of node whose inside is none of the scope around them."""
_REFLECTION = frozenset({"locals", "vars", "eval", "exec", "dir", "globals"})
_NAMING = frozenset(
    {
        *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal),
        *(ast.ExceptHandler, ast.MatchAs, ast.MatchStar, ast.MatchMapping),
    }
)
"""Kinds of node, beside `Name`, that bind or declare a name."""
_LEAVES = frozenset({"ctx", "op", "ops", "id", "attr", "arg", "kind", "type_comment", "type_ignores"})
"""Fields that hold no expression and no statement; a keyword's or parameter's `arg` is its name."""
_parts: dict[type[ast.AST], tuple[str, ...]] = {}
"""Kind of node to the fields that may hold further nodes."""
_DEEPEST = 150
"""Levels of a tree that are visited: fewer than any caller's stack allows, so that a text has one form everywhere."""
_methods: dict[type[ast.AST], Callable[[Any, Any], None]] = {}
"""Kind of node to what visits it."""


def normal_form(text: str) -> str:
    """The text without comments, docstrings and formatting, local names numbered in order of first use.

    Equal texts do the same; the reverse does not hold. Parameters that some call names keep their names, and so do
    all locals of a program that can look at them (`locals`, `eval`). A text that does not parse, or
    nests very deeply, is given back as it is.
    """
    try:
        tree = stripped_tree(text)
        number_locals(tree)
        return ast.unparse(tree) + "\n"
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return text


def stripped_tree(text: str) -> ast.Module:
    """The syntax tree without docstrings and other idle statements; names as they are written.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: the text does not parse, or is too deep.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(text)
    _strip(tree)
    return tree


def number_locals(tree: ast.Module) -> None:
    """Renames, in place, the local names of a tree, which makes a stripped tree that of the normal form.

    Raises:
        RecursionError: it is too deep.
    """
    _Numbering(tree).visit(tree)


def _children(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes right below one; `ast.iter_child_nodes` without operators and contexts, in a third of its time."""
    kind = type(node)
    names = _parts.get(kind)
    if names is None:
        names = _parts[kind] = tuple(name for name in kind._fields if name not in _LEAVES)
    for name in names:
        value = getattr(node, name, None)
        if isinstance(value, list):
            for one in value:
                if isinstance(one, ast.AST):
                    yield one
        elif isinstance(value, ast.AST):
            yield value


def _walk(tree: ast.AST) -> list[ast.AST]:
    """All nodes, those near the root first.

    Raises:
        RecursionError: there are too many levels for what visits them, wherever it is called from.
    """
    nodes: list[ast.AST] = []
    level = [tree]
    for _ in range(_DEEPEST):
        nodes += level
        level = [child for node in level for child in _children(node)]
        if not level:
            return nodes
    raise RecursionError(f"deeper than {_DEEPEST} levels")


def _strip(tree: ast.Module) -> None:
    """Takes out what is evaluated for nothing: docstrings, other bare constants, and `pass` beside statements."""
    waiting: list[ast.AST] = [tree]
    for node in waiting:
        for name in ("body", "orelse", "finalbody"):
            body = getattr(node, name, None)
            if isinstance(body, list) and body and isinstance(body[0], ast.stmt):
                kept = [one for one in body if not _is_idle(one)]
                optional = name == "orelse" or isinstance(node, ast.Module)
                body[:] = kept or ([] if optional else [ast.Pass()])
                waiting += body
        for name in ("handlers", "cases"):
            waiting += getattr(node, name, ())


def _is_idle(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )


class _Numbering(ast.NodeVisitor):
    """Renames the local names of functions and comprehensions in place, in the order in which it meets them."""

    def __init__(self, tree: ast.Module) -> None:
        nodes = _walk(tree)
        self.bindings: dict[int, _Bindings] = {}
        self.named = {one.arg for one in nodes if isinstance(one, ast.keyword) and one.arg}
        self.scopes: list[dict[str, str | None]] = []
        names = {one.id for one in nodes if isinstance(one, ast.Name)}
        self.sees_itself = bool(names & _REFLECTION)
        self.number = 0
        self.taken = self._kept(tree, nodes)

    def _kept(self, tree: ast.Module, nodes: list[ast.AST]) -> set[str]:
        """Names that are not renamed, which a number must not collide with."""
        local = {name for node in nodes if type(node) in _SCOPES for name in self.locals_of(node)}
        kept = set(self.of(tree).bound) | self.named
        kept |= {node.id for node in nodes if isinstance(node, ast.Name)} - local
        for node in nodes:
            if type(node) not in _NAMING:
                continue
            match node:
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                    kept |= {name} - local
                case ast.ClassDef():
                    kept |= set(self.of(node).bound)
                case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                    kept |= {alias.asname or alias.name.partition(".")[0] for alias in aliases}
                case ast.Global(names=names):
                    kept |= set(names)
        return kept

    def of(self, scope: ast.AST) -> _Bindings:
        """What a scope binds; looked at once, before anything is renamed."""
        found = self.bindings.get(id(scope))
        if found is None:
            found = self.bindings[id(scope)] = _bindings(scope)
        return found

    def visit(self, node: ast.AST) -> None:
        """Calls the method for the kind of a node; `NodeVisitor.visit` looks its name up each time."""
        kind = type(node)
        method = _methods.get(kind)
        if method is None:
            method = _methods[kind] = getattr(_Numbering, f"visit_{kind.__name__}", _Numbering.generic_visit)
        method(self, node)

    def generic_visit(self, node: ast.AST) -> None:
        for child in _children(node):
            self.visit(child)

    def locals_of(self, node: ast.AST) -> list[str]:
        """Names of a scope that may be renamed."""
        if self.sees_itself:
            return []
        own = self.of(node)
        fixed = own.declared | own.objects
        if isinstance(node, _FUNCTIONS):
            fixed |= self.named & {one.arg for one in _args(node.args)}
        return [name for name in own.bound if name not in fixed and not name.startswith("__")]

    def renamed(self, name: str) -> str:
        for scope in reversed(self.scopes):
            if name in scope:
                new = scope[name]
                if new is None:
                    new = scope[name] = self.fresh()
                return new
        return name

    def fresh(self) -> str:
        while True:
            name = f"v{self.number}"
            self.number += 1
            if name not in self.taken:
                return name

    def scoped(self, node: ast.AST) -> dict[str, str | None]:
        """A scope's names without their numbers; those that are bound but kept stand for themselves."""
        free = set(self.locals_of(node))
        own = self.of(node)
        return {name: None if name in free else name for name in own.bound if name not in own.declared}

    def visit_Name(self, node: ast.Name) -> None:
        node.id = self.renamed(node.id)

    def visit_arg(self, node: ast.arg) -> None:
        node.arg = self.renamed(node.arg)
        if node.annotation is not None:
            self.visit(node.annotation)

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        node.names = [self.renamed(name) for name in node.names]

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name:
            node.name = self.renamed(node.name)
        self.generic_visit(node)

    def visit_MatchAs(self, node: ast.MatchAs) -> None:
        if node.name:
            node.name = self.renamed(node.name)
        self.generic_visit(node)

    def visit_MatchStar(self, node: ast.MatchStar) -> None:
        if node.name:
            node.name = self.renamed(node.name)

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        if node.rest:
            node.rest = self.renamed(node.rest)
        self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        node.name = self.renamed(node.name)
        for part in (*node.decorator_list, *node.bases, *node.keywords):
            self.visit(part)
        own = self.of(node)
        self.scopes.append({name: name for name in own.bound if name not in own.declared})
        methods = [one for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
        for statement in node.body:
            if statement in methods:
                self.head(statement)
            else:
                self.visit(statement)
        self.scopes.pop()  # what a class binds is not seen from its methods
        for method in methods:
            self.inside(method)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        node.name = self.renamed(node.name)
        self.head(node)
        self.inside(node)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.head(node)
        self.inside(node)

    def head(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        for part in (*getattr(node, "decorator_list", ()), *node.args.defaults, *node.args.kw_defaults):
            if part is not None:
                self.visit(part)

    def inside(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        self.scopes.append(self.scoped(node))
        for arg in _args(node.args):
            self.visit(arg)
        for part in node.body if isinstance(node.body, list) else [node.body]:
            self.visit(part)
        self.scopes.pop()
        if not isinstance(node, ast.Lambda) and node.returns is not None:
            self.visit(node.returns)

    def comprehension(self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp) -> None:
        self.visit(node.generators[0].iter)  # the first iterable belongs to the scope outside
        self.scopes.append(self.scoped(node))
        for place, generator in enumerate(node.generators):
            if place:
                self.visit(generator.iter)
            for part in (generator.target, *generator.ifs):
                self.visit(part)
        for part in (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,):
            self.visit(part)
        self.scopes.pop()

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = comprehension  # noqa: N815


def _args(args: ast.arguments) -> list[ast.arg]:
    every = (*args.posonlyargs, *args.args, args.vararg, *args.kwonlyargs, args.kwarg)
    return [one for one in every if one is not None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bindings:
    """What a scope does to names."""

    bound: tuple[str, ...]
    declared: frozenset[str]
    """As global or nonlocal."""
    objects: frozenset[str]
    """Its modules and classes, which are more than names."""


def _bindings(scope: ast.AST) -> _Bindings:
    bound: dict[str, None] = {}
    declared: set[str] = set()
    objects: dict[str, None] = {}
    if isinstance(scope, _COMPREHENSIONS):
        for generator in scope.generators:
            for node in _walk(generator.target):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    bound[node.id] = None
        return _Bindings(bound=tuple(bound), declared=frozenset(), objects=frozenset())
    if isinstance(scope, _FUNCTIONS):
        bound.update(dict.fromkeys(one.arg for one in _args(scope.args)))
    for node in _own(scope):
        if isinstance(node, ast.Name):
            if not isinstance(node.ctx, ast.Load):
                bound[node.id] = None
            continue
        if type(node) not in _NAMING:
            continue
        match node:
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                objects.update(dict.fromkeys(alias.asname or alias.name.partition(".")[0] for alias in aliases))
            case ast.ClassDef(name=name):
                objects[name] = None
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                declared.update(names)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                bound[name] = None
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                bound[name] = None
            case ast.MatchMapping(rest=str(name)):
                bound[name] = None
    return _Bindings(bound=tuple(bound | objects), declared=frozenset(declared), objects=frozenset(objects))


def _own(scope: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a scope's body without those of the scopes in it, but with what these bind outside themselves."""
    body = getattr(scope, "body", [])
    waiting: list[ast.AST] = list(reversed(body)) if isinstance(body, list) else [body]
    while waiting:
        node = waiting.pop()
        yield node
        if type(node) in _CLOSED:
            continue
        if isinstance(node, _COMPREHENSIONS):
            yield from (one.target for one in _walk(node) if isinstance(one, ast.NamedExpr))
            continue
        waiting += list(_children(node))[::-1]
