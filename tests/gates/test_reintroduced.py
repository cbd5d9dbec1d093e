from __future__ import annotations

import pytest

from evoengine.gates.reintroduced import Reintroduced
from evoengine.testing import examined
from evoengine.types import Cause, Lookup, Program
from tests.gates.records import draft_from, lineage, record_of

OLD = "def f(x):\n    a = slow(x)\n    b = slower(a)\n    return b\n"
NEW = "def f(x):\n    c = fast(x)\n    return c\n"
NEWER = "import quick\ndef f(x):\n    c = fast(x)\n    return c\n"


def verdict(records, child, *others, **settings):
    return examined(Reintroduced(**settings), Program.of(child), draft_from(records, *others), records)


def test_a_child_that_brings_back_what_was_given_up_for_a_better_score_is_refused():
    found = verdict(lineage((OLD, 1.0), (NEW, 2.0)), OLD)
    assert found.cause is Cause.REINTRODUCED
    assert "record 1 had them and record 2 did not" in found.feedback
    assert "a = slow(x)" in found.feedback


def test_what_was_given_up_for_a_worse_score_may_come_back():
    assert verdict(lineage((OLD, 2.0), (NEW, 1.0)), OLD) is None
    assert verdict(lineage((OLD, 2.0), (NEW, 2.0)), OLD) is None
    assert verdict(lineage((OLD, 2.0), (NEW, None)), OLD) is None


def test_what_was_given_up_to_mend_a_failure_may_not():
    assert verdict(lineage((OLD, None), (NEW, 1.0)), OLD) is not None


def test_the_latest_time_decides():
    assert verdict(lineage((OLD, 1.0), (NEW, 2.0), (OLD, 3.0), (NEW, 2.5)), OLD) is None
    assert verdict(lineage((OLD, 3.0), (NEW, 2.0), (OLD, 2.5), (NEW, 2.7)), OLD) is not None


def test_further_ancestors_count_up_to_the_depth():
    steps = [(OLD, 1.0), (NEW, 2.0), *((f"{NEW}# {at}\nz{at} = x + {at}\n", 2.0 + at) for at in range(1, 4))]
    child = f"{OLD}# 3\nz3 = x + 3\n"
    assert verdict(lineage(*steps), child) is not None
    assert verdict(lineage(*steps), child, depth=3) is None


def test_a_change_that_also_adds_something_new_passes_by_default():
    child = OLD.replace("return b", "d = other(b)\n    return d")
    assert verdict(lineage((OLD, 1.0), (NEW, 2.0)), child) is None
    assert verdict(lineage((OLD, 1.0), (NEW, 2.0)), child, share=0.5) is not None


def test_a_change_that_also_takes_away_what_was_always_there_passes_by_default():
    shared = "import shared\nshared.prepare()\n"
    records = lineage((shared + OLD, 1.0), (shared + NEW, 2.0))
    assert verdict(records, shared + OLD) is not None
    assert verdict(records, OLD) is None


def test_one_line_is_too_few_by_default():
    records = lineage(("x = 1\ny = f(x)\n", 1.0), ("x = 2\ny = f(x)\n", 2.0))
    assert verdict(records, "x = 1\ny = f(x)\n") is None
    assert verdict(records, "x = 1\ny = f(x)\n", lines=1) is not None


def test_comments_blank_lines_and_idle_ones_do_not_count():
    old = "x = f()\n# why\n# because\n\ntry:\n    pass\nelse:\n    pass\n"
    records = lineage((old, 1.0), ("x = f()\n", 2.0))
    assert verdict(records, old, lines=1) is None


def test_what_another_parent_or_an_inspiration_holds_is_no_step_back():
    records = lineage((OLD, 1.0), (NEW, 2.0))
    assert verdict(records, OLD, OLD) is None
    assert verdict(records, OLD, "x = 1\n", OLD) is None
    assert verdict(records, OLD, "x = 1\n", "y = 1\n") is not None


def test_a_new_line_and_a_move_pass():
    records = lineage((OLD, 1.0), (NEW, 2.0))
    assert verdict(records, NEWER) is None
    assert verdict(records, "def f(x):\n    return c\n    c = fast(x)\n") is None


def test_white_space_around_a_line_does_not_count():
    assert verdict(lineage((OLD, 1.0), (NEW, 2.0)), OLD.replace("    ", "\t")) is not None


def test_a_line_that_is_there_less_often_counts_as_given_up():
    one, two = "x = f()\nx = g(x)\nx = h(x)\n", "x = f()\nx = g(x)\nx = h(x)\nx = g(x)\nx = h(x)\n"
    records = lineage((two, 1.0), (one, 2.0))
    assert verdict(records, two) is not None


def test_a_gap_in_what_is_known_ends_the_walk():
    records = lineage((OLD, 1.0), (NEW, 2.0))
    assert examined(Reintroduced(), Program.of(OLD), draft_from(records), records[1:]) is None
    assert examined(Reintroduced(), Program.of(OLD), draft_from(records), []) is None
    lost = [record_of(1, None, None), records[1]]
    assert examined(Reintroduced(), Program.of(OLD), draft_from(records), lost) is None


@pytest.mark.parametrize("depth", [1, 3, 8])
def test_no_more_records_are_asked_for_than_the_depth_needs(depth):
    records = lineage(*((f"x{at} = f()\n", float(at)) for at in range(20)))
    gate, asked = Reintroduced(depth=depth), []
    steps = gate.examine(Program.of("x0 = f()\nx1 = f()\n"), draft_from(records))
    answer = None
    while True:
        try:
            request = steps.send(answer)
        except StopIteration:
            break
        assert isinstance(request, Lookup)
        asked += request.numbers
        answer = {number: records[number - 1] for number in request.numbers}
    assert len(asked) == depth + 1
