from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import edits_first, edits_second
from benchmarks.edits import applied
from benchmarks.edits_cases import is_right
from evoengine.operators.editing import Applied, Edit, Refused, apply_edit, apply_edits, nearest_lines

PROGRAM = '''\
import math


def area(width, height):
    """The area."""
    total = width * height  # in metres
    for step in range(3):
        if step:
            total += math.sin(step)
        else:
            total -= 1
    return total


def other(width):
    label = """
    two lines
    """
    total = width
    return total
'''


def done(search: str, new: str, text: str = PROGRAM, language: str = "python") -> Applied:
    result = apply_edit(text, Edit(search=search, replace=new), language)
    assert isinstance(result, Applied), result
    return result


def refused(search: str, new: str, text: str = PROGRAM, language: str = "python") -> Refused:
    result = apply_edit(text, Edit(search=search, replace=new), language)
    assert isinstance(result, Refused), result
    return result


@pytest.mark.slow
@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.integers(0, 10**9))
def test_no_spoilt_edit_of_a_library_file_is_applied_wrongly(seed):
    case = edits_first.case_of(seed, largest=300)
    text = applied(case)
    assert text is None or is_right(case, text), case.kind


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.integers(0, 10**9))
@pytest.mark.slow
def test_no_edit_among_functions_that_are_almost_the_same_is_applied_wrongly(seed):
    case = edits_second.case_of(seed, largest=300)
    text = applied(case)
    assert text is None or is_right(case, text), case.kind


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.sampled_from(["a", "  b", "c  ", "", "\td", "é", "\x0c", "x\u2028y"]), max_size=12),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.booleans(),
    st.data(),
)
def test_what_lies_outside_of_an_edit_keeps_its_bytes(lines, newline, ended, data):
    marked = [*lines, "  here", *data.draw(st.lists(st.sampled_from(["z", "", " q "]), max_size=5))]
    text = newline.join(marked) + (newline if ended else "")
    result = apply_edit(text, Edit(search="  here\n", replace="  there\n  too\n"), "text")
    assert isinstance(result, Applied)
    assert result.text == text.replace("  here", f"  there{newline if newline in text else chr(10)}  too")


def test_lines_that_stand_letter_by_letter_in_one_place_are_replaced():
    result = done("            total -= 1\n", "            total -= 2\n")
    assert result.how == "exact"
    assert result.text == PROGRAM.replace("total -= 1", "total -= 2")


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda part: part.replace("\n", "  \n"),
        lambda part: part.replace("    ", "\t"),
        lambda part: "".join(line[8:] for line in part.splitlines(keepends=True)),
        lambda part: part.strip() + "\n",
        lambda part: "".join(f"   {line}" for line in part.splitlines(keepends=True)),
        lambda part: part.replace("    ", "  "),
        lambda part: part.replace("\n", "\r\n"),
        lambda part: part.replace("\n", "\n\n"),
    ],
    ids=[
        "spaces behind",
        "tabs",
        "at the margin",
        "first at the margin",
        "deeper",
        "two a level",
        "CRLF",
        "blank lines",
    ],
)
def test_other_white_space_in_both_parts_does_not_matter(spoilt):
    search = "        if step:\n            total += math.sin(step)\n        else:\n            total -= 1\n"
    new = search.replace("        else:\n", "            if total:\n                total *= 2\n        else:\n")
    text = done(spoilt(search), spoilt(new)).text
    assert [line for line in text.split("\n") if line] == [
        line for line in PROGRAM.replace(search, new).split("\n") if line
    ]


def test_new_lines_end_as_those_of_the_program_do():
    text = PROGRAM.replace("\n", "\r\n")
    result = done("    return total\n\n\ndef other(width):\n", "    return 2 * total\n\n\ndef other(width):\n", text)
    assert result.text == text.replace("return total\r\n\r\n\r\n", "return 2 * total\r\n\r\n\r\n")


def test_a_place_that_is_not_the_only_one_is_refused_with_its_lines():
    result = refused("    return total\n", "    return 2\n")
    assert "12" in result.why
    assert "20" in result.why
    assert not result.missing


def test_a_place_that_is_the_only_one_but_for_indents_is_refused():
    text = "if a:\n    go()\nif b:\n        go()\n"
    assert refused("    go()\n", "    stop()\n", text)


