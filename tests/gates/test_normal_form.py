from __future__ import annotations

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evoengine.operators.base import NoChild
from evoengine.operators.structural import Structural
from tests.gates.normal_form import normal_form
from tests.operators import corpus
from tests.operators.drafts import draft_of

FIRST = '''\
import math
LIMIT = 3  # how many


def area(width, height):
    """The area."""
    total = width * height
    for step in range(LIMIT):
        total += sum(math.sin(item) for item in range(step) if item)
    try:
        pass
        helper = lambda one: one + total
    except ValueError as error:
        print(error)
    return helper(total)
'''

SECOND = '''\
import math

LIMIT = 3
def area( w,h ):
    result = (w*h)
    for i in range( LIMIT ):
        result += sum(
            math.sin(i_) for i_ in range(i) if i_)
    try:
        """nothing"""
        f = lambda o: o + result
    except ValueError as problem:
        print(problem)
    else:
        pass
    return f(result)   # done
'''


def test_programs_that_differ_in_names_and_format_have_one_form():
    assert normal_form(FIRST) == normal_form(SECOND)
    assert "#" not in normal_form(FIRST)
    assert "The area" not in normal_form(FIRST)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("def f(a, b):\n    return a - b\n", "def f(a, b):\n    return b - a\n"),
        ("def f(a):\n    return a + LIMIT\n", "def f(a):\n    return a + OTHER\n"),
        ("def f():\n    x = 1\n    return x\n", "def f():\n    global x\n    x = 1\n    return x\n"),
        ("def f(a, b):\n    return a - b\nf(b=1, a=2)\n", "def f(b, a):\n    return b - a\nf(b=1, a=2)\n"),
        ("x = 1.0\n", "x = 1\n"),
        ("def f(a):\n    return max(a)\n", "def f(a):\n    return min(a)\n"),
        (
            "def f(a):\n    b = 1\n    def g():\n        nonlocal b\n        b = 2\n    g()\n    return b\n",
            "def f(a):\n    b = 1\n    def g():\n        b = 2\n    g()\n    return b\n",
        ),
        ("def f(x):\n    return locals()\n", "def f(y):\n    return locals()\n"),
        ("def f(a):\n    return v0 + a\n", "def f(a):\n    return a + a\n"),
        (
            "class A:\n    x = 1\n    def f(self):\n        return x\n",
            "class A:\n    x = 1\n    def f(self):\n        return self\n",
        ),
    ],
)
def test_programs_that_do_different_things_have_different_forms(one, other):
    assert normal_form(one) != normal_form(other)


@settings(max_examples=120, deadline=None)
@given(text=st.sampled_from(sorted(corpus.ALL.values())), seed=st.integers(0, 10**6))
def test_the_form_of_a_form_is_itself_and_compiles(text, seed):
    try:
        next(Structural(stack=0.6).breed(draft_of(text, corpus.NESTED, seed=seed)))
    except StopIteration as end:
        text = end.value.text
    except NoChild:
        pass
    form = normal_form(text)
    compile(form, "form", "exec")
    assert normal_form(form) == form


@settings(max_examples=40, deadline=None)
@given(text=st.sampled_from(sorted(corpus.ALL.values())))
def test_layout_and_comments_do_not_change_the_form(text):
    assert normal_form(ast.unparse(ast.parse(text)) + "\n# one more comment\n") == normal_form(text)


@pytest.mark.parametrize("text", ["def (", "x = '\ud800'", "\0", "(" * 500])
def test_what_does_not_parse_is_given_back(text):
    assert normal_form(text) == text


def results(text: str, entry: str, *args: object) -> object:
    module: dict[str, object] = {}
    exec(text, module)
    return module[entry](*args)


@pytest.mark.parametrize(
    ("text", "entry", "args"),
    [
        (corpus.PLAIN, "area", (2.0, 3.0)),
        (corpus.NESTED, "outer", ([[1.0, 2], [3, 4], [0, 1], [2, 2], [5, 1], [7, 7]],)),
        (corpus.CLASSES, "steps", (5,)),
        (corpus.STRINGS, "describe", ("a", [1, 2])),
        (corpus.MODERN, "shape", ([2, 3, 4],)),
        (corpus.UNICODE, "größe", (1.5,)),
        (corpus.TABS, "f", (0.5,)),
        (corpus.PACKING, "main", ()),
    ],
)
def test_a_form_does_what_its_program_does(text, entry, args):
    assert repr(results(normal_form(text), entry, *args)) == repr(results(text, entry, *args))
