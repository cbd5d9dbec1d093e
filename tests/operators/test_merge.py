from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from evoengine.operators.base import NoChild
from evoengine.operators.merge import Merge
from evoengine.operators.merging import merged_files, merged_text
from evoengine.operators.structural import Structural
from evoengine.types import Cause, Child, Program, Scored
from tests.operators import corpus
from tests.operators.drafts import blocks_cut_out, draft_of
from tests.operators.talking import Talk, draft, elite, record

SEEDS = {path.parent.name: path.read_text() for path in sorted(Path("problems").glob("*/seed.py"))}
PROGRAMS = {**corpus.ALL, **SEEDS}
LAWS = settings(max_examples=60, deadline=None, derandomize=True)

programs = st.sampled_from(sorted(PROGRAMS)).map(PROGRAMS.__getitem__)
numbers = st.integers(0, 10_000)

BASE = '''\
import math
from os import path, sep


@tidy
def area(width, height=1):
    """The area."""
    # a comment
    total = width * height  # in metres
    for step in range(3):
        if step:
            total += math.sin(step)
        else:
            total -= 1
    return total


class Box:
    size = 3

    def volume(self, area):
        return area * self.size


def other(width):
    total = width
    return total
'''


def changed(text: str, seed: int, edits: int = 1) -> str:
    """A text after some edits by the structural operator."""
    for at in range(edits):
        try:
            next(Structural(stack=0.0).breed(draft_of(text, seed=seed * 10 + at)))
        except StopIteration as end:
            text = end.value.text
        except NoChild:
            assume(False)
    return text


def merged(first: str, second: str, base: str = BASE, language: str = "python") -> str:
    found = merged_text(base, first, second, language)
    assert not found.conflicts, found.conflicts
    backwards = merged_text(base, second, first, language)
    assert backwards == found
    return found.content


def conflict(first: str, second: str, base: str = BASE, language: str = "python") -> str:
    found = merged_text(base, first, second, language)
    assert found.conflicts
    assert merged_text(base, second, first, language).conflicts
    return found.conflicts[0]


@LAWS
@given(programs, numbers, st.integers(1, 3))
def test_a_side_that_changed_nothing_leaves_the_other_as_it_is(base, seed, edits):
    child = changed(base, seed, edits)
    assert merged_text(base, child, base).content == child
    assert merged_text(base, base, child).content == child
    assert merged_text(base, child, child).content == child
    assert not merged_text(base, child, child).conflicts


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@LAWS
@given(programs, numbers, numbers, st.integers(1, 2))
def test_a_merge_without_conflicts_compiles_and_is_the_same_from_both_sides(base, one, other, edits):
    first, second = changed(base, one, edits), changed(base, other, edits)
    result, backwards = merged_text(base, first, second), merged_text(base, second, first)
    assert bool(result.conflicts) == bool(backwards.conflicts)
    if not result.conflicts:
        assert result.content == backwards.content
        compile(result.content, "merged", "exec")


@LAWS
@given(programs, numbers, numbers)
def test_every_line_of_a_merge_without_conflicts_is_of_a_side_and_none_that_both_have_is_lost(base, one, other):
    first, second = changed(base, one), changed(base, other)
    result = merged_text(base, first, second)
    assume(not result.conflicts)
    lines = set(result.content.splitlines(keepends=True))
    sides = [set(text.splitlines(keepends=True)) for text in (first, second)]
    assert lines - sides[0] - sides[1] == set()
    assert sides[0] & sides[1] & set(base.splitlines(keepends=True)) <= lines


UNMARKED = [
    text for name, text in sorted(PROGRAMS.items()) if "EVOLVE-BLOCK" not in text and name not in ("crlf", "tabs")
]


@LAWS
@given(st.sampled_from(UNMARKED), st.sampled_from(UNMARKED), numbers, numbers, st.integers(1, 4))
def test_changes_of_two_halves_of_a_program_are_both_in_the_merge_byte_by_byte(above, below, one, other, edits):
    between = "\n\nBETWEEN = 1\n\n\n"
    assume("__future__" not in below)
    base = above + between + below
    mine, yours = changed(above, one, edits), changed(below, other, edits)
    result = merged_text(base, mine + between + below, above + between + yours)
    if not result.conflicts:
        assert result.content == mine + between + yours
    else:
        [why] = result.conflicts
        assert "the other takes it away" in why or "in ways that leave it" in why


