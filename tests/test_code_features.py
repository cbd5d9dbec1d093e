"""Features of the code itself, against counts made by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evoengine.code_features import NAMES, measure, measures
from evoengine.types import Context, Program

BRANCHY = """
def f(xs):
    total = 0
    for x in xs:
        if x > 0 and x < 9 or x == 12:
            total += 1 if x else 2
        elif x < -3:
            while True:
                break
    try:
        return [y for y in xs if y if y > 1]
    except ValueError:
        return total
"""


def test_length_counts_the_characters_of_all_files() -> None:
    assert measure("length", Program(files={"main.py": "abc", "b.py": "é\n"})) == 5
    assert measure("length", Context(sections={"a": "four", "b": "x"})) == 5


def test_nodes_and_depth_of_a_small_tree_are_those_counted_by_hand() -> None:
    # Module, Assign, Name, BinOp, Constant, Constant; operators and contexts are no nodes.
    found = measures(Program.of("x = 1 + 2\n"), names=["ast_nodes", "ast_depth"])
    assert found == {"ast_nodes": 6, "ast_depth": 4}


def test_cyclomatic_counts_every_decision_once() -> None:
    # for, if, and, or, conditional, elif, while, comprehension, its two ifs, except: 11, and one.
    assert measure("cyclomatic", Program.of(BRANCHY)) == 12
    assert measure("cyclomatic", Program.of("x = 1\n")) == 1
    assert measure("cyclomatic", Program(files={"main.py": "if x: y\n", "b.py": "if x: y\n"})) == 3


@pytest.mark.parametrize(
    "text", ["def f(:\n", "\0", "(" * 1000, "x = " + "-" * 100_000 + "1", "f(" * 5000 + ")" * 5000, "\ud800"]
)
def test_a_program_that_does_not_parse_has_no_syntax(text: str) -> None:
    found = measures(Program(files={"main.py": text}), names=["ast_nodes", "ast_depth", "cyclomatic"])
    assert found == {"ast_nodes": 0, "ast_depth": 0, "cyclomatic": 0}


def test_a_deep_tree_is_measured_without_recursion() -> None:
    depth = 90
    text = "".join("  " * level + "if x:\n" for level in range(depth)) + "  " * depth + "pass\n"
    assert measure("ast_depth", Program.of(text)) == depth + 2


def test_contexts_and_other_languages_have_no_syntax() -> None:
    assert measure("ast_nodes", Context(sections={"a": "x = 1"})) == 0
    assert measure("ast_nodes", Program(files={"main.c": "x = 1"}, language="c")) == 0


def test_novelty_is_the_share_of_shingles_that_the_nearest_reference_lacks() -> None:
    one, other = Program.of("a b c d e f"), Program.of("a b c d e g")
    # Shingles abcde bcdef against abcde bcdeg: one in common of three.
    assert measure("novelty", one, (other,)) == pytest.approx(1 - 1 / 3)
    assert measure("novelty", one, (Program.of("x y z x y z"), other)) == pytest.approx(1 - 1 / 3)
    assert measure("novelty", one, (Program.of("a  b c\nd e f"),)) == 0
    assert measure("novelty", one, ()) == 1
    assert measure("novelty", one, (Program.of("x y z x y z"),)) == 1


@given(st.text(), st.text())
def test_novelty_lies_between_0_and_1_and_is_the_same_from_both_ends(one: str, other: str) -> None:
    first, second = Program.of(one), Program.of(other)
    distance = measure("novelty", first, (second,))
    assert 0 <= distance <= 1
    assert distance == measure("novelty", second, (first,))
    assert measure("novelty", first, (first,)) == 0


@given(st.text(max_size=200))
def test_any_text_can_be_measured(text: str) -> None:
    found = measures(Program.of(text))
    assert set(found) == set(NAMES)
    assert all(value >= 0 for value in found.values())


def test_an_unknown_feature_is_named_with_those_that_there_are() -> None:
    with pytest.raises(KeyError, match="ast_nodes"):
        measure("beauty", Program.of("x = 1\n"))
