"""Features of the code itself, for behaviour space.

`length` is the number of characters of all files; `ast_nodes` and `ast_depth` the size and height of the
syntax tree; `cyclomatic` the number of independent paths (McCabe 1976, doi:10.1109/TSE.1976.233837): one
more than the decisions of the whole program; `novelty` the distance to the nearest of some reference
contents, from 0 (equal but for layout) to 1 (nothing in common): one less the Jaccard index of the sets of
5 successive tokens (Broder 1997, doi:10.1109/SEQUEN.1997.666900).

Contexts, programs in other languages and programs that do not parse have the syntax features 0.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from evoengine.types import Content, Context, Program

NAMES = ("length", "ast_nodes", "ast_depth", "cyclomatic", "novelty")
"""The features that can be measured."""

_SYNTAX = ("ast_nodes", "ast_depth", "cyclomatic")
_SHINGLE = 5
_TOKEN = re.compile(r"\w+|[^\w\s]")
_BRANCHES = (ast.If, ast.For, ast.AsyncFor, ast.While, ast.ExceptHandler, ast.IfExp, ast.match_case)
_NOT_NODES = (ast.expr_context, ast.operator, ast.unaryop, ast.boolop, ast.cmpop)


def measures(content: Content, reference: tuple[Content, ...] = (), names: Iterable[str] = NAMES) -> dict[str, float]:
    """The named features of a content, each measured only if it is asked for.

    Args:
        content: what is measured.
        reference: what `novelty` is the distance to; with none it is 1.
        names: some of `NAMES`.

    Raises:
        KeyError: there is no such feature.
    """
    wanted = list(names)
    syntax = _syntax(content) if any(name in _SYNTAX for name in wanted) else {}
    return {name: _measured(name, content, reference, syntax) for name in wanted}


def measure(name: str, content: Content, reference: tuple[Content, ...] = ()) -> float:
    """One feature of a content.

    Raises:
        KeyError: there is no such feature.
    """
    return measures(content, reference, (name,))[name]


def _measured(name: str, content: Content, reference: tuple[Content, ...], syntax: Mapping[str, float]) -> float:
    match name:
        case "length":
            return float(sum(map(len, _texts(content).values())))
        case "novelty":
            return _novelty(content, reference)
        case _ if name in _SYNTAX:
            return syntax[name]
    raise KeyError(f"no feature of code is called {name!r}; there are: {', '.join(NAMES)}")


def _texts(content: Content) -> Mapping[str, str]:
    return content.files if isinstance(content, Program) else content.sections


def _syntax(content: Content) -> dict[str, float]:
    nodes, depth, decisions = 0, 0, 0
    try:
        for tree in _trees(content):
            for node, level in _levels(tree):
                nodes += 1
                depth = max(depth, level)
                decisions += _decisions(node)
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # what ast.parse says of text made to break it
        return dict.fromkeys(_SYNTAX, 0.0)
    return {"ast_nodes": float(nodes), "ast_depth": float(depth), "cyclomatic": float(decisions + 1) if nodes else 0.0}


def _trees(content: Content) -> Iterator[ast.AST]:
    if isinstance(content, Context) or content.language != "python":
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd escapes and comparisons in what was generated
        for path, text in content.files.items():
            if path.endswith(".py"):
                yield ast.parse(text)


def _levels(tree: ast.AST) -> Iterator[tuple[ast.AST, int]]:
    """Every node with its depth, from 1; without recursion, since generated trees can be deep."""
    stack = [(tree, 1)]
    while stack:
        node, level = stack.pop()
        yield node, level
        stack += [(child, level + 1) for child in ast.iter_child_nodes(node) if not isinstance(child, _NOT_NODES)]


def _decisions(node: ast.AST) -> int:
    match node:
        case ast.BoolOp(values=values):
            return len(values) - 1
        case ast.comprehension(ifs=conditions):
            return 1 + len(conditions)
        case _:
            return int(isinstance(node, _BRANCHES))


def _novelty(content: Content, reference: tuple[Content, ...]) -> float:
    own = _shingles(content)
    return 1.0 - max((_jaccard(own, _cached_shingles(other)) for other in reference), default=0.0)


def _jaccard(one: frozenset[tuple[str, ...]], other: frozenset[tuple[str, ...]]) -> float:
    union = len(one | other)
    return len(one & other) / union if union else 1.0


def _shingles(content: Content) -> frozenset[tuple[str, ...]]:
    texts = _texts(content)
    tokens = _TOKEN.findall("\n".join(texts[path] for path in sorted(texts)))
    last = max(len(tokens) - _SHINGLE, 0)
    return frozenset(tuple(tokens[start : start + _SHINGLE]) for start in range(last + 1)) if tokens else frozenset()


_cached_shingles = lru_cache(maxsize=64)(_shingles)