@LAWS
@given(st.sampled_from(["PACKING", "TWO_BLOCKS"]), numbers, numbers, st.integers(1, 3))
def test_what_lies_outside_of_the_blocks_stays(name, one, other, edits):
    base = getattr(corpus, name)
    talk, parents = family(base, changed(base, one, edits), changed(base, other, edits))
    try:
        child = talk.child(Merge(), draft(*parents)).content
    except NoChild:
        return
    assert isinstance(child, Program)
    cleaned = [text.replace(corpus_note(base), "") for text in (base, child.text)]
    assert blocks_cut_out(cleaned[0]) == blocks_cut_out(cleaned[1])


def corpus_note(base: str) -> str:
    start = base.find('NOTE = """')
    return base[start : base.index('"""\n', start + 12)] if start >= 0 else "\0"


# what is merged


@pytest.mark.parametrize(
    ("mine", "yours"),
    [
        (("total -= 1", "total -= 2"), ("math.sin(step)", "math.cos(step)")),
        (("range(3)", "range(4)"), ("total -= 1", "total -= 2")),
        (("# a comment", "# another comment"), ("total = width * height", "total = width + height")),
        (("# in metres", "# in feet"), ("total = width * height", "total = width + height")),
        (('"""The area."""', '"""An area."""'), ("def area(width, height=1):", "def area(width, height=2):")),
        (("@tidy", "@tidy\n@quick"), ("def area(width, height=1):", "def area(width, height=1) -> float:")),
        (("(width, height", "(breadth, height"), ("height=1)", "height=2)")),
        (("    size = 3\n", "    size = 4\n"), ("area * self.size", "self.size * area")),
        (
            ("    return total\n\n\nclass", "    total /= 2\n    return total\n\n\nclass"),
            ("in range(3)", "in range(5)"),
        ),
        (("def other(width)", "def another(width)"), ("size = 3", "size = 5")),
    ],
)
def test_changes_of_different_statements_and_parts_are_united(mine, yours):
    assert merged(BASE.replace(*mine), BASE.replace(*yours)) == BASE.replace(*mine).replace(*yours)


def test_names_imported_from_one_module_are_united():
    first = BASE.replace("path, sep", "path, sep, walk")
    second = BASE.replace("path, sep", "getcwd, path")
    assert merged(first, second) == BASE.replace("path, sep", "path, getcwd, walk")


def test_new_imports_and_functions_of_both_sides_stand_one_behind_the_other():
    first = BASE.replace("sep\n", "sep\nimport re\nimport json\n") + "\n\ndef zeta():\n    return 1\n"
    second = BASE.replace("sep\n", "sep\nimport re\nimport ast\n") + "\n\ndef alpha():\n    return 2\n"
    text = merged(first, second)
    assert text.count("import re\n") == text.count("import json\n") == text.count("import ast\n") == 1
    assert text.endswith("\n\ndef alpha():\n    return 2\n\n\ndef zeta():\n    return 1\n")


def test_a_function_that_one_side_takes_away_is_gone():
    start = BASE.index("\n\ndef other")
    assert merged(BASE[:start], BASE.replace("size = 3", "size = 4")) == BASE[:start].replace("size = 3", "size = 4")


def test_a_program_of_crlf_lines_and_tabs_keeps_them():
    base = BASE.replace("    ", "\t").replace("\n", "\r\n")
    first, second = base.replace("range(3)", "range(4)"), base.replace("total -= 1", "total -= 2")
    assert merged(first, second, base) == first.replace("total -= 1", "total -= 2")


# what is not


@pytest.mark.parametrize(
    ("mine", "yours"),
    [
        (("total -= 1", "total -= 2"), ("total -= 1", "total -= 3")),
        (("range(3)", "range(4)"), ("range(3)", "range(5)")),
        (("area * self.size", "2 * area"), ("    def volume(self, area):\n        return area * self.size\n", "")),
        (
            ("    total = width\n", "    total = 1\n    total = width\n"),
            ("    total = width\n", "    total = 2\n    total = width\n"),
        ),
    ],
)
def test_one_thing_changed_in_two_ways_is_a_conflict(mine, yours):
    assert conflict(BASE.replace(*mine), BASE.replace(*yours))