def test_a_place_that_is_the_only_one_but_for_a_comment_is_refused_unless_the_comment_is_given():
    text = "x = 1\ny = 2\nx = 1  # again\n"
    assert refused("x = 1\n", "x = 3\n", text)
    assert done("x = 1  # again\n", "x = 3\n", text).text == "x = 1\ny = 2\nx = 3\n"


def test_other_comments_do_not_matter_and_the_program_keeps_its_own():
    search = "    # the product\n    total = width * height\n    for step in range(3):\n"
    result = done(search, search.replace("3", "4"))
    assert result.how == "comments"
    assert result.text == PROGRAM.replace("range(3)", "range(4)")


def test_statements_written_otherwise_are_found_by_what_they_say():
    search = (
        "for step in range( 3 ):\n    if (step):\n        total+=math.sin(\n            step)\n    else: total-=1\n"
    )
    result = done(search, search.replace("total-=1", "total-=7"))
    assert result.how == "syntax"
    new = "        if (step):\n            total+=math.sin(\n                step)\n        else: total-=7\n"
    old = PROGRAM[PROGRAM.index("        if step") : PROGRAM.index("    return total")]
    assert result.text == PROGRAM.replace(old, new)


def test_a_function_written_otherwise_keeps_the_lines_that_do_not_change():
    search = "def area( width,height ):\n    '''The area.'''\n    total = width*height\n"
    search += "    for step in range(3):\n        if step:\n            total += math.sin(step)\n"
    search += "        else:\n            total -= 1\n    return total\n"
    result = done(search, search.replace("    return total\n", "    total /= 2\n    return total\n"))
    assert result.how == "syntax"
    assert result.text == PROGRAM.replace("1\n    return total", "1\n    total /= 2\n    return total")


def test_lines_left_out_of_both_parts_stay():
    search = "def area(width, height):\n    ...\n    return total\n"
    result = done(search, "def area(width, height):\n    ...\n    return total / 2\n")
    assert result.how == "elision"
    assert result.text == PROGRAM.replace("1\n    return total", "1\n    return total / 2")


@pytest.mark.parametrize(
    "line",
    ["...", "# ...", "# rest of the function unchanged", "# ... existing code ...", "# (unchanged)", "pass: ..."],
)
def test_lines_left_out_of_the_new_part_only_are_refused(line):
    search = "    for step in range(3):\n        if step:\n            total += math.sin(step)\n"
    assert refused(search, f"    for step in range(4):\n        {line}\n")


def test_lines_left_out_do_not_reach_beyond_their_block():
    text = "def one():\n    a = 1\n    b = 2\n\n\ndef two():\n    c = 3\n    return c\n"
    assert refused("def one():\n    ...\n    return c\n", "def one():\n    ...\n    return 0\n", text)


def test_lines_left_out_at_the_end_of_a_reformatted_function_are_seen():
    search = "def other( width ):\n    label = '\\n    two lines\\n    '\n    total = width\n    return total\n"
    assert refused(search, "def other(width):\n    label = ''\n    # ... rest unchanged\n")


def test_lines_that_are_not_there_are_refused_with_those_most_like_them():
    result = refused("    totals = width * height\n    for step in range(2):\n", "    pass\n")
    assert result.missing
    assert result.nearest[0] == (6, "    total = width * height  # in metres")


def test_a_new_part_at_another_depth_than_its_search_part_is_refused():
    assert refused("total -= 1\n", "            total -= 2\n            total -= 3\n")
    assert refused("            total -= 1\n", "total -= 2\n")


def test_a_new_block_of_another_width_does_not_take_in_lines_of_the_program():
    text = "class A:\n    def f(self):\n        return 1\n"
    assert refused("class A:\n", "class A:\n  with lock:\n    x = 1\n", text)


def test_lines_less_deep_than_all_that_were_found_shifted_are_refused():
    text = "class A:\n    def f():\n        one()\n        two()\n"
    assert refused("    one()\n    two()\n", "    one()\n    two()\nthree()\n", text)


@pytest.mark.parametrize(
    ("search", "new"),
    [
        ("    c()\n    d()\n", "        c()\n        e()\n"),
        ("d()\n", "    e()\n"),
        ("    d()\n", "if x:\n    d()\n"),
        ("        b()\n    c()\n", "\n        c()\n        x()\n"),
        ("b()\n    c()\n", "c()\n"),
        ("\n    c()\n", "    e()\n\n    c()\n"),
    ],
    ids=[
        "new part deeper",
        "search part less deep",
        "head at the margin",
        "first line that stays deeper",
        "first goes",
        "beyond a blank line",
    ],
)
def test_a_change_that_would_leave_python_but_perhaps_another_is_refused(search, new):
    assert refused(search, new, "def f():\n    if a:\n        b()\n    c()\n    d()\n")


