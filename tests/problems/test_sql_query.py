from __future__ import annotations

import json
import sqlite3

import pytest

from evoengine.errors import SettingError
from evoengine.evaluator import Evaluator
from evoengine.problem import Reject
from evoengine.sandboxes.none import Unconfined
from evoengine.testing import InProcess, ProblemContract
from evoengine.types import Program, Scored
from tests.problems.shipped import shipped

pytestmark = pytest.mark.slow

module = shipped("sql_query")
SqlQuery, counted, SCRIPT, SHOPS = module.SqlQuery, module.counted, module.SCRIPT, module.SHOPS
TASKS = ("latest_order", "above_average", "running_total", "best_sellers")
LATEST = module.first_query("latest_order")
FASTER = """
WITH o AS MATERIALIZED (SELECT customer, id, max(placed * 1000000 + id) FROM orders GROUP BY customer),
s AS (SELECT order_id, sum(pieces * cents) AS cost FROM items WHERE order_id IN (SELECT id FROM o) GROUP BY 1)
SELECT o.customer, o.id, coalesce(s.cost, 0) FROM o LEFT JOIN s ON s.order_id = o.id ORDER BY 1
"""


class TestContract(ProblemContract):
    @pytest.fixture
    def problem(self):
        return SqlQuery()


def judged(sql, task="latest_order", stage="train"):
    problem = SqlQuery(task=task)
    return problem.play(InProcess.of(problem, Program(files={"main.sql": sql}, language="sql")), stage)


@pytest.mark.parametrize("task", TASKS)
def test_the_first_query_of_a_task_is_100_per_cent_and_takes_more_than_linear_steps(task):
    score = judged(module.first_query(task), task)
    assert score.value == pytest.approx(100.0)
    assert score.metrics["growth"] > 1.3


@pytest.mark.parametrize("stage", ["train", "held_out"])
def test_another_query_with_the_same_rows_is_worth_its_steps(stage):
    score = judged(FASTER, stage=stage)
    assert score.value < 40.0
    taken = score.outputs["steps"]
    for name, steps in taken.items():
        assert score.instances[name] == pytest.approx(100.0 * steps / module.known("latest_order", stage, name)[2])


def by_hand(rows):
    """The rows of `latest_order`, without SQL."""
    latest = {}
    for number, customer, placed, _ in rows["orders"]:
        latest[customer] = max(latest.get(customer, (-1, -1)), (placed, number))
    cost = {}
    for _, order, _, pieces, cents in rows["items"]:
        cost[order] = cost.get(order, 0) + pieces * cents
    return [[customer, number, cost.get(number, 0)] for customer, (_, number) in sorted(latest.items())]


@pytest.mark.parametrize("stage", SHOPS)
def test_the_rows_that_are_wanted_are_those_that_python_finds(stage):
    for name in SHOPS[stage]:
        rows, wanted, _ = module.known("latest_order", stage, name)
        assert json.loads(wanted) == by_hand(rows)


def test_steps_are_counted_the_same_again_and_more_for_more_work():
    rows = SHOPS["train"]["small"].rows("here")
    one, again = (counted(SCRIPT, rows, "SELECT count(*) FROM orders, items", 10**7)["steps"] for _ in range(2))
    assert one == again
    pairs = len(rows["orders"]) * len(rows["items"])
    assert pairs < one < 10 * pairs


@pytest.mark.parametrize(
    "change",
    [
        ("ORDER BY o.customer", "ORDER BY o.customer DESC"),
        ("SELECT o.customer, o.id", "SELECT o.customer, o.id + 0.0"),
        ("SELECT o.customer, o.id,", "SELECT o.customer, o.id, 1,"),
        ("other.id > o.id", "other.id < o.id"),
        ("coalesce(sum(i.pieces * i.cents), 0)", "sum(i.pieces * i.cents)"),
        ("ORDER BY o.customer", "ORDER BY o.customer LIMIT 5"),
    ],
)
def test_rows_that_differ_in_value_order_number_or_kind_are_refused(change):
    assert change[0] in LATEST
    with pytest.raises(Reject, match="rows are others"):
        judged(LATEST.replace(*change))


@pytest.mark.parametrize(
    "sql",
    [
        "", "-- nothing", "SELEC 1", "SELECT 1; SELECT 2", "DELETE FROM items", "PRAGMA query_only = OFF",
        "ATTACH 'x' AS y", "SELECT * FROM sqlite_master", "SELECT load_extension('x')", "SELECT random()",
        "SELECT group_concat(id) FROM orders", "SELECT value FROM json_each('[1]')", "SELECT 'a' LIKE 'b'",
        "SELECT zeroblob(10)", "SELECT x'00'", "SELECT ?", "SELECT printf('%d', 1)", "CREATE TEMP TABLE t (a)",
        "SELECT * FROM pragma_table_info('orders')", "EXPLAIN SELECT 1", "SELECT 0 AS steps", "VACUUM", "SELECT \0",
        "WITH RECURSIVE a(x) AS (SELECT 1 UNION ALL SELECT x FROM a) SELECT count(*) FROM a",
        "SELECT a.id FROM items a, items b, items c, items d", "SELECT abs(-9223372036854775808)",
    ],
)  # fmt: skip
def test_what_is_no_harmless_query_with_the_right_rows_is_refused(sql):
    with pytest.raises(Reject):
        judged(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT group_concat(id) FROM orders", "SELECT 'a' LIKE 'b'", "SELECT * FROM sqlite_master", "SELECT random()",
        "SELECT json('[1]')", "SELECT instr('abc', 'b')", "SELECT replace('a', 'a', 'b')", "DELETE FROM items",
        "SELECT x'00'", "SELECT count(*) FROM sqlite_master", "SELECT count(*) FROM json_each('[1, 2]')",
        "SELECT count(*) FROM pragma_table_info('orders')",
        "WITH RECURSIVE a(x) AS (SELECT 1 UNION ALL SELECT x FROM a) SELECT count(*) FROM a",
    ],
)  # fmt: skip
def test_what_could_hide_work_or_change_data_gives_an_error_and_no_rows(sql):
    assert set(counted(SCRIPT, SHOPS["train"]["small"].rows("here"), sql, 10**6)) == {"error"}