def test_the_side_with_the_last_word_wins_its_conflicts_and_nothing_else():
    first = BASE.replace("total -= 1", "total -= 2").replace("size = 3", "size = 4")
    second = BASE.replace("total -= 1", "total -= 3").replace("range(3)", "range(9)")
    result = merged_text(BASE, first, second, last_word="second")
    assert result.content == second.replace("size = 3", "size = 4")
    assert result.conflicts == ("both change `total -= 1`",)


def test_both_sides_defining_one_name_at_two_places_is_a_conflict():
    first = BASE.replace("class Box", "def new():\n    return 1\n\n\nclass Box")
    second = BASE + "\n\ndef new():\n    return 2\n"
    assert "new" in conflict(first, second)


def test_a_statement_that_both_move_to_different_places_is_a_conflict():
    base = "def f(x):\n    a(x)\n    b(x)\n    c(x)\n    d(x)\n    e(x)\n    g(x)\n"
    first = "def f(x):\n    b(x)\n    c(x)\n    a(x)\n    d(x)\n    e(x)\n    g(x)\n"
    second = "def f(x):\n    b(x)\n    c(x)\n    d(x)\n    e(x)\n    a(x)\n    g(x)\n"
    assert "`a(x)`" in conflict(first, second, base)


def test_a_function_taken_away_by_one_and_called_by_the_other_is_a_conflict():
    start = BASE.index("\n\ndef other")
    assert "'other'" in conflict(BASE[:start], BASE.replace("total -= 1", "total -= other(1)"))


def test_bodies_that_both_empty_in_part_are_a_conflict():
    base = "def f(x):\n    a(x)\n    b(x)\n"
    assert conflict("def f(x):\n    a(x)\n", "def f(x):\n    b(x)\n", base)


def test_a_merge_that_would_not_compile_is_a_conflict():
    base = "def f(x):\n    a = 1\n    b = 2\n    c = 3\n    return a\n"
    first = base.replace("    a = 1\n", "    a = 1\n    g = x\n")
    second = base.replace("    c = 3\n", "    c = 3\n    global g\n    g = 1\n")
    assert "global" in conflict(first, second, base)


def test_new_imports_of_one_name_from_two_places_are_a_conflict():
    assert conflict(
        BASE.replace("sep\n", "sep\nimport numpy as np\n"), BASE.replace("sep\n", "sep\nimport jax as np\n")
    )


def test_imports_with_comments_among_their_names_are_not_united():
    base = BASE.replace("path, sep", "(\n    path,  # paths\n    sep,\n)")
    assert conflict(
        base.replace("    sep,", "    sep,\n    walk,"), base.replace("    sep,", "    sep,\n    getcwd,"), base
    )


def test_imports_of_one_line_from_two_modules_are_not_united():
    assert conflict(BASE.replace("os import path", "os import walk, path"), BASE.replace("from os", "from oss"))


def test_a_default_given_above_one_taken_away_is_a_conflict():
    base = "def f(a, b=1):\n    return a + b\n"
    assert conflict(base.replace("a, b", "a=0, b"), base.replace("b=1", "b"), base)


def test_other_line_ends_of_one_side_are_not_lost():
    assert conflict(BASE.replace("\n", "\r\n"), BASE.replace("size = 3", "size = 4"))


def test_a_program_too_deep_for_a_tree_is_merged_by_its_lines():
    base = "a = 1\nb = 2\nx = " + "-" * 600 + "1\ny = 2\nz = 3\n"
    first, second = base.replace("a = 1", "a = 5"), base.replace("z = 3", "z = 4")
    assert merged(first, second, base) == first.replace("z = 3", "z = 4")


# other texts


def test_other_languages_are_merged_by_lines():
    base = "fn main() {\n    a();\n    b();\n    c();\n}\n"
    first, second = base.replace("a()", "a(1)"), base.replace("c()", "c(2)")
    assert merged(first, second, base, "rust") == first.replace("c()", "c(2)")
    assert conflict(first, base.replace("a()", "a(2)"), base, "rust")
    assert conflict(first, base.replace("b()", "b(2)"), base, "rust")  # side by side


