"""Foreign texts: bounded, visible, escaped, and compared in bounded time."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evoengine import Context, Program
from evoengine.testing.store import texts
from evoengine.web.texts import MOST, difference, parts_of, text_of
from tests.web.pages import Page


@given(text=texts, language=st.sampled_from([None, "python", "c++", "nothing that is known", "html"]))
def test_a_text_is_escaped_and_loses_nothing_that_can_be_seen(text: str, language: str | None) -> None:
    found = Page(f"<pre>{text_of(text, language).shown}</pre>")
    assert {tag for tag, _ in found.tags} <= {"pre", "span"}
    visible = "".join(char for char in text if char.isprintable() or char in "\n\t")
    said = iter(found.text)
    assert all(char in said for char in visible)
    assert all(char.isprintable() or char in "\n\t" for char in found.text)


@pytest.mark.parametrize("language", [None, "python", "html", "no such language", "'><script>"])
def test_markup_is_escaped_whatever_language_it_is_said_to_be_in(language: str | None) -> None:
    shown = text_of("<script>alert(1)</script>&lt;", language).shown
    assert {tag for tag, _ in Page(shown).tags} <= {"span"}
    assert Page(shown).text.removesuffix("\n") == "<script>alert(1)</script>&lt;"


def test_of_a_long_text_the_beginning_is_shown_and_the_rest_is_counted() -> None:
    found = text_of("x" * (MOST + 5), "python")
    assert (len(found.shown), found.length, found.omitted) == (MOST, MOST + 5, 5)


_lines = st.lists(st.sampled_from(["a", "b", "c", "", "-x", "+y", "@@ -1 +1 @@"]), max_size=12)


@given(old=_lines, new=_lines)
def test_a_difference_turns_the_old_text_into_the_new(old: list[str], new: list[str]) -> None:
    found = difference(Program.of("\n".join(old)), Program.of("\n".join(new)))
    assert found is not None
    before, after = "\n".join(old).splitlines(), "\n".join(new).splitlines()
    assert (found == []) == (old == new or "\n".join(old) == "\n".join(new) or before == after)
    for kind, lines in (("removed", before), ("added", after)):
        said = iter(lines)
        assert all(line.text[1:] in said for line in found if line.kind == kind), "in order"
    removed = [line.text[1:] for line in found if line.kind == "removed"]
    added = [line.text[1:] for line in found if line.kind == "added"]
    assert len(before) - len(removed) == len(after) - len(added)


def test_a_difference_names_the_line_at_which_it_begins() -> None:
    old = [f"line {number}" for number in range(1, 101)]
    new = [*old[:49], "other", *old[50:]]
    found = difference(Program.of("\n".join(old)), Program.of("\n".join(new)))
    assert found is not None
    assert [line.text for line in found] == [
        "from line 47", " line 47", " line 48", " line 49", "-line 50", "+other", " line 51", " line 52", " line 53",
    ]  # fmt: skip


def test_files_are_compared_each_with_its_own() -> None:
    one = Program(files={"main.py": "a", "b.py": "same", "c.py": "gone"})
    other = Program(files={"main.py": "b", "b.py": "same", "d.py": "new"})
    found = difference(one, other)
    assert found is not None
    assert [line.text for line in found if line.kind == "file"] == ["c.py", "d.py", "main.py"]
    assert list(parts_of(one)) == ["main.py", "b.py", "c.py"]
    assert parts_of(Context(sections={"b": "1", "a": "2"})) == {"b": "1", "a": "2"}
    assert parts_of(None) == {}


@pytest.mark.timeout(60)
@pytest.mark.parametrize("kinds", [1, 2, 30, 200, 1000])
def test_no_two_programs_take_long_to_compare(kinds: int) -> None:
    """The time that a comparison takes may grow with the square of the lines, or worse where lines repeat."""
    rng = random.Random(kinds)
    old, new = ("\n".join(str(rng.randrange(kinds)) for _ in range(40_000)) for _ in range(2))
    assert (difference(Program.of(old), Program.of(new)) is None) == (kinds > 1)
    short = difference(Program.of("\n".join(old.split("\n")[:1000])), Program.of("\n".join(new.split("\n")[:1000])))
    assert short is None or short or kinds == 1