def test_lines_that_are_found_are_not_looked_for_in_the_tree_again():
    text = "def f():\n    return g(\n        a=1,\n    )\n"
    assert refused("return g(\n        a=1,\n    )\n", "if b:\n        return g(\n            a=1,\n        )\n", text)


def test_a_changed_end_beside_comments_is_refused_when_found_by_its_tree():
    assert refused("# not there\ntotal-=1\n", "total+=1\n# not there\ntotal-=1\n")


def test_a_line_that_stands_for_lines_must_stand_for_some():
    assert refused(
        "a = 1\n# ... existing code ...\nb = 2\n", "a = 1\n# ... existing code ...\nb = 3\n", "a = 1\nb = 2\n"
    )


def test_a_hunk_that_can_be_read_in_two_ways_is_refused():
    edit = Edit(search="b();\n", replace="b();\n c();\n", unmarked=(" b();\n", " b();\n c();\n"))
    assert isinstance(apply_edit("{\n    b();\n}\n", edit, "c"), Refused)


def test_a_new_part_at_another_depth_is_refused_whatever_else_differs():
    assert refused("        if step:\n\n            total += math.sin(step)\n", "    if step:\n\n        total += 1\n")


def test_new_lines_beyond_a_comment_that_the_program_has_not_are_refused():
    search = "\n    # not in the program\n        total -= 1\n"
    assert refused(search, "        total += 1\n" + search)


def test_a_block_may_lose_its_head():
    text = "def f():\n    if a:\n        b()\n    c()\n"
    assert done("    if a:\n        b()\n", "    b()\n", text).text == "def f():\n    b()\n    c()\n"


def test_moving_lines_in_or_out_is_no_mistake():
    text = "for a in b:\n    x = a\n    print(x)\n"
    assert done("    print(x)\n", "print(x)\n", text).text == "for a in b:\n    x = a\nprint(x)\n"


def test_a_string_over_several_lines_is_not_shifted():
    assert refused("label = '''\ntwo lines\n'''\n".replace("'''", '"""'), 'label = """\nthree lines\n"""\n')


def test_an_edit_that_leaves_no_python_is_refused_and_one_that_mends_it_is_not():
    assert refused("    return total\n\n\ndef other(width):\n", "    return (total\n\n\ndef other(width):\n")
    assert done("x = (1\n", "x = 1\n", "x = (1\ny = 2\n").text == "x = 1\ny = 2\n"


@pytest.mark.parametrize("search", ["", "\n\n"])
def test_an_edit_that_does_not_say_where_is_refused(search):
    assert refused(search, "x = 1\n")
    assert done(search, "x = 1\n", "").text == "x = 1\n"


def test_an_edit_that_changes_nothing_is_refused():
    assert refused("import math\n", "import math\n")
    assert refused("import  math\n", "import   math\n")


def test_several_edits_are_all_found_in_the_text_as_it_was():
    edits = [
        Edit(search="x = 1\n", replace="x = 2\n"),
        Edit(search="x = 2\n", replace="x = 3\n"),
    ]
    result = apply_edits("x = 1\ny = 0\nx = 2\n", edits)
    assert result == Applied(text="x = 2\ny = 0\nx = 3\n", how="exact")


def test_an_edit_may_build_on_one_before_it():
    edits = [Edit(search="x = 1\n", replace="x = 2\n"), Edit(search="x = 2\n", replace="x = 2\ny = 3\n")]
    assert apply_edits("x = 1\n", edits) == Applied(text="x = 2\ny = 3\n", how="exact")


def test_one_refused_edit_refuses_all_and_is_named():
    edits = [Edit(search="import math\n", replace="import cmath\n"), Edit(search="nothing\n", replace="x\n")]
    result = apply_edits(PROGRAM, edits)
    assert isinstance(result, Refused)
    assert result.at == 1


def test_edits_of_the_same_lines_are_refused():
    edits = [Edit(search="import math\n", replace=f"import {name}\n") for name in ("cmath", "numpy")]
    assert isinstance(apply_edits(PROGRAM, edits), Refused)