@LAWS
@given(st.lists(st.sampled_from("abcd"), max_size=8), st.lists(st.sampled_from("abcdx"), max_size=8))
def test_texts_of_any_language_obey_the_laws(old, new):
    base, child = ("".join(f"{line}\n" for line in lines) for lines in (old, new))
    assert merged_text(base, child, base, "text").content == child
    assert merged_text(base, base, child, "text").content == child
    assert merged_text(base, child, child, "text").content == child
    apart = merged_text(
        "top\n" + base + "mid\nend\n", "TOP\n" + base + "mid\nend\n", "top\n" + base + "mid\nEND\n", "text"
    )
    assert apart.content == "TOP\n" + base + "mid\nEND\n"


def test_files_come_go_and_change_on_either_side():
    base = {"a.py": "x = 1\ny = 2\n", "b.py": "z = 1\n", "c.txt": "c\n"}
    first = {"a.py": "x = 3\ny = 2\n", "b.py": "z = 1\n", "c.txt": "c\n", "new.py": "n = 1\n"}
    second = {"a.py": "x = 1\ny = 4\n", "c.txt": "d\n"}
    result = merged_files(base, first, second)
    assert result.content == {"a.py": "x = 3\ny = 4\n", "c.txt": "d\n", "new.py": "n = 1\n"}
    assert not result.conflicts


def test_a_file_changed_by_one_and_taken_away_by_the_other_is_a_conflict():
    assert merged_files({"a.py": "x\n", "b.py": "y\n"}, {"a.py": "x\n"}, {"a.py": "x\n", "b.py": "z\n"}).conflicts
    assert merged_files({"a.py": "x\n"}, {"a.py": "x\n", "b.py": "1\n"}, {"a.py": "x\n", "b.py": "2\n"}).conflicts


# the operator


FIRST, SECOND = BASE.replace("range(3)", "range(4)"), BASE.replace("size = 3", "size = 4")
BOTH = FIRST.replace("size = 3", "size = 4")


def family(base: str | Program, *children: str | Program) -> tuple[Talk, list]:
    """Records of a base (#1) and its children (#2, ...), with the children as elites."""
    records = {1: record(1, Scored(score=0), base, parents=())}
    for at, child in enumerate(children, start=2):
        records[at] = record(at, Scored(score=0), child)
    return Talk([], records), [elite(at, child) for at, child in enumerate(children, start=2)]


def why(operator: Merge, talk: Talk, of) -> str:
    with pytest.raises(NoChild) as refusal:
        talk.child(operator, of)
    assert refusal.value.cause is Cause.NO_CHANGE
    return str(refusal.value)


def test_two_parents_are_merged_with_their_common_ancestor():
    talk, parents = family(BASE, FIRST, SECOND)
    assert talk.child(Merge(), draft(*parents)) == Child(content=Program.of(BOTH), drawn_on=(3,))


def test_a_lone_parent_is_merged_with_an_inspiration():
    talk, [parent, *others] = family(BASE, FIRST, SECOND, BASE)
    child = talk.child(Merge(), draft(parent, inspirations=tuple(others)))
    assert child == Child(content=Program.of(BOTH), drawn_on=(3,))


def test_the_nearest_of_several_common_ancestors_is_the_base():
    records = {
        1: record(1, Scored(score=0), "old = 1\n", parents=()),
        2: record(2, Scored(score=0), "x = 1\n", parents=(1,)),
        3: record(3, Scored(score=0), BASE, parents=(1, 2)),
        4: record(4, Scored(score=0), "y = 1\n", parents=(2, 3)),
        5: record(5, Scored(score=0), FIRST, parents=(4, 1)),
        6: record(6, Scored(score=0), SECOND, parents=(1, 3)),
    }
    child = Talk([], records).child(Merge(), draft(elite(5, FIRST), elite(6, SECOND)))
    assert child.content == Program.of(BOTH)


def test_ancestors_beyond_the_depth_are_not_looked_for():
    records = {1: record(1, Scored(score=0), BASE, parents=())}
    for number in range(2, 12):
        text = FIRST if number % 2 else SECOND
        records[number] = record(number, Scored(score=0), text, parents=(max(number - 2, 1),))
    parents = [elite(10, SECOND), elite(11, FIRST)]
    assert Talk([], records).child(Merge(depth=5), draft(*parents)).content == Program.of(BOTH)
    assert "within 4 generations" in why(Merge(depth=4), Talk([], records), draft(*parents))


