from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evoengine.operators.editing import Applied, Edit, Edits, Missing, Unread, Whole, apply_edits, edits_of, whole_of

BLOCK = "<<<<<<< SEARCH\nold\n=======\nnew\n>>>>>>> REPLACE\n"
EDIT = Edit(search="old\n", replace="new\n")


def edits(text: str, paths: tuple[str, ...] = ()) -> tuple[Edit, ...]:
    found = edits_of(text, paths)
    assert isinstance(found, Edits), found
    return found.edits


@pytest.mark.parametrize(
    "text",
    [
        BLOCK,
        f"Let me change it.\n\n```python\n{BLOCK}```\nDone.",
        f"```\n{BLOCK}",
        BLOCK.replace("\n", "\r\n"),
        BLOCK.replace("old", "```python\nold\n```").replace("new", "```python\nnew\n```"),
        BLOCK.replace("old", "```\nold").replace("new", "```\nnew"),
        BLOCK.replace("<<<<<<< SEARCH", "<<<<<< SEARCH").replace("=======", "====="),
        f"<think>\n{BLOCK.replace('old', 'draft')}</think>\n{BLOCK}",
    ],
)
def test_a_block_is_read_whatever_stands_around_it(text):
    assert edits(text) == (EDIT,)


@pytest.mark.parametrize(
    "line", ["src/a.py", "`src/a.py`", "**src/a.py**", "### src/a.py", "File: src/a.py", "# src/a.py", "./src/a.py:"]
)
@pytest.mark.parametrize("fence", ["", "```python\n"])
def test_a_line_before_a_block_names_its_file(line, fence):
    assert edits(f"Now this file:\n\n{line}\n{fence}{BLOCK}")[0].path == "src/a.py"


def test_a_fence_may_name_the_file():
    assert edits(f"```python:src/a.py\n{BLOCK}```")[0].path == "src/a.py"


def test_a_known_path_needs_no_suffix():
    assert edits(f"Makefile\n{BLOCK}", ("Makefile",))[0].path == "Makefile"
    assert edits(f"Change\n{BLOCK}", ("Makefile",))[0].path is None


@given(
    st.lists(
        st.tuples(*[st.lists(st.sampled_from(["a", "    b = 1", "", "# c"]), max_size=4)] * 2), min_size=1, max_size=4
    )
)
def test_blocks_are_read_as_they_were_written(pairs):
    text = "".join(
        "\n".join(["<<<<<<< SEARCH", *old, "=======", *new, ">>>>>>> REPLACE", "", ""]) for old, new in pairs
    )
    assert [(one.search.splitlines(), one.replace.splitlines()) for one in edits(text)] == pairs


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("I would not change it.", Missing.EMPTY),
        ("", Missing.EMPTY),
        ("<<<<<<< SEARCH\nold\n=======\nne", Missing.TRUNCATED),
        ("<<<<<<< SEARCH\nold", Missing.TRUNCATED),
        ("<think>\nperhaps", Missing.TRUNCATED),
        ("<<<<<<< SEARCH\nold\nnew\n>>>>>>> REPLACE", Missing.MALFORMED),
        ("<<<<<<< SEARCH\na\n=======\nb\n=======\nc\n>>>>>>> REPLACE", Missing.MALFORMED),
        ("@@ -1 +1 @@\n+only new\n", Missing.MALFORMED),
    ],
)
def test_an_answer_without_an_edit_says_why(text, cause):
    found = edits_of(text)
    assert isinstance(found, Unread)
    assert found.cause is cause


def test_an_answer_cut_in_a_later_block_is_known_to_be_cut():
    found = edits_of(BLOCK + "<<<<<<< SEARCH\nmore")
    assert found == Edits(edits=(EDIT,), truncated=True)


def test_a_block_that_is_not_closed_before_the_next_is_a_fault():
    found = edits_of("<<<<<<< SEARCH\na\n=======\nb\n" + BLOCK)
    assert isinstance(found, Edits)
    assert found.edits == (EDIT,)
    assert found.faults


def test_an_underlined_title_is_no_divider():
    text = "<<<<<<< SEARCH\nTitle\n=====\n=======\nOther\n=====\n>>>>>>> REPLACE\n"
    assert edits(text) == (Edit(search="Title\n=====\n", replace="Other\n=====\n"),)


PARENT = "def f(x):\n    y = 1\n    return x + y\n"
CHILD = "def f(x):\n    y = 2\n    return x + y\n"
HUNK = " def f(x):\n-    y = 1\n+    y = 2\n     return x + y\n"


