"""A program's text with everything gone that does not change what it does, as far as syntax tells."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator

_Scoped = (
    ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_REFLECTION = frozenset({"locals", "vars", "eval", "exec", "dir", "globals"})


def normal_form(text: str) -> str:
    """The text without comments, docstrings and formatting, local names numbered in order of first use.

    Equal texts do the same; the reverse does not hold. Parameters that some call names keep their names, and so do
    all locals of a program that can look at them (`locals`, `eval`). A text that does not parse is given back as it is.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
        _strip(tree)
        _Numbering(tree).visit(tree)
        return ast.unparse(tree) + "\n"
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return text


def _strip(tree: ast.Module) -> None:
    """Takes out what is evaluated for nothing: docstrings, other bare constants, and `pass` beside statements."""
    for node in ast.walk(tree):
        for name in ("body", "orelse", "finalbody"):
            body = getattr(node, name, None)
            if isinstance(body, list) and body and isinstance(body[0], ast.stmt):
                kept = [one for one in body if not _is_idle(one)]
                optional = name == "orelse" or isinstance(node, ast.Module)
                body[:] = kept or ([] if optional else [ast.Pass()])


def _is_idle(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Pass) or (
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    )


class _Numbering(ast.NodeVisitor):
    """Renames the local names of functions and comprehensions in place, in the order in which it meets them."""

    def __init__(self, tree: ast.Module) -> None:
        nodes = list(ast.walk(tree))
        self.named = {one.arg for one in nodes if isinstance(one, ast.keyword) and one.arg}
        self.scopes: list[dict[str, str | None]] = []
        names = {one.id for one in nodes if isinstance(one, ast.Name)}
        self.sees_itself = bool(names & _REFLECTION)
        self.number = 0
        self.taken = self._kept(tree, nodes)

    def _kept(self, tree: ast.Module, nodes: list[ast.AST]) -> set[str]:
        """Names that are not renamed, which a number must not collide with."""
        local = {name for node in nodes if isinstance(node, _Scoped) for name in self.locals_of(node)}
        kept = set(_bound(tree)) | self.named
        for node in nodes:
            match node:
                case ast.Name(id=name) if name not in local:
                    kept.add(name)
                case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                    kept |= {name} - local
                case ast.ClassDef():
                    kept |= set(_bound(node))
                case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                    kept |= {alias.asname or alias.name.partition(".")[0] for alias in aliases}
                case ast.Global(names=names):
                    kept |= set(names)
        return kept

    def locals_of(self, node: ast.AST) -> list[str]:
        """Names of a scope that may be renamed."""
        if self.sees_itself:
            return []
        fixed = {*_declared(node), *_objects(node)}
        if isinstance(node, _FUNCTIONS):
            fixed |= self.named & {one.arg for one in _args(node.args)}
        return [name for name in dict.fromkeys(_bound(node)) if name not in fixed and not name.startswith("__")]

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
        outer = set(_declared(node))
        return {name: None if name in free else name for name in _bound(node) if name not in outer}

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
        outer = set(_declared(node))
        self.scopes.append({name: name for name in _bound(node) if name not in outer})
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


def _declared(scope: ast.AST) -> Iterator[str]:
    for node in _own(scope):
        if isinstance(node, ast.Global | ast.Nonlocal):
            yield from node.names


def _bound(scope: ast.AST) -> Iterator[str]:
    """Names that a scope binds."""
    if isinstance(scope, _COMPREHENSIONS):
        for generator in scope.generators:
            for node in ast.walk(generator.target):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    yield node.id
        return
    if isinstance(scope, _FUNCTIONS):
        yield from (one.arg for one in _args(scope.args))
    for node in _own(scope):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield name
            case ast.MatchMapping(rest=str(name)):
                yield name
    yield from _objects(scope)


def _objects(scope: ast.AST) -> Iterator[str]:
    """Names of a scope's modules and classes, which are more than names."""
    for node in _own(scope):
        match node:
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                yield from (alias.asname or alias.name.partition(".")[0] for alias in aliases)
            case ast.ClassDef(name=name):
                yield name


def _own(scope: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a scope's body without those of the scopes in it, but with what these bind outside themselves."""
    body = getattr(scope, "body", [])
    waiting: list[ast.AST] = list(reversed(body)) if isinstance(body, list) else [body]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            continue
        if isinstance(node, _COMPREHENSIONS):
            yield from (one.target for one in ast.walk(node) if isinstance(one, ast.NamedExpr))
            continue
        waiting += reversed(list(ast.iter_child_nodes(node)))