def test_an_ancestor_and_its_descendant_are_not_merged():
    records = {1: record(1, Scored(score=0), BASE, parents=()), 2: record(2, Scored(score=0), FIRST)}
    assert "#1 is an ancestor" in why(Merge(), Talk([], records), draft(elite(2, FIRST), elite(1, BASE)))


def test_programs_without_a_common_ancestor_are_not_merged():
    records = {at: record(at, Scored(score=0), text, parents=()) for at, text in ((1, FIRST), (2, SECOND))}
    assert "no common ancestor" in why(Merge(), Talk([], records), draft(elite(1, FIRST), elite(2, SECOND)))
    assert "no second program" in why(Merge(), Talk([]), draft(elite(1, FIRST), elite(2, FIRST)))


def test_conflicts_are_refused_unless_a_side_has_the_last_word():
    second = SECOND.replace("range(3)", "range(5)")
    talk, parents = family(BASE, FIRST, second)
    assert "range(3)" in why(Merge(), talk, draft(*parents))
    longer = FIRST.replace("total -= 1", "total -= 2")
    for side, steps in (("first", "range(4)"), ("second", "range(5)")):
        talk, parents = family(BASE, longer, second)
        child = talk.child(Merge(conflicts=side), draft(*parents)).content
        assert child == Program.of(longer.replace("range(4)", steps).replace("size = 3", "size = 4"))


def test_a_second_try_is_made_with_another_program():
    clash = BASE.replace("range(3)", "range(5)")
    talk, [parent, *others] = family(BASE, FIRST, clash, SECOND)
    assert talk.child(Merge(), draft(parent, *others)).drawn_on == (4,)
    assert "with #3" in why(Merge(tries=1), talk, draft(parent, *others))


def test_a_merge_that_is_no_new_program_is_none():
    talk, parents = family(BASE, FIRST, FIRST + "\n# more\n")
    assert "no new program" in why(Merge(), talk, draft(*parents))


def test_large_programs_and_other_languages_are_refused():
    talk, parents = family(BASE, FIRST, SECOND)
    assert "characters" in why(Merge(longest=100), talk, draft(*parents))
    rust = Program(files={"main.py": BASE}, language="rust")
    talk, parents = family(BASE, FIRST, rust)
    assert "languages" in why(Merge(), talk, draft(*parents))


def test_a_change_outside_of_the_blocks_is_refused():
    base = "x = 1\ny = 5\n# EVOLVE-BLOCK-START\nz = 2\n# EVOLVE-BLOCK-END\n"
    talk, parents = family(base, base.replace("2", "3"), base.replace("x = 1", "x = 4"))
    assert "outside" in why(Merge(), talk, draft(*parents))


def test_a_file_with_blocks_may_not_be_taken_away():
    block = "# EVOLVE-BLOCK-START\nz = 2\n# EVOLVE-BLOCK-END\n"
    files = [
        {"main.py": text, **rest}
        for text, rest in (("x = 1\n", {"b.py": block}), ("x = 2\n", {"b.py": block}), ("x = 1\n", {}))
    ]
    talk, parents = family(*(Program(files=one) for one in files))
    assert "b.py" in why(Merge(), talk, draft(*parents))


def test_a_program_of_several_files_is_merged_file_by_file():
    files = [
        {"main.py": main, "lib/box.py": box} for main, box in (("x = 1\n", BASE), ("x = 2\n", BASE), ("x = 1\n", FIRST))
    ]
    talk, parents = family(*(Program(files=one) for one in files))
    assert talk.child(Merge(), draft(*parents)).content == Program(files={"main.py": "x = 2\n", "lib/box.py": FIRST})


def test_a_data_file_that_would_not_be_read_is_refused():
    files = [("x = 1\n", "{\n1\n}\n"), ("x = 2\n", "{\n1\n}\n"), ("x = 1\n", "{\n1\n")]
    talk, parents = family(*(Program(files={"main.py": main, "data.json": data}) for main, data in files))
    assert "data.json" in why(Merge(), talk, draft(*parents))
