"""One pass over a syntax tree that finds what the edits choose from."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

_INTEGER_CALLS = frozenset(
    {"range", "len", "int", "zeros", "ones", "empty", "full", "arange", "eye", "reshape", "islice"}
)
_ARRAY_CALLS = frozenset({"array", "asarray", "zeros", "ones", "empty", "full", "linspace", "arange", "list", "sorted"})


@dataclass(slots=True, eq=False)
class Scope:
    """A module, class or function, with the names that it binds."""

    node: ast.AST
    parent: Scope | None = None
    bound: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Name to the first place (line, column) from which it may be used."""

    def visible(self, statement: ast.stmt) -> list[str]:
        """Names that are bound where a statement of this scope begins, in order of binding."""
        here = (statement.lineno, statement.col_offset)
        names = [name for name, place in self.bound.items() if place < here]
        outer = self.parent
        while outer is not None:
            if not isinstance(outer.node, ast.ClassDef):
                names += [name for name in outer.bound if name not in self.bound]
            outer = outer.parent
        return list(dict.fromkeys(names))


class Context(NamedTuple):
    """Where expressions stand: `extra` are names of comprehensions and lambdas, `whole` says integers only."""

    statement: ast.stmt
    scope: Scope
    extra: tuple[str, ...] = ()
    whole: bool = False


class Site(NamedTuple):
    """An expression that any other expression, in parentheses, may replace."""

    node: ast.expr
    parent: ast.AST
    context: Context


class Block(NamedTuple):
    """A list of statements."""

    owner: ast.AST
    statements: list[ast.stmt]
    scope: Scope
    loop: bool
    """Whether `continue` may stand here."""


@dataclass(slots=True, eq=False)
class Index:
    """What one pass found, in the order of the text."""

    sites: list[Site] = field(default_factory=list)
    numbers: list[Site] = field(default_factory=list)
    """Integer and float literals, with their minus sign."""
    blocks: list[Block] = field(default_factory=list)
    module: Scope = field(default_factory=lambda: Scope(node=ast.Module(body=[], type_ignores=[])))
    long_strings: list[tuple[int, int]] = field(default_factory=list)
    """Strings over several lines: first and last line, from 1."""
    modules: dict[str, str] = field(default_factory=dict)
    """Alias to the module that a top-level import binds to it."""
    arrays: dict[str, None] = field(default_factory=dict)
    """Names that are subscripted, iterated over, measured, or bound to a display of elements."""
    called: dict[str, None] = field(default_factory=dict)
    operands: dict[str, None] = field(default_factory=dict)
    defined: dict[str, ast.AST] = field(default_factory=dict)
    """Functions and classes, by name."""


def indexed(tree: ast.Module) -> Index:
    """The index of a module."""
    index = Index(module=Scope(node=tree))
    _Walk(index).body(tree.body, tree, index.module, loop=False)
    return index


def names_stored(node: ast.AST) -> Iterable[str]:
    """Names that a target binds."""
    match node:
        case ast.Name(id=name):
            yield name
        case ast.Tuple(elts=elts) | ast.List(elts=elts):
            for one in elts:
                yield from names_stored(one)
        case ast.Starred(value=value):
            yield from names_stored(value)