def test_results_that_are_written_into_a_query_do_not_hold_for_a_database_of_its_own():
    # the right rows of each training database, chosen by its number of orders
    parts = []
    for name in SHOPS["train"]:
        rows, wanted, _ = module.known("best_sellers", "train", name)
        parts += [
            f"SELECT '{a}', {b}, {c} WHERE (SELECT count(*) FROM items) = {len(rows['items'])}"
            for a, b, c in json.loads(wanted)
        ]
    sql = " UNION ALL ".join(parts)
    assert len(sql) <= module.MOST_SQL
    for name in SHOPS["train"]:
        rows, wanted, _ = module.known("best_sellers", "train", name)
        assert json.dumps(counted(SCRIPT, rows, sql, 10**6)["rows"]) == wanted
    with pytest.raises(Reject, match="fresh"):
        judged(sql, "best_sellers")


def test_a_query_that_is_too_long_is_refused_before_it_is_run():
    with pytest.raises(Reject, match="characters"):
        judged(LATEST + "-" * 2000)


def test_a_query_that_is_much_slower_than_the_first_is_stopped():
    with pytest.raises(Reject, match="steps"):
        judged(
            LATEST.replace("FROM orders o\n", "FROM orders o JOIN (SELECT count(*) FROM items a, items b, items c)\n")
        )


def test_a_query_without_end_is_stopped_by_its_steps():
    rows = SHOPS["train"]["small"].rows("here")
    sql = "WITH RECURSIVE a(x) AS (SELECT 1 UNION ALL SELECT x FROM a) SELECT count(*) FROM a"
    assert counted(SCRIPT, rows, sql, 5000) == {"error": "more than 5000 steps"}


@pytest.mark.parametrize("form", ["", "MATERIALIZED", "NOT MATERIALIZED"])
def test_rows_of_a_part_of_a_query_may_be_counted(form):
    rows = SHOPS["train"]["small"].rows("here")
    found = counted(SCRIPT, rows, f"WITH a AS {form} (SELECT id FROM orders) SELECT count(*) FROM a", 5000)
    assert found["rows"] == [[len(rows["orders"])]]


def test_every_text_of_a_query_has_a_database_of_its_own():
    seen = []

    def watched(script, rows, sql, most):
        seen.append(json.dumps(rows))
        return counted(script, rows, sql, most)

    problem = SqlQuery()
    for sql in (LATEST, LATEST + " ", LATEST):
        problem.play(InProcess(watched, Program(files={"main.sql": sql}, language="sql")))
    known = len(SHOPS["train"])
    one, two, again = (set(seen[k * (known + 1) : (k + 1) * (known + 1)]) for k in range(3))
    assert one == again
    assert len(one & two) == known
    assert len(one) == known + 1


@pytest.mark.parametrize("steps", [0, -5, 3, 1.5, True, None, "7", 10**12])
def test_steps_that_cannot_be_are_refused_even_with_the_right_rows(steps):
    problem = SqlQuery()

    def forged(script, rows, sql, most):
        return {**counted(script, rows, sql, most), "steps": steps}

    with pytest.raises(Reject):
        problem.play(InProcess(forged, problem.seeds()[0]))


def test_the_query_is_data_to_a_harness_in_the_candidates_process():
    evaluator = Evaluator(problem=SqlQuery(), sandbox=Unconfined())
    try:
        judged_seed = evaluator.evaluate(SqlQuery().seeds()[0]).evaluation
        assert isinstance(judged_seed, Scored), judged_seed
        assert -judged_seed.score == pytest.approx(100.0)
        python = evaluator.evaluate(Program.of("def counted(*_):\n    return {'rows': [], 'steps': 1}\n")).evaluation
        assert not isinstance(python, Scored)
    finally:
        evaluator.close()


def test_databases_of_the_two_stages_are_different_and_hold_the_traps():
    made = {stage: [shop.rows(f"{stage}/{name}") for name, shop in shops.items()] for stage, shops in SHOPS.items()}
    assert not {json.dumps(one) for one in made["train"]} & {json.dumps(one) for one in made["held_out"]}
    for rows in made["train"]:
        ordered, filled = {row[1] for row in rows["orders"]}, {row[1] for row in rows["items"]}
        assert {row[0] for row in rows["customers"]} - ordered
        assert {row[0] for row in rows["orders"]} - filled
        assert None in {row[3] for row in rows["orders"]}
        days = [(customer, placed) for _, customer, placed, _ in rows["orders"]]
        if len(days) > 40:
            assert len(set(days)) < len(days)


def test_an_unknown_task_is_a_setting_error():
    with pytest.raises(SettingError, match="task"):
        SqlQuery(task="nothing")


def test_the_version_of_sqlite_counts_steps_one_by_one():
    assert sqlite3.sqlite_version_info >= (3, 35)
    steps = counted(SCRIPT, {"orders": [[1, 1, 1, None]]}, "SELECT id FROM orders", 100)["steps"]
    assert 3 <= steps <= 15


def test_running_a_query_leaves_the_sqlite_of_its_process_as_it_was():
    judged(module.first_query("latest_order"))
    # SQLite's limit of memory is that of the whole process, and cannot be raised again
    assert sqlite3.connect(":memory:").execute("pragma hard_heap_limit").fetchone() == (0,)
