"""One pass over a syntax tree that finds what the edits choose from."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import Any

from evoengine.operators.splice.index import Block, Context, Index, Scope, Site

_INTEGER_CALLS = frozenset(
    {"range", "len", "int", "zeros", "ones", "empty", "full", "arange", "eye", "reshape", "islice"}
)
_ARRAY_CALLS = frozenset({"array", "asarray", "zeros", "ones", "empty", "full", "linspace", "arange", "list", "sorted"})


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
        _STATEMENTS.get(type(node), _Walk.other)(self, node, Context(node, scope, loop))

    def bare(self, node: ast.Expr, context: Context) -> None:
        if isinstance(node.value, ast.Constant):
            self.long_string(node.value)  # a docstring, or an ellipsis: nothing to edit
        else:
            self.expression(node.value, node, context)

    def assignment(self, node: ast.Assign, context: Context) -> None:
        self.expression(node.value, node, context)
        for target in node.targets:
            self.target(target, context)
            if isinstance(target, ast.Name) and _is_array(node.value):
                self.index.arrays[target.id] = None

    def changed(self, node: ast.AugAssign | ast.AnnAssign, context: Context) -> None:
        self.target(node.target, context)
        if node.value is not None:
            self.expression(node.value, node, context)

    def class_(self, node: ast.ClassDef, context: Context) -> None:
        context.scope.bound.setdefault(node.name, (node.lineno, node.col_offset))
        self.index.defined.setdefault(node.name, node)
        self.body(node.body, node, Scope(node=node, parent=context.scope), loop=False)

    def for_(self, node: ast.For | ast.AsyncFor, context: Context) -> None:
        self.iterated(node.iter)
        self.expression(node.iter, node, context)
        self.target(node.target, context)
        self.body(node.body, node, context.scope, loop=True)
        self.tail(node, context)

    def while_(self, node: ast.While, context: Context) -> None:
        self.expression(node.test, node, context)
        self.body(node.body, node, context.scope, loop=True)
        self.tail(node, context)

    def if_(self, node: ast.If, context: Context) -> None:
        if context.scope is self.index.module and _is_main_guard(node.test):
            return  # runs only as a script: a change there is no change to a candidate
        self.expression(node.test, node, context)
        self.body(node.body, node, context.scope, loop=context.loop)
        self.tail(node, context)

    def import_(self, node: ast.Import | ast.ImportFrom, context: Context) -> None:
        place, plain = (node.lineno, node.col_offset), isinstance(node, ast.Import)
        for alias in node.names:
            name = alias.asname or (alias.name.partition(".")[0] if plain else alias.name)
            context.scope.bound.setdefault(name, place)
            self.index.imported[name] = None
            if plain and context.scope is self.index.module:
                self.index.modules.setdefault(name, alias.name if alias.asname else name)

    def match(self, node: ast.Match, context: Context) -> None:
        self.expression(node.subject, node, context)
        for case in node.cases:
            if case.guard is not None:
                self.expression(case.guard, case, context)
            self.body(case.body, case, context.scope, loop=context.loop)

    def other(self, node: ast.stmt, context: Context) -> None:
        """Try, with, return, raise, assert, delete: bodies, expressions and targets where they are."""
        if type(node).__name__ == "TypeAlias":
            return
        for name in node._fields:
            value = getattr(node, name, None)
            if isinstance(value, list) and value:
                if isinstance(value[0], ast.stmt):
                    self.body(value, node, context.scope, loop=context.loop)
                else:
                    for one in value:
                        self.part(one, node, context)
            elif isinstance(value, ast.AST):
                self.part(value, node, context)

    def part(self, node: ast.AST, parent: ast.AST, context: Context) -> None:
        match node:
            case ast.withitem(context_expr=value, optional_vars=target):
                self.inner(value, context)
                if target is not None:
                    self.target(target, context)
            case ast.ExceptHandler(name=name):
                if name:
                    context.scope.bound.setdefault(name, (node.lineno, node.col_offset))
                self.body(node.body, node, context.scope, loop=context.loop)
            case ast.expr():
                if isinstance(getattr(node, "ctx", None), ast.Store | ast.Del):
                    self.target(node, context)
                else:
                    self.expression(node, parent, context)

    def tail(self, node: ast.For | ast.AsyncFor | ast.While | ast.If, context: Context) -> None:
        if node.orelse:
            self.body(node.orelse, node, context.scope, loop=context.loop)

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
        special = _INSIDE.get(type(node))
        if special is not None:
            special(self, node, context)
            return
        for name in node._fields:
            child = getattr(node, name, None)
            if isinstance(child, ast.expr):
                self.expression(child, node, context)
            elif isinstance(child, list):
                for one in child:
                    if isinstance(one, ast.expr):
                        self.expression(one, node, context)

    def name(self, _node: ast.Name, _context: Context) -> None:
        pass

    def attribute(self, node: ast.Attribute, context: Context) -> None:
        self.inner(node.value, context)

    def binary(self, node: ast.BinOp, context: Context) -> None:
        self.expression(node.left, node, context)
        self.expression(node.right, node, context)

    def subscript(self, node: ast.Subscript, context: Context) -> None:
        if isinstance(node.value, ast.Name):
            self.index.arrays[node.value.id] = None
        else:
            self.inner(node.value, context)
        self.expression(node.slice, node, context._replace(whole=True))

    def anonymous(self, node: ast.Lambda, context: Context) -> None:
        self.arguments(node.args, node, context)
        context = context._replace(extra=(*context.extra, *_parameters(node.args)))
        self.expression(node.body, node, context)

    def walrus(self, node: ast.NamedExpr, context: Context) -> None:
        self.bind(node.target, context.scope)
        self.expression(node.value, node, context)

    def call(self, node: ast.Call, context: Context) -> None:
        func, args = node.func, node.args
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
        for keyword in node.keywords:
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

    def text(self, node: ast.expr, _: Context) -> None:
        self.long_string(node)

    def long_string(self, node: ast.expr) -> None:
        if node.end_lineno is not None and node.end_lineno > node.lineno:
            self.index.long_strings.append((node.lineno, node.end_lineno))

    def iterated(self, node: ast.expr, *, certain: bool = True) -> None:
        if certain and isinstance(node, ast.Name):
            self.index.arrays[node.id] = None


_STATEMENTS: dict[type, Callable[[_Walk, Any, Context], None]] = {
    ast.Expr: _Walk.bare,
    ast.Assign: _Walk.assignment,
    ast.AugAssign: _Walk.changed,
    ast.AnnAssign: _Walk.changed,
    ast.FunctionDef: _Walk.function,
    ast.AsyncFunctionDef: _Walk.function,
    ast.ClassDef: _Walk.class_,
    ast.For: _Walk.for_,
    ast.AsyncFor: _Walk.for_,
    ast.While: _Walk.while_,
    ast.If: _Walk.if_,
    ast.Import: _Walk.import_,
    ast.ImportFrom: _Walk.import_,
    ast.Match: _Walk.match,
}
_INSIDE: dict[type, Callable[[_Walk, Any, Context], None]] = {
    ast.Constant: _Walk.text,
    ast.JoinedStr: _Walk.text,
    ast.Name: _Walk.name,
    ast.Attribute: _Walk.attribute,
    ast.BinOp: _Walk.binary,
    ast.Subscript: _Walk.subscript,
    ast.Call: _Walk.call,
    ast.Lambda: _Walk.anonymous,
    ast.NamedExpr: _Walk.walrus,
    ast.ListComp: _Walk.comprehension,
    ast.SetComp: _Walk.comprehension,
    ast.GeneratorExp: _Walk.comprehension,
    ast.DictComp: _Walk.comprehension,
}


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
    return any(isinstance(one, ast.Slice | ast.Starred) for one in node.elts)  # type: ignore[attr-defined]


def _is_main_guard(test: ast.expr) -> bool:
    return isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and test.left.id == "__name__"