class _Walk:
    def __init__(self, index: Index) -> None:
        self.index = index

    def body(self, statements: list[ast.stmt], owner: ast.AST, scope: Scope, *, loop: bool) -> None:
        self.index.blocks.append(Block(owner, statements, scope, loop))
        for statement in statements:
            self.statement(statement, scope, loop=loop)

    def bind(self, target: ast.AST, scope: Scope) -> None:
        for name in names_stored(target):
            scope.bound.setdefault(name, (target.lineno, target.col_offset))  # type: ignore[attr-defined]

    def statement(self, node: ast.stmt, scope: Scope, *, loop: bool) -> None:
        context = Context(node, scope)
        match node:
            case ast.Expr(value=value):
                if isinstance(value, ast.Constant):
                    self.long_string(value)  # a docstring, or an ellipsis: nothing to edit
                else:
                    self.expression(value, node, context)
            case ast.Assign(targets=targets, value=value):
                self.expression(value, node, context)
                for target in targets:
                    self.target(target, context)
                    if _is_array(value) and isinstance(target, ast.Name):
                        self.index.arrays[target.id] = None
            case ast.AugAssign(target=target, value=value):
                self.target(target, context)
                self.expression(value, node, context)
            case ast.AnnAssign(target=target, value=value):
                self.target(target, context)
                if value is not None:
                    self.expression(value, node, context)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self.function(node, context)
            case ast.ClassDef(name=name, body=body):
                scope.bound.setdefault(name, (node.lineno, node.col_offset))
                self.index.defined.setdefault(name, node)
                self.body(body, node, Scope(node=node, parent=scope), loop=False)
            case ast.For(target=target, iter=iterable) | ast.AsyncFor(target=target, iter=iterable):
                self.iterated(iterable)
                self.expression(iterable, node, context)
                self.target(target, context)
                self.body(node.body, node, scope, loop=True)
                self.tail(node.orelse, node, scope, loop=loop)
            case ast.While(test=test):
                self.expression(test, node, context)
                self.body(node.body, node, scope, loop=True)
                self.tail(node.orelse, node, scope, loop=loop)
            case ast.If(test=test):
                if scope is self.index.module and _is_main_guard(test):
                    return  # runs only as a script: a change there is no change to a candidate
                self.expression(test, node, context)
                self.body(node.body, node, scope, loop=loop)
                self.tail(node.orelse, node, scope, loop=loop)
            case ast.Import(names=aliases):
                for alias in aliases:
                    name = alias.asname or alias.name.partition(".")[0]
                    scope.bound.setdefault(name, (node.lineno, node.col_offset))
                    if scope is self.index.module:
                        self.index.modules.setdefault(name, alias.name if alias.asname else name)
            case ast.ImportFrom(names=aliases):
                for alias in aliases:
                    scope.bound.setdefault(alias.asname or alias.name, (node.lineno, node.col_offset))
            case ast.Match(subject=subject, cases=cases):
                self.expression(subject, node, context)
                for case in cases:
                    if case.guard is not None:
                        self.expression(case.guard, case, context)
                    self.body(case.body, case, scope, loop=loop)
            case _:
                self.other(node, context, loop=loop)

    def other(self, node: ast.AST, context: Context, *, loop: bool) -> None:
        """Try, with, return, raise, assert, delete: bodies, expressions and targets where they are."""
        if type(node).__name__ == "TypeAlias":
            return
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, list) and value:
                if isinstance(value[0], ast.stmt):
                    self.body(value, node, context.scope, loop=loop)
                else:
                    for one in value:
                        self.part(one, node, context, loop=loop)
            elif isinstance(value, ast.AST):
                self.part(value, node, context, loop=loop)

    def part(self, node: ast.AST, parent: ast.AST, context: Context, *, loop: bool) -> None:
        match node:
            case ast.withitem(context_expr=value, optional_vars=target):
                self.inner(value, context)
                if target is not None:
                    self.target(target, context)
            case ast.ExceptHandler(name=name):
                if name:
                    context.scope.bound.setdefault(name, (node.lineno, node.col_offset))
                self.body(node.body, node, context.scope, loop=loop)
            case ast.expr():
                if isinstance(getattr(node, "ctx", None), ast.Store | ast.Del):
                    self.target(node, context)
                else:
                    self.expression(node, parent, context)

    def tail(self, statements: list[ast.stmt], owner: ast.AST, scope: Scope, *, loop: bool) -> None:
        if statements:
            self.body(statements, owner, scope, loop=loop)

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, context: Context) -> None:
        place = (node.lineno, node.col_offset)
        context.scope.bound.setdefault(node.name, place)
        self.index.defined.setdefault(node.name, node)
        inner = Scope(node=node, parent=context.scope)
        self.arguments(node.args, node, context)
        for name in _parameters(node.args):
            inner.bound[name] = place
        self.body(node.body, node, inner, loop=False)

    def arguments(self, node: ast.arguments, parent: ast.AST, context: Context) -> None:
        for default in (*node.defaults, *node.kw_defaults):
            if default is not None:
                self.expression(default, parent, context)

    def target(self, node: ast.expr, context: Context) -> None:
        match node:
            case ast.Subscript(value=value, slice=key):
                if isinstance(value, ast.Name):
                    self.index.arrays[value.id] = None
                else:
                    self.inner(value, context)
                self.expression(key, node, context._replace(whole=True))
            case ast.Attribute(value=value):
                self.inner(value, context)
            case ast.Tuple(elts=elts) | ast.List(elts=elts):
                for one in elts:
                    self.target(one, context)
            case ast.Starred(value=value):
                self.target(value, context)
            case ast.Name():
                self.bind(node, context.scope)

    def expression(self, node: ast.expr, parent: ast.AST, context: Context) -> None:
        """Notes a site, and those inside it."""
        index = self.index
        kind = type(node)
        if kind is ast.Name:
            index.sites.append(Site(node, parent, context))
            if isinstance(parent, ast.BinOp):
                index.operands[node.id] = None  # type: ignore[attr-defined]
            return
        if kind is ast.Constant:
            self.constant(node, parent, context)  # type: ignore[arg-type]
            return
        if kind is ast.JoinedStr:
            self.long_string(node)  # Python 3.11 gives wrong positions inside f-strings
            return
        if kind is ast.UnaryOp and _is_number(node.operand) and isinstance(node.op, ast.USub):  # type: ignore[attr-defined]
            site = Site(node, parent, context)
            index.sites.append(site)
            index.numbers.append(site)
            return
        if kind not in (ast.Slice, ast.Starred) and not (kind is ast.Tuple and _slices(node)):
            index.sites.append(Site(node, parent, context))
        self.inner(node, context)

    def inner(self, node: ast.expr, context: Context) -> None:
        """Notes the sites inside an expression that is none itself."""
        match node:
            case ast.Constant() | ast.JoinedStr():
                self.long_string(node)
            case ast.Name():
                pass
            case ast.Attribute(value=value):
                self.inner(value, context)
            case ast.Subscript(value=value, slice=key):
                if isinstance(value, ast.Name):
                    self.index.arrays[value.id] = None
                self.inner(value, context)
                self.expression(key, node, context._replace(whole=True))
            case ast.Call(func=func, args=args, keywords=keywords):
                self.call(node, func, args, keywords, context)
            case ast.Lambda(args=args, body=body):
                self.arguments(args, node, context)
                self.expression(body, node, context._replace(extra=(*context.extra, *_parameters(args))))
            case ast.NamedExpr(target=target, value=value):
                self.bind(target, context.scope)
                self.expression(value, node, context)
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                self.comprehension(node, context)
            case _:
                for name in node._fields:
                    child = getattr(node, name, None)
                    if isinstance(child, ast.expr):
                        self.expression(child, node, context)
                    elif isinstance(child, list):
                        for one in child:
                            if isinstance(one, ast.expr):
                                self.expression(one, node, context)

    def call(
        self, node: ast.Call, func: ast.expr, args: list[ast.expr], keywords: list[ast.keyword], context: Context
    ) -> None:
        name = func.id if isinstance(func, ast.Name) else func.attr if isinstance(func, ast.Attribute) else ""
        if isinstance(func, ast.Name):
            self.index.called[name] = None
            if name in ("len", "sum", "sorted", "enumerate", "zip", "max", "min"):
                for one in args:
                    self.iterated(one, certain=len(args) == 1 or name == "zip")
        else:
            self.inner(func, context)
        if name in _INTEGER_CALLS:
            context = context._replace(whole=True)
        for one in args:
            self.expression(one, node, context)
        for keyword in keywords:
            self.expression(keyword.value, node, context)

    def comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, context: Context
    ) -> None:
        for generator in node.generators:
            self.iterated(generator.iter)
            self.expression(generator.iter, generator, context)
            context = context._replace(extra=(*context.extra, *names_stored(generator.target)))
            for test in generator.ifs:
                self.expression(test, generator, context)
        if isinstance(node, ast.DictComp):
            self.expression(node.key, node, context)
            self.expression(node.value, node, context)
        else:
            self.expression(node.elt, node, context)

    def constant(self, node: ast.Constant, parent: ast.AST, context: Context) -> None:
        if _is_number(node):
            site = Site(node, parent, context)
            self.index.sites.append(site)
            self.index.numbers.append(site)
        elif isinstance(node.value, bool | None):
            self.index.sites.append(Site(node, parent, context))
        else:
            self.long_string(node)

    def long_string(self, node: ast.expr) -> None:
        if node.end_lineno is not None and node.end_lineno > node.lineno:
            self.index.long_strings.append((node.lineno, node.end_lineno))

    def iterated(self, node: ast.expr, *, certain: bool = True) -> None:
        if certain and isinstance(node, ast.Name):
            self.index.arrays[node.id] = None


def _parameters(args: ast.arguments) -> list[str]:
    every = [*args.posonlyargs, *args.args, *args.kwonlyargs]
    return [one.arg for one in (*every, args.vararg, args.kwarg) if one is not None]


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)


def _is_array(node: ast.expr) -> bool:
    if isinstance(node, ast.Call):
        func = node.func
        name = func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""
        return name in _ARRAY_CALLS
    return isinstance(node, ast.List | ast.ListComp)


def _slices(node: ast.expr) -> bool:
    return any(isinstance(one, ast.Slice) for one in node.elts)  # type: ignore[attr-defined]


def _is_main_guard(test: ast.expr) -> bool:
    return isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and test.left.id == "__name__"
