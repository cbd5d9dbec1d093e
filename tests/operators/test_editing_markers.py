from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evoengine.operators.editing import Broken, Kept, breach, check_syntax, kept
from evoengine.operators.editing.markers import marked
from evoengine.operators.splice import source_of
from tests.operators import corpus
from tests.operators.drafts import blocks_cut_out

PARENT = "import math\n# EVOLVE-BLOCK-START\nx = 1\n# EVOLVE-BLOCK-END\nprint(x)\n"


@pytest.mark.parametrize(
    ("mark", "language"),
    [
        ("# {}", "python"),
        ("// {}", "rust"),
        ("-- {}", "sql"),
        ("% {}", "matlab"),
        ("<!-- {} -->", "html"),
        ("/* {} */", "c"),
    ],
)
def test_what_lies_outside_of_the_blocks_may_not_change(mark, language):
    start, end = (mark.format(f"EVOLVE-BLOCK-{word}") for word in ("START", "END"))
    text = f"a\n{start}\nb\n{end}\nc\n"
    assert breach(text, text.replace("b\n", "d\ne\n"), language) is None
    for child in (
        text.replace("a\n", "d\n"),
        text.replace("c\n", ""),
        text.replace(start, start + " "),
        text.replace(end + "\n", ""),
        text.replace("b\n", f"b\n{end}\nd\n{start}\n"),
        text + "f\n",
    ):
        assert breach(text, child, language) is not None


def test_a_program_without_markers_may_change_anywhere():
    assert breach("a = 1\n", "b = 2\n", "python") is None
    assert kept("a = 1\n", "b = 2\n", "python") == Kept(text="b = 2\n", how="as written")


def test_a_block_may_not_swallow_its_end_marker_in_a_string():
    text = "# EVOLVE-BLOCK-START\nx = 1\n# EVOLVE-BLOCK-END\n# '''\n"
    assert breach(text, text.replace("x = 1", "x = '''"), "python") is not None


@pytest.mark.parametrize("text", [corpus.PACKING, corpus.TWO_BLOCKS])
def test_blocks_are_those_that_splices_may_edit(text):
    source = source_of(text)
    assert source is not None
    assert [part.encode() for part in marked(text, "python").inside] == [
        source.data[low:high] for low, high in source.regions
    ]


def test_what_lies_outside_is_what_an_independent_reading_finds():
    assert "".join(marked(corpus.PACKING, "python").outside) == "".join(blocks_cut_out(corpus.PACKING))


@given(
    st.lists(st.sampled_from(["a", "# EVOLVE-BLOCK-START", "# EVOLVE-BLOCK-END", "  # EVOLVE-BLOCK-START one", "'''"]))
)
def test_the_parts_make_up_the_text(lines):
    text = "\n".join(lines)
    assert marked(text, "python").text == text
    assert breach(text, text, "python") is None


@given(st.text(alphabet="ab\n# '", max_size=30))
def test_a_rewrite_with_its_blocks_gets_the_rest_of_its_parent_back(body):
    child = f"import cmath\n# EVOLVE-BLOCK-START\n{body}\n# EVOLVE-BLOCK-END\nprint(3)\n"
    result = kept(PARENT, child, "python")
    if isinstance(result, Kept):
        assert breach(PARENT, result.text, "python") is None
        assert result.text == PARENT.replace("x = 1", body)
        assert result.how == "outside restored"


def test_a_rewrite_that_forgets_the_markers_gets_them_back_when_the_rest_is_the_same():
    result = kept(PARENT, "import math\nx = 2\ny = 3\nprint(x)\n", "python")
    assert result == Kept(text=PARENT.replace("x = 1", "x = 2\ny = 3"), how="markers restored")


@pytest.mark.parametrize(
    "child",
    [
        "x = 2\n",
        "import math\nx = 2\nprint(7)\n",
        "# EVOLVE-BLOCK-START\nx = 2\n",
        PARENT + PARENT,
        PARENT.replace("import math", "import os").replace("START", "START other"),
    ],
)
def test_a_rewrite_whose_blocks_cannot_be_told_is_refused(child):
    assert isinstance(kept(PARENT, child, "python"), Broken)


@pytest.mark.parametrize(
    "text",
    [
        "x = ",
        "def f(:\n",
        "\0",
        "(" * 5_000,
        "-" * 200_000 + "1",
        "a" + ".b" * 100_000,
        "x = 1\n" * 400_000,
        "\ud800",
        "if x:\ny",
    ],
    ids=["half", "def", "null", "brackets", "signs", "dots", "long", "surrogate", "indent"],
)
def test_what_is_no_python_is_told(text):
    assert check_syntax("python", text)


def test_what_is_python_passes_without_a_warning(recwarn):
    assert check_syntax("python", "x = 1 is 1\ny = '\\d'\n") is None
    assert not recwarn.list


@pytest.mark.parametrize("text", ["{", "NaN", "[" * 200_000, "{'a': 1}"])
def test_what_is_no_json_is_told(text):
    assert check_syntax("json", text)


def test_other_languages_are_not_checked():
    assert check_syntax("json", '{"a": [1, 2.5, null]}') is None
    assert check_syntax("fortran", "no idea") is None
