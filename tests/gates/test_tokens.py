from __future__ import annotations

import io
import tokenize

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evoengine.gates._tokens import is_number, tokens_of
from evoengine.types import Context, Program

PROGRAM = """import math

def f(a, b):
    x = [a, "one # two", 'it\\'s']
    return x[0] + 1.5e-3 * math.pi - .5
"""


def read(text: str) -> list[str]:
    return tokens_of(Program.of(text))


@pytest.mark.parametrize(
    "text",
    [
        "# a remark\n" + PROGRAM,
        '"""What it is."""\n' + PROGRAM,
        '# first\n\nr"""What it is,\nin lines."""\n' + PROGRAM,
        PROGRAM.replace("b):\n", "b):\n    '''What \"it\" does.'''\n"),
        PROGRAM.replace("a, b", "a,\n      b  # the other one\n"),
        PROGRAM.replace("+ 1.5e-3", "\\\n        + 0.0015").replace(".5\n", "0.50\n"),
    ],
)
def test_comments_layout_docstrings_and_the_spelling_of_numbers_are_left_out(text: str) -> None:
    assert text != PROGRAM
    assert read(text) == read(PROGRAM)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = '# one'\n", "x = '# two'\n"),
        ('x = """# one"""\n', 'x = """# two"""\n'),
        ('x = {1:\n    """one""" + y}\n', 'x = {1:\n    """two""" + y}\n'),
        ('"""one""" + f()\n', '"""two""" + f()\n'),
        ("x = 1\n", "x = 1.0\n"),
    ],
)
def test_strings_and_numbers_that_mean_something_count(one: str, other: str) -> None:
    assert read(one) != read(other)


def test_numbers_are_told_apart_from_signs_and_comments() -> None:
    numbers = [token for token in read("x1 = 0x1F + 2 # 3\n") if is_number(token)]
    assert numbers == ["#1f", "#2"]
    assert [token for token in tokens_of(Context(sections={"a": "# take 3 steps"})) if is_number(token)] == ["#3"]


def test_names_strings_and_numbers_are_those_that_python_reads() -> None:
    kinds = (tokenize.NAME, tokenize.STRING, tokenize.NUMBER)
    told = tokenize.generate_tokens(io.StringIO(PROGRAM).readline)
    expected = [one.string for one in told if one.type in kinds and one.type != tokenize.NUMBER]
    found = [token for token in read(PROGRAM)[1:] if (token[0].isalnum() or token[0] in "\"'_")]
    assert found == expected


@settings(max_examples=200, deadline=None)
@given(text=st.text(alphabet="\"'\\\n #:rb1.e+x\t", max_size=200))
def test_no_text_is_too_broken_to_be_read(text: str) -> None:
    tokens = read(text)
    assert tokens[0] == "file:main.py"
    assert all(tokens)