@pytest.mark.parametrize(
    "text",
    [
        f"diff --git a/main.py b/main.py\nindex 1..2 100644\n--- a/main.py\n+++ b/main.py\n@@ -1,3 +1,3 @@\n{HUNK}",
        f"--- a/main.py\n+++ b/main.py\n@@ -70,9 +7,2 @@ def f\n{HUNK}",
        f"```diff\n@@ @@\n{HUNK}```\nThat is all.",
        f"```diff\n{HUNK}```",
        f"--- a/main.py\n+++ b/main.py\n{HUNK}\nThat is all.",
        "@@ -1,3 +1,3 @@\ndef f(x):\n-    y = 1\n+    y = 2\n    return x + y\n",
        f"@@ -1,3 +1,3 @@\n{HUNK}\\ No newline at end of file\n",
        f"@@ -1,3 +1,3 @@\n{HUNK}".replace("\n", "\r\n"),
    ],
)
def test_a_unified_diff_is_applied_whatever_its_headers_and_numbers_say(text):
    result = apply_edits(PARENT, edits(text))
    assert isinstance(result, Applied), result
    assert result.text == CHILD


def test_a_diff_names_its_files():
    text = f"--- a/one.py\n+++ b/one.py\n@@ -1 +1 @@\n-a\n+b\n--- a/two.py\n+++ b/two.py\n@@ -1,3 +1,3 @@\n{HUNK}"
    assert [one.path for one in edits(text)] == ["one.py", "two.py"]


def test_a_deleted_line_of_dashes_is_no_header():
    assert edits("@@ -1 +1 @@\n--- note\n+-- other\n")[0].search == "-- note\n"


PROGRAM = "def f():\n    return 1\n"


def whole(text: str, language: str = "python", paths: tuple[str, ...] = ("main.py",)) -> dict[str, str]:
    found = whole_of(text, language, paths)
    assert isinstance(found, Whole), found
    return dict(found.files)


@pytest.mark.parametrize(
    "text",
    [
        f"```python\n{PROGRAM}```",
        f"First:\n```python\nx = 0\n```\nthen\n```py\n{PROGRAM}```\nRun it:\n```bash\npython main.py\n```",
        f"```\n{PROGRAM}```",
        f"~~~python\n{PROGRAM}~~~",
        f"  ```python\n  {PROGRAM.replace(chr(10) + ' ', chr(10) + '   ')}  ```",
        f"<think>```python\nx = 0\n```</think>```python\nx = 1\n```\n```python\n{PROGRAM}```",
        f"```python\n{PROGRAM}```\n```python\ncut = ",
    ],
)
def test_the_last_complete_block_of_the_language_is_the_program(text):
    assert whole(text) == {"": PROGRAM}


def test_a_fence_in_a_string_of_the_program_does_not_end_it():
    text = 'def f():\n    """Use:\n```\nf()\n```\n    """\n    return 1\n'
    assert whole(f"```python\n{text}```\nDone.\n```\nnothing\n```") == {"": text}


def test_files_are_named_by_their_fences_or_the_lines_above():
    text = "```python:a.py\na = 1\n```\n`b.py`\n```python\nb = 2\n```\n### c.py\n\n```python\nc = 3\n```\n"
    assert whole(text, paths=("a.py", "b.py", "c.py")) == {"a.py": "a = 1\n", "b.py": "b = 2\n", "c.py": "c = 3\n"}


@pytest.mark.parametrize(
    ("text", "cause"),
    [("No code.", Missing.EMPTY), ("```bash\nls\n```", Missing.EMPTY), ("```python\ndef f():\n", Missing.TRUNCATED)],
)
def test_an_answer_without_a_program_says_why(text, cause):
    found = whole_of(text, "python")
    assert isinstance(found, Unread)
    assert found.cause is cause


@given(st.text(alphabet="<>=`~+-@ \n#abS", max_size=200))
def test_any_text_is_read_or_refused(text):
    assert isinstance(edits_of(text), Edits | Unread)
    assert isinstance(whole_of(text, "python"), Whole | Unread)


def test_a_fence_that_only_one_part_ends_is_the_programs_own():
    search, new = "```\ncode\n```\n", "```\ncode\n```\nmore\n"
    found = edits_of(f"<<<<<<< SEARCH\n{search}=======\n{new}>>>>>>> REPLACE\n")
    assert isinstance(found, Edits)
    assert [(edit.search, edit.replace) for edit in found.edits] == [(search, new)]


def test_a_diff_beside_blocks_is_a_fault():
    found = edits_of("<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE\n@@ -1,1 +1,1 @@\n-c\n+d\n")
    assert isinstance(found, Edits)
    assert "beside" in found.faults[0]