def test_edits_that_share_only_lines_that_stay_are_both_applied():
    edits = [Edit(search="a\nb\n", replace="A\nb\n"), Edit(search="b\nc\n", replace="b\nC\n")]
    assert apply_edits("a\nb\nc\n", edits, "text") == Applied(text="A\nb\nC\n", how="exact")


def test_another_language_is_edited_by_its_lines():
    text = "fn main() {\n    let x = 1;\n    go(x);\n}\n"
    assert done("let x = 1;\n", "let x = 2;\n", text, "rust").text == text.replace("1", "2")


def test_the_nearest_lines_of_a_long_text_are_those_that_were_meant():
    texts = [f"    value_{at} = compute_{at % 7}(left, right)" for at in range(5_000)]
    texts[3_210] = "    peculiar = entirely(different, thing)"
    found = nearest_lines(texts, ["    peculiar = entirely(another, thing)", "    value_3211 = compute(left, right)"])
    assert [line.number for line in found] == [3_211, 3_212]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(["if a:", "    b = 1", "    # c", "...", "", "'''", "\t)", "else:", "x = (", "é" * 3]),
        max_size=9,
    ),
    st.lists(st.sampled_from(["if a:", "    b = 2", "...", "", "'''", "  )", "else:"]), max_size=6),
    st.lists(st.sampled_from(["if a:", "    b = 1", "    # c", "", "'''", "\t)", "else:", "    x = ("]), max_size=12),
)
def test_any_edit_of_any_text_is_applied_or_refused(search, new, text):
    result = apply_edit("\n".join(text), Edit(search="\n".join(search), replace="\n".join(new)))
    assert isinstance(result, Applied | Refused)


LABELLED = "def other(height):\n    total = width\n    return total\n"


def test_lines_that_were_copied_further_than_the_search_part_are_not_put_there_twice():
    new = "            total += 1\n        else:\n            total -= 1\n"
    assert "twice" in refused("            total += math.sin(step)\n", new).why
    assert "twice" in refused("    return total\n", "    total = width\n    return 2 * total\n", LABELLED).why
    commented = LABELLED.replace("    return", "    # the total\n    return")
    assert "twice" in refused("    total = width\n", "    total = 2\n    return total\n", commented).why
    assert "twice" in refused("            total -= 1\n", "            total -= 2\n    return total\n").why


def test_lines_copied_too_far_are_seen_below_a_line_that_stays_too():
    text = "a(1)\nb(2)\nc(3)\nb(2)\nd(4)\n"
    assert "twice" in refused("a(1)\nb(2)\n", "a(1)\nb(5)\nc(3)\nb(2)\n", text).why


def test_a_new_line_that_is_in_the_program_twice_on_purpose_needs_an_end_that_stays():
    search = "            total -= 1\n    return total\n"
    new = "            total -= 1\n            total -= 1\n    return total\n"
    assert done(search, new).text == PROGRAM.replace("            total -= 1\n", "            total -= 1\n" * 2)


@pytest.mark.parametrize("line", ["[...]", "(...)", "<…>"])
def test_bracketed_dots_leave_lines_out_too(line):
    assert "leaves lines out" in refused("def other(width):\n", f"def other(width, height):\n    {line}\n").why


def test_new_lines_below_a_line_without_any_name_are_refused():
    assert "no name" in refused("        else:\n", "        else:\n            print(1)\n").why
    assert done("        else:\n", "        elif width:\n").text == PROGRAM.replace("else:", "elif width:")


def test_new_lines_written_as_html_are_refused_unless_they_are_strings():
    text = "a, b = 1, 2\nx = a < b\n"
    assert "HTML" in refused("x = a < b\n", "x = a &lt; b\n", text).why
    assert "HTML" in refused("x = a < b\n", "x = a &lt; b or 'no'\n", text).why
    assert done("x = a < b\n", "x = '&lt;'\n", text).text.endswith("x = '&lt;'\n")
    page = text + "page = '&lt;'\n"
    assert "HTML" in refused("x = a < b\n", "x = a < b\ny = a &lt; b\n", page).why
    assert done("page = '&lt;'\n", "page = '&lt;&gt;'\n", page)
    prompt = "x = f('1') >>> 2\n"
    assert "HTML" in refused(prompt, "x = g('1') &gt;&gt;&gt; 2\n", prompt).why


