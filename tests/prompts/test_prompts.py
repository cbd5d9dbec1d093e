"""Templates, fences and budgets of prompts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evoengine.errors import SettingError
from evoengine.operators.rewrite import Rewrite
from evoengine.prompts import Part, Subject, Templates, fitted, tokens_of
from evoengine.prompts.parts import shortened
from evoengine.prompts.subject import fenced
from evoengine.types import Context, Program
from tests.operators.talking import PROGRAM, Talk, draft, elite
from tests.operators.talking import fenced as answer

_texts = st.text(st.characters(exclude_categories=()), max_size=200)
_parts = st.lists(
    st.builds(Part, text=_texts, worth=st.none() | st.floats(0, 5), least=st.none() | st.integers(1, 20)), max_size=8
)


def test_a_person_s_template_takes_the_place_of_the_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "rewrite.md").write_text("Make $what shine.")
    talk = Talk([answer(PROGRAM + "\n")])
    talk.child(Rewrite(templates=tmp_path), draft(elite(7)))
    assert "\n\nMake program #7 shine.\n\n" in talk.asked()
    assert "EVOLVE-BLOCK" in talk.system()


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("rewrite.md", "Make $it shine.", r"\$it; it can have: \$what"),
        ("rewrite.md", "It costs 5$.", r"write \$\$"),
        ("rewritten.md", "x", "replaces nothing; there are: .*rewrite"),
    ],
)
def test_a_template_that_cannot_work_is_told_with_what_can(tmp_path: Path, name: str, text: str, told: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(SettingError, match=told):
        Templates(tmp_path).filled("rewrite", what="it")


def test_a_folder_of_templates_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="is no folder"):
        Templates(tmp_path / "none")


@given(_texts)
def test_no_text_ends_the_fence_that_it_is_in(text: str) -> None:
    lines = fenced(text, "python").split("\n")
    fence = re.match("`+", lines[0])
    assert fence is not None
    closing = [at for at, line in enumerate(lines) if line.strip(" \t") == fence[0]]
    assert closing == [len(lines) - 2]


@given(_parts, st.integers(0, 300))
def test_parts_that_fit_are_kept_whole_and_what_must_stay_stays(parts: list[Part], tokens: int) -> None:
    kept = fitted(parts, tokens)
    told = [part for part in parts if part.text]
    if sum(tokens_of(part.text) for part in told) <= tokens:
        assert kept == told
    assert [part for part in kept if part.worth is None] == [part for part in told if part.worth is None]
    if any(part.worth is not None and part.least is None for part in kept):
        assert sum(tokens_of(part.text) for part in kept) <= tokens + 20 * len(parts)  # a cut part may stay that long


@given(_texts, st.integers(1, 50))
def test_a_shortened_text_keeps_its_beginning_and_its_end(text: str, tokens: int) -> None:
    short = shortened(text, tokens)
    if tokens_of(text) <= tokens:
        assert short == text
    else:
        head, _, tail = short.partition("\n[... left out ...]\n")
        assert len(head) + len(tail) < len(text)
        assert text.encode("utf-8", "surrogatepass").startswith(head.encode("utf-8", "surrogatepass"))
        assert text.encode("utf-8", "surrogatepass").endswith(tail.encode("utf-8", "surrogatepass"))


def test_a_subject_gives_back_what_it_was_made_of() -> None:
    program = Program(files={"a.py": "x", "b.py": "y"}, language="python")
    context = Context(sections={"role": "r", "steps": "s"})
    assert Subject.of(program).with_files({"b.py": "z"}) == Program(files={"a.py": "x", "b.py": "z"})
    assert Subject.of(context).with_files({"steps.md": "t"}) == Context(sections={"role": "r", "steps": "t"})
    assert Subject.of(context).with_files({}) == context
