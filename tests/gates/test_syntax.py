from __future__ import annotations

import ast
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evoengine.gates.syntax import Syntax
from evoengine.operators.base import NoChild
from evoengine.operators.structural import Structural
from evoengine.types import Cause, Context, Program
from tests.gates.normal_form import normal_form
from tests.gates.records import record_of
from tests.gates.test_normal_form import FIRST, SECOND
from tests.operators import corpus
from tests.operators.drafts import draft_of


def after(*contents):
    gate = Syntax()
    gate.open()
    for number, content in enumerate(contents, start=1):
        gate.take(record_of(number, content))
    return gate


def refused(gate, child):
    return gate.refusal(Program.of(child) if isinstance(child, str) else child)


def test_a_child_that_differs_in_names_and_format_is_refused_with_the_record_that_it_equals():
    found = refused(after("x = 1\n", FIRST), SECOND)
    assert found.cause is Cause.DUPLICATE
    assert "record 2" in found.feedback


def test_the_first_record_of_a_form_is_named():
    assert "record 1," in refused(after(FIRST, SECOND), FIRST).feedback


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("def f(a, b):\n    return a - b\n", "def f(a, b):\n    return b - a\n"),
        ("def f(a):\n    return a + LIMIT\n", "def f(a):\n    return a + OTHER\n"),
        ("def f():\n    x = 1\n    return x\n", "def f():\n    global x\n    x = 1\n    return x\n"),
        ("def f():\n    x = 1\n", "def f():\n    y = 1\n    global y\n"),
        ("def f(a, b):\n    return a - b\nf(b=1, a=2)\n", "def f(b, a):\n    return b - a\nf(b=1, a=2)\n"),
        ("x = 1.0\n", "x = 1\n"),
        ("x = True\n", "x = 1\n"),
        ("x = 'a'\n", "x = b'a'\n"),
        ("x = y[1:]\n", "x = y[:1]\n"),
        ("def f(a):\n    return max(a)\n", "def f(a):\n    return min(a)\n"),
        ("def f(a):\n    len = a\n    return len\n", "def f(a):\n    max = a\n    return len\n"),
        (
            "def f(a):\n    b = 1\n    def g():\n        nonlocal b\n        b = 2\n    g()\n    return b\n",
            "def f(a):\n    b = 1\n    def g():\n        b = 2\n    g()\n    return b\n",
        ),
        ("def f(x):\n    return locals()\n", "def f(y):\n    return locals()\n"),
        ("y = 2\ndef f(x):\n    y = x\n    return y\n", "y = 2\ndef f(x):\n    z = x\n    return y\n"),
        (
            "def f():\n    class A:\n        x = 1\n    return A.x\n",
            "def f():\n    class A:\n        y = 1\n    return A.x\n",
        ),
        ("def f(x):\n    return [max for max in x], max(x)\n", "def f(x):\n    return [min for min in x], min(x)\n"),
        (
            "a = b = 1\ndef f(x):\n    return [a for a in x], a\n",
            "a = b = 1\ndef f(x):\n    return [b for b in x], b\n",
        ),
        ("class A:\n    x = 1\n", "class A:\n    y = 1\n"),
        ("BinOp = 1\nx = BinOp\n", "BinOp = 1\nx = 1 + 1\n"),
        ("def f(x: int):\n    return x\n", "def f(x: str):\n    return x\n"),
        ("try:\n    f()\nexcept A:\n    g()\n", "try:\n    f()\nexcept B:\n    g()\n"),
        ("def f(*a, **b):\n    return a\n", "def f(*a, **b):\n    return b\n"),
        ("def f(x):\n    'doc'\n    return x\n", "def f(x):\n    return 'doc'\n"),
        ("for i in x:\n    f(i)\ng(i)\n", "for i in x:\n    f(i)\n    g(i)\n"),
    ],
)
def test_a_child_that_does_another_thing_passes(one, other):
    gate = after(one)
    assert refused(gate, one) is not None
    assert refused(gate, other) is None


def children(text, seed):
    try:
        next(Structural(stack=0.3).breed(draft_of(text, corpus.NESTED, seed=seed)))
    except StopIteration as end:
        return end.value.text
    except NoChild:
        return text
    raise AssertionError


@settings(max_examples=200, deadline=None)
@given(text=st.sampled_from(sorted(corpus.ALL.values())), one=st.integers(0, 10**6), other=st.integers(0, 10**6))
def test_only_children_of_one_normal_form_are_refused(text, one, other):
    """The normal form is worked out in another way: by scopes, and written down as a text."""
    first, second = children(text, one), children(text, other)
    if refused(after(first), second) is not None:
        assert normal_form(first) == normal_form(second)


@settings(max_examples=60, deadline=None)
@given(text=st.sampled_from(sorted(corpus.ALL.values())))
def test_what_is_written_down_anew_is_refused(text):
    assert refused(after(text), ast.unparse(ast.parse(text)) + "\n# one more comment\n") is not None


def test_all_files_count():
    def program(helper, data="1  2\n"):
        return Program(files={"main.py": "import helper\n", "helper.py": helper, "data.txt": data})

    gate = after(program("def f(x):\n    return x\n"))
    assert refused(gate, program("def f(y):  # the same\n    return y\n", "1  2  \n\n")) is not None
    assert refused(gate, program("def f(y):\n    return -y\n")) is None
    assert refused(gate, program("def f(x):\n    return x\n", "1 2\n")) is None
    moved = Program(files={"main.py": "import helper\n", "other.py": "def f(x):\n    return x\n", "data.txt": "1  2\n"})
    assert refused(gate, moved) is None


def test_of_another_language_only_blank_lines_and_the_ends_of_lines_do_not_count():
    def program(text, language="cpp"):
        return Program(files={"main.cpp": text}, language=language)

    gate = after(program('int main() {\n  puts("a  b"); // done\n}\n'))
    assert refused(gate, program('int main() {\r\n\r\n  puts("a  b"); // done  \r\n}')) is not None
    assert refused(gate, program('int main() {\n  puts("a b"); // done\n}\n')) is None
    assert refused(gate, program('int main() {\n  puts("a  b");\n}\n')) is None
    assert refused(gate, program('int main() {\n  puts("a  b"); // done\n}\n', "c")) is None


def test_of_a_context_no_white_space_counts():
    gate = after(Context(sections={"rules": "Think  first.\n\nThen write."}))
    assert gate.refusal(Context(sections={"rules": "Think first. Then write.\n"})) is not None
    assert gate.refusal(Context(sections={"rules": "Think first. Then stop."})) is None
    assert gate.refusal(Context(sections={"advice": "Think first. Then write."})) is None


@pytest.mark.parametrize("cause", [Cause.SIMILAR, Cause.REINTRODUCED, Cause.UNJUDGED])
def test_what_was_never_judged_may_come_back(cause):
    gate = Syntax()
    gate.take(record_of(1, FIRST, None, cause))
    assert refused(gate, SECOND) is None


def test_what_failed_need_not_fail_again():
    gate = Syntax()
    gate.take(record_of(1, FIRST, None, Cause.CRASHED))
    assert refused(gate, SECOND) is not None


def test_a_kept_state_takes_sixteen_characters_of_a_record():
    gate = after(*(f"x = {number}\n" for number in range(500)))
    assert len(json.dumps(gate.state())) < 500 * 16 + 100


def test_what_nests_deeply_is_compared_as_a_tree_too():
    deep = "x = " + "+".join(["1"] * 800) + "\n"
    assert refused(after(deep), f"# one\n{deep}") is not None