def test_the_depth_of_a_comment_says_nothing_of_the_depth_of_new_lines():
    text = "def f(a):\n    for b in a:\n        c(b)\n    # the end\n    return a\n"
    assert refused("        # the end\n", "        d(b)\n        # the end\n", text)


def test_new_lines_around_those_left_out_are_as_deep_as_the_search_part():
    text = "def f():\n    return g(\n        a=1,\n        b=2,\n    )\n"
    assert "depth" in refused("        ...\n        b=2,\n    )\n", "    ...\n    b=2,\n)\ncount = 0\n", text).why


BLOCKS = """def f(a):
	for b in a:
		if b:
			c(b)
		d(b)

	return a

class G:
	pass
"""


def test_new_lines_right_below_a_deeper_block_that_the_edit_does_not_show_are_refused():
    search, new = "\nclass G:\n", "# a second look\nx = 1\n\nclass G:\n"
    assert "does not show" in refused(search, new, BLOCKS).why
    assert "does not show" in refused("\t\td(b)\n", "\t\te(b)\n\t\td(b)\n", BLOCKS).why
    ended = "def f(a):\n    return a\n    # the end\ny = 1\n"
    assert "does not show" in refused("y = 1\n", "x = 1\ny = 1\n", ended).why
    shown = done("\treturn a\n" + search, "\treturn a\n" + new, BLOCKS)
    assert shown.text == BLOCKS.replace("\nclass", "# a second look\nx = 1\n\nclass")
    assert done("class G:\n", "x = 1\n\nclass G:\n", BLOCKS).text == BLOCKS.replace("class", "x = 1\n\nclass")
    assert done(search, "\n" + new, BLOCKS)
    assert done("\t\td(b)\n", "\t\te(b)\n", BLOCKS)
    hanging = "x = f(1,\n      2)\ny = 3\n"
    assert done("y = 3\n", "z = 1\ny = 3\n", hanging).text == hanging.replace("y", "z = 1\ny")


def test_new_lines_shifted_with_one_line_are_refused_where_a_block_ends():
    assert "end of a block" in refused("c(b)\n", "c(b)\ne(b)\n", BLOCKS).why
    assert done("\t\t\tc(b)\n", "\t\t\tc(b)\n\t\t\te(b)\n", BLOCKS)
    assert done("c(b)\n", "e(b)\n", BLOCKS)
    two = "if b:\n\tc(b)\n"
    assert done(two, two + "\te(b)\n", BLOCKS).text == BLOCKS.replace("c(b)\n", "c(b)\n\t\t\te(b)\n")
    text = "def f():\n    a()\n    b()\n"
    assert done("a()\n", "a()\nc()\n", text).text == "def f():\n    a()\n    c()\n    b()\n"


def test_a_place_with_other_blank_lines_is_refused_where_another_has_but_one_line_more():
    one, other = (
        "def f(a):\n    b = 1\n\n    c = 2\n    d = 3\n    return a\n",
        "def g(a):\n    b = 1\n    d = 3\n    return a\n",
    )
    search = "    b = 1\n\n    d = 3\n    return a\n"
    assert "another place too" in refused(search, "    b = 1\n\n    d = 3\n", one + other).why
    assert done(search, "    b = 1\n\n    d = 4\n    return a\n", other)
    plain = search.replace("\n\n", "\n")
    assert done(plain, plain.replace("3", "4"), one + other).text == one + other.replace("3", "4")


def test_a_new_block_that_lines_below_the_edit_would_become_a_part_of_is_refused():
    text = "def f(a):\n    while a:\n        if b:\n            break\n        c()\n    return a\n"
    search = "        if b:\n            break\n"
    new = search + "    if d:\n        e()\n"
    assert "become a part" in refused(search, new, text).why
    assert done(search + "        c()\n", search + "        c()\n    if d:\n        e()\n", text)
    assert done("def f(a):\n", "def f(a):\n    # first\n    d()\n", text)
    assert done("        if b:\n", "        g()\n        if b:\n", text)


def test_a_comment_at_another_place_among_the_lines_is_refused():
    text = "def f(a):\n    g(a)\n    # the end\n    h(a)\n    return a\n"
    search = "    # the end\n    g(a)\n    h(a)\n"
    assert refused(search, "    # the end\n    g(a)\n    e(a)\n    h(a)\n", text)
    inner = "    g(a)\n    h(a)\n    # the end\n    return a\n"
    assert refused(inner, inner.replace("    h(a)", "    e(a)\n    h(a)"), text)
    right = "    g(a)\n    # the end \n    h(a)\n"
    assert done(right, right.replace("    h", "    e(a)\n    h"), text).text == text.replace("    h", "    e(a)\n    h")


def test_a_statement_found_by_what_it_says_is_written_at_the_depth_of_others():
    text = "class A:\n    def f(self):\n        return 1\n\n    def g(self):\n        return 2\n"
    search = "    def f(self):\n        return 1\n\n    def g(self):\n       return 2\n"
    assert done(search, search.replace("g(self)", "g(self, a)"), text).text == text.replace("g(self)", "g(self, a)")
    changed = search.replace("g(self)", "g(self, a)").replace("2", "3")
    assert "no usual way" in refused(search, changed, text).why
    assert done(search, search.replace("2", "3"), text)


def test_lines_that_both_parts_have_stay_as_the_program_has_them():
    text = 'def f(a):\n    """One.\n\n    Two."""\n    return a\n'
    search = text.replace("    Two", "     Two")
    assert done(search, search.replace("f(a)", "f(a, b)"), text).text == text.replace("f(a)", "f(a, b)")


def test_new_lines_beside_another_comment_are_refused():
    text = "def f(a):\n    g(a)\n    # the end\n    h(a)\n    return a\n"
    search = "    g(a)\n    #\u00a0the end\n    h(a)\n"
    assert refused(search, search.replace("    h", "    e(a)\n    h"), text)
    assert refused(search, search.replace("    #", "    e(a)\n    #"), text)
    assert done(search, search.replace("h(a)", "h(a + 1)"), text).text == text.replace("h(a)", "h(a + 1)")
    bare = text.replace("    # the end\n", "")
    assert done(search, search.replace("    h", "    e(a)\n    h"), bare).text == bare.replace(
        "    h", "    e(a)\n    h"
    )


def test_a_place_with_other_blank_lines_is_refused_where_another_has_two_lines_in_another_order():
    text = "class A:\n    def f(self):\n        raise B\n\n    def g(self):\n        raise B\n"
    search = "        raise B\n    def g(self):\n"
    assert "another order" in refused(search, search + "        h()\n", text).why


def test_a_shown_line_that_comes_back_as_html_is_refused_in_a_program_about_html_too():
    text = "entities = {'&lt;': '<'}\nif known:\n    x = '&' + s\n"
    assert "HTML" in refused("    x = '&' + s\n", "    if on:\n        x = '&amp;' + s\n", text).why
    assert done("    x = '&' + s\n", "    x = '&amp;' + t\n", text).text.endswith("x = '&amp;' + t\n")
    assert done("    x = '&' + s\n", "    x = '&' + s\n    y = '&amp;'\n", text)


def test_a_new_block_below_a_shifted_line_is_refused_where_a_block_ends():
    text = "class A:\n    x = 1\n    y = None\n\nz = 2\n"
    assert "end of a block" in refused("y = None\n", "y = None\n\nwith lock:\n    state += 1\n", text).why
    shown = done("    y = None\n", "    y = None\n\nwith lock:\n    state += 1\n", text)
    assert shown.text == text.replace("None\n", "None\n\nwith lock:\n    state += 1\n")


def test_a_new_block_that_begins_as_the_line_above_it_does_is_refused_at_any_depth():
    text = 'class A:\n    def f(self):\n        color("green")\n        forward(10)\n'
    inner = "        color('green')\n        forward(10)\n"
    assert "def f(self):" in refused(inner, "    def f(self):\n        label = 1\n" + inner, text).why
    both = "    def f(self):\n" + inner
    assert done(both, "    def f(self):\n        label = 1\n" + inner, text).text.count("def f") == 1


def test_a_statement_of_which_only_the_first_line_is_shifted_is_refused():
    text = "class A:\n    def f(self):\n        return join(self.a,\n                    self.b)\n"
    shifted = "       return join(self.a,\n                    self.b)\n"
    assert "is not certain" in refused(shifted, shifted.replace("b)", "b, None)"), text).why
    other = "       return join(self.a,\n                   self.b)\n"
    new = text.replace("self.b)", "self.b, None)")
    assert done(other, other.replace("b)", "b, None)"), text).text == new
