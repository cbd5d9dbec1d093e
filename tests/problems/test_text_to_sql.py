from __future__ import annotations

import itertools
import json
import math
import sqlite3
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evoengine import Campaign, Context
from evoengine.errors import ProblemError, SettingError
from evoengine.evaluator import Evaluator
from evoengine.generators.scripted import Scripted
from evoengine.plugins import build
from evoengine.problem import Reject
from evoengine.testing import ContextProblemContract
from evoengine.testing import judged_under as judged
from evoengine.types import Cause, Failed, Probe, Program, Scored
from tests.conftest import evoengine
from tests.operators.talking import fenced
from tests.problems.shipped import shipped

module = shipped("text_to_sql")
TextToSql, query_of = module.TextToSql, module.query_of
querying, comparing, databases, exams, questions, folders = (
    sys.modules[f"shipped_text_to_sql.{name}"]
    for name in ("querying", "comparing", "databases", "exams", "questions", "folders")
)
STEPS = 2_000_000


@pytest.fixture(scope="module")
def jailed():
    evaluator = Evaluator(problem=TextToSql(), sandbox=build("sandboxes", "jail"))
    yield evaluator.answer
    evaluator.close()


@pytest.fixture
def runs(jailed):
    return jailed


class TestContract(ContextProblemContract):
    @pytest.fixture
    def problem(self):
        return TextToSql(train_questions=10, held_out_questions=10)

    @pytest.fixture
    def runs(self, jailed):
        return jailed


def question_of(prompt):
    return prompt.messages[-1]["content"].rpartition("Question: ")[2]


def block(sql):
    return f"Here it is.\n```sql\n{sql}\n```\n"


def by_text(problem, stage="train"):
    exam = problem.exam(stage)
    return {(one.database, one.text): one for one in exam.questions}


def knowing(problem, stage="train", change=lambda question: question.sql):
    """A model that knows the gold queries, and gives what `change` makes of them."""
    known = by_text(problem, stage)
    table = {name: database.script[0] for name, database in problem.exam(stage).databases.items()}

    def model(prompt):
        text = prompt.messages[-1]["content"]
        [question] = [
            one for (name, asked), one in known.items() if asked == question_of(prompt) and table[name] in text
        ]
        return block(change(question))

    return model


@pytest.mark.parametrize("stage", ["train", "held_out"])
def test_a_model_that_gives_the_gold_queries_is_right_everywhere(runs, stage):
    score = judged(TextToSql(), knowing(TextToSql(), stage), runs, stage)
    assert score.value == 1.0
    assert len(score.instances) == 40
    assert set(score.instances.values()) == {1.0}
    assert score.metrics["valid_sql"] == 1.0


@pytest.mark.parametrize("text", ["", "I do not know.", "```sql\n```", "```python\nprint(1)\n```"])
def test_an_answer_without_a_query_is_wrong_and_nothing_is_run(text):
    score = judged(TextToSql(), lambda _: text)
    assert score.value == score.metrics["valid_sql"] == 0.0


def test_a_query_that_runs_and_gives_something_else_is_valid_and_wrong(runs):
    score = judged(TextToSql(), lambda _: "SELECT 'something', 'else'", runs)
    assert (score.value, score.metrics["valid_sql"], score.metrics["query_length"]) == (0.0, 1.0, 26.0)


@pytest.mark.parametrize(
    ("change", "right"),
    [
        (lambda sql: sql + " ;", True),
        (lambda sql: f"-- a word first\n{sql} -- and one last", True),
        (lambda sql: f"SELECT * FROM ({sql})", True),
        (lambda sql: f"WITH it AS ({sql}) SELECT * FROM it", True),
        (lambda sql: sql + "; SELECT 1", False),
        (lambda sql: sql + "; DROP TABLE x", False),
        (lambda sql: "SELECT 1; " + sql, False),
        (lambda sql: f"SELECT *, 1 FROM ({sql})", False),
        (lambda sql: f"SELECT * FROM ({sql}) UNION ALL SELECT * FROM ({sql})", False),
        (lambda sql: f"SELECT * FROM ({sql}) LIMIT 0", False),
        (lambda sql: f"EXPLAIN {sql}", False),
        (lambda sql: f"{sql} /* a comment without end; DROP TABLE x", True),
        (lambda sql: f"/* {sql} */", False),
    ],
)
def test_what_is_right_is_decided_by_the_result_of_one_query(runs, change, right):
    problem = TextToSql(train_questions=10)
    score = judged(problem, knowing(problem, change=lambda question: change(question.sql)), runs)
    assert set(score.instances.values()) == {float(right)}, score.feedback


def test_the_order_of_rows_counts_where_the_question_asks_for_one_and_nowhere_else(runs):
    problem = TextToSql(train_questions=60)

    def backwards(question):
        width = len(problem.exam("train").gold[question.name][0])
        return f"SELECT * FROM ({question.sql}) ORDER BY {', '.join(f'{k} DESC' for k in range(1, 1 + width))}"

    score = judged(problem, knowing(problem, change=backwards), runs)
    wrong = {name for name, value in score.instances.items() if not value}
    assert wrong
    assert wrong <= {question.name for question in problem.exam("train").questions if question.ordered}


WITHOUT_END = "WITH RECURSIVE a(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM a) SELECT max(x) FROM a"
DOUBLING = (
    "WITH a0 AS (SELECT 1 UNION ALL SELECT 1), "
    + ", ".join(f"a{k} AS (SELECT 1 FROM a{k - 1}, a{k - 1})" for k in range(1, 30))
    + " SELECT count(*) FROM a29"
)
TABLE = "(SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7)"
HOSTILE = {
    "drop": "DROP TABLE {table}",
    "delete": "DELETE FROM {table}",
    "insert": "INSERT INTO {table} DEFAULT VALUES",
    "insert returning": "INSERT INTO {table} DEFAULT VALUES RETURNING 1",
    "update": "UPDATE {table} SET rowid = 5",
    "temp table": "CREATE TEMP TABLE {table} AS SELECT 1",
    "view": "CREATE TEMP VIEW {table} AS SELECT 1",
    "attach": "ATTACH '/etc/passwd' AS p",
    "attach memory": "ATTACH ':memory:' AS p",
    "pragma": "PRAGMA query_only = OFF",
    "pragma heap": "PRAGMA hard_heap_limit = 0",
    "pragma function": "SELECT * FROM pragma_table_info('{table}')",
    "master": "SELECT sql FROM sqlite_master",
    "vacuum": "VACUUM INTO 'stolen.db'",
    "begin": "BEGIN",
    "reindex": "REINDEX",
    "load_extension": "SELECT load_extension('/tmp/evil.so')",
    "readfile": "SELECT readfile('/etc/passwd')",
    "writefile": "SELECT writefile('x', 'y')",
    "tokenizer": "SELECT fts3_tokenizer('simple')",
    "random": "SELECT random()",
    "random blob": "SELECT randomblob(100)",
    "without end": WITHOUT_END,
    "doubling": DOUBLING,
    "rows": WITHOUT_END.replace("max(x)", "x"),
    "cross": f"SELECT * FROM {', '.join(f'{TABLE} t{k}' for k in range(12))}",
    "sorted cross": f"SELECT printf('%.*c', 9999, 'x') FROM {', '.join(f'{TABLE} t{k}' for k in range(12))} ORDER BY 1",
    "large cell": "SELECT hex(hex(hex(hex(printf('%.*c', 90000, 'x')))))",
    "padded": "SELECT printf('%.*c', 2000000000, 'x')",
    "long cells": f"SELECT printf('%.*c', 60000, 'x') FROM {TABLE}",
    "columns": "SELECT " + ", ".join(["1"] * 150),
    "deep": "SELECT " + "(" * 2000 + "1" + ")" * 2000,
    "deep sum": "SELECT " + "1+" * 3000 + "1",
    "blob": "SELECT x'00ff'",
    "infinity": "SELECT 9e999, -9e999",
    "nan": "SELECT 9e999 - 9e999",
    "nul": "SELECT 'a\0b'",
    "bad text": "SELECT CAST(x'ff00fe' AS TEXT)",
    "surrogate": "SELECT '\ud800'",
    "parameter": "SELECT ?1",
    "long": "SELECT '" + "x" * 20_000 + "'",
    "values": "VALUES (1), (2)",
    "nothing": ";",
    "two": "SELECT 1; SELECT 2",
    "one and a drop": "SELECT 1; DROP TABLE {table}",
    "pattern": f"SELECT printf('%.*c', 50000, 'a') LIKE '{'%a' * 99}b'",
    "json": """SELECT '{{"rows": [[1]]}}'""",
}


@pytest.mark.slow
def test_hostile_queries_are_wrong_and_leave_all_others_right_beside_them(runs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    problem = TextToSql(train_questions=2 * len(HOSTILE))
    exam = problem.exam("train")
    assert len(exam.questions) == 2 * len(HOSTILE)
    evil = {}
    for place, (question, sql) in enumerate(zip(exam.questions[::2], HOSTILE.values(), strict=True)):
        table = next(iter(exam.databases[question.database].rows))
        evil[question.name] = sql.replace("{table}", table), list(HOSTILE)[place]
    model = knowing(problem, change=lambda question: evil.get(question.name, (question.sql,))[0])
    probes = []

    def counted(probe):
        probes.append(probe)
        return runs(probe)

    score = judged(problem, model, counted)
    for question in exam.questions:
        is_evil = question.name in evil
        assert score.instances[question.name] == float(not is_evil), (evil.get(question.name), question.name)
    [probe] = probes
    assert all(len(call[0].get("sql", "")) <= querying.MOST_SQL for call in probe.calls)
    assert list(tmp_path.iterdir()) == []


def test_a_query_that_ends_the_process_fails_alone():
    problem = TextToSql(train_questions=6)
    names = [question.name for question in problem.exam("train").questions]
    model = knowing(problem, change=lambda question: "SELECT 'KILL'" if question.name == names[2] else question.sql)
    asked = []

    def runs(probe):
        """A process that one query kills; answers come from the judge's own database."""
        asked.append(len(probe.calls))
        if any("KILL" in call[0].get("sql", "") for call in probe.calls):
            return Failed(cause=Cause.OUT_OF_MEMORY)
        held = {
            call[0]["build"]["name"]: querying.built(call[0]["build"]) for call in probe.calls if "build" in call[0]
        }
        return [
            {} if "build" in call[0] else querying.answered(held[call[0]["ask"]], call[0]["sql"], STEPS)
            for call in probe.calls
        ]

    score = judged(problem, model, runs)
    assert score.instances == {name: float(name != names[2]) for name in names}
    assert len(asked) == 1 + 6
    assert "it ended the process: out_of_memory" in score.feedback


@pytest.mark.parametrize("sent", [
    None, [], {"rows": [[1], [1, 2]]}, {"rows": [[True]]}, {"rows": [[10**30]]}, {"rows": [[{"real": 1.0, "x": 1}]]},
    {"rows": "x"}, {"rows": [5]}, {"error": 5}, {"rows": [[[]]]},
])  # fmt: skip
def test_what_a_broken_jail_sends_is_never_right(sent):
    problem = TextToSql(train_questions=5)
    score = judged(problem, knowing(problem), lambda probe: [sent for _ in probe.calls])
    assert score.value == 0.0
    assert score.metrics["valid_sql"] == 0.0


# -- one query over one database -------------------------------------------------------------------------------------


@pytest.fixture
def database():
    shop = databases.made(databases.SCHEMAS[0], 0, 10)
    with querying.built(shop.content()) as opened:
        yield opened
    opened.close()


def dump(database):
    database.set_authorizer(None)
    return "\n".join(database.iterdump())


TOKENS = st.sampled_from([
    "SELECT", "*", "FROM", "orders", "customers", "WHERE", "1", "'x'", ";", "DROP TABLE orders", "DELETE FROM orders",
    "PRAGMA query_only=0", "ATTACH 'x' AS y", "UNION ALL", "(", ")", ",", "--", "/*", "*/", "x'00'", "NULL", "9e999",
    "INSERT INTO orders SELECT * FROM orders", "WITH RECURSIVE a AS (SELECT 1 UNION ALL SELECT 1 FROM a)", "a",
    "CREATE TABLE z(a)", "\0", "\ud800", "'", '"', "load_extension('x')", "randomblob(9)", "ORDER BY", "LIMIT", "?",
])  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(TOKENS, max_size=12).map(" ".join) | st.text(max_size=40))
def test_no_text_changes_a_database_or_raises_and_answers_are_plain_json(sql):
    shop = databases.made(databases.SCHEMAS[0], 0, 8)
    opened = querying.built(shop.content())
    try:
        found = querying.answered(opened, sql, 100_000)
        assert set(found) in ({"rows"}, {"error"})
        json.dumps(found, allow_nan=False)
        assert "error" in found or comparing.well_formed(found)
        untouched = querying.built(shop.content())
        assert dump(opened) == dump(untouched)
        untouched.close()
    finally:
        opened.close()


def test_steps_are_counted_so_that_the_same_query_always_ends_at_the_same_place(database):
    counting = "WITH RECURSIVE a(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM a WHERE x < {}) SELECT max(x) FROM a"
    assert querying.answered(database, counting.format(10), 10_000) == {"rows": [[10]]}
    assert querying.answered(database, counting.format(10**6), 10_000) == {"error": "it takes too long"}
    assert querying.answered(database, "SELECT 1", 10_000) == {"rows": [[1]]}


@pytest.mark.parametrize("sql", [
    "DROP TABLE orders", "SELECT random()", "SELECT name FROM sqlite_master", "PRAGMA user_version",
    "ATTACH ':memory:' AS x", "SELECT load_extension('x')", "SELECT * FROM pragma_table_list",
])  # fmt: skip
def test_the_authorizer_refuses_all_but_reading_tables(database, sql):
    assert "error" in querying.answered(database, sql, STEPS)
    database.set_authorizer(None)  # it is the authorizer that does: without it, reading what may not be read works
    if sql.startswith("SELECT name"):
        assert "rows" in querying.answered(database, sql, STEPS)


def test_a_database_stays_as_it_is_without_its_authorizer_too(database):
    database.set_authorizer(None)
    assert "readonly" in querying.answered(database, "DELETE FROM orders", STEPS)["error"]


@pytest.mark.parametrize(("columns", "fits"), [(50, True), (51, False)])
def test_a_result_has_at_most_so_many_columns(database, columns, fits):
    assert ("rows" in querying.answered(database, f"SELECT {', '.join(['1'] * columns)}", STEPS)) == fits


@pytest.mark.parametrize(("length", "fits"), [(65_536, True), (65_537, False)])
def test_a_result_has_at_most_so_many_bytes(database, length, fits):
    assert ("rows" in querying.answered(database, f"SELECT printf('%.*c', {length}, 'x')", STEPS)) == fits


def test_a_value_has_a_bounded_length(database):
    assert querying.answered(database, "SELECT length(hex(printf('%.*c', 45000, 'x')))", STEPS) == {"rows": [[90000]]}
    assert "too big" in querying.answered(database, "SELECT length(hex(printf('%.*c', 60000, 'x')))", STEPS)["error"]


def test_a_query_that_sorts_too_much_is_refused_memory_and_the_next_one_has_it(runs):
    shop = databases.made(databases.SCHEMAS[0], 0, 10).content()
    sorting = (
        "WITH RECURSIVE a(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM a WHERE n < {}) "
        "SELECT count(*) FROM (SELECT printf('%.*c', 60000, 'x') || n AS x FROM a ORDER BY 1 LIMIT 9999)"
    )
    asked = [{"ask": "shop", "sql": sorting.format(rows), "steps": STEPS} for rows in (5000, 100)]
    program = Program.of(Path(querying.__file__).read_text(encoding="utf-8"))
    found = runs(Probe(program=program, entry="serve", calls=[({"build": shop},), *((one,) for one in asked)]))
    assert found == [{}, {"error": "it takes too much memory"}, {"rows": [[100]]}]


@pytest.mark.parametrize(("rows", "fits"), [(500, True), (501, False)])
def test_a_result_has_at_most_so_many_rows(database, rows, fits):
    counting = f"WITH RECURSIVE a(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM a WHERE x < {rows}) SELECT x FROM a"
    assert ("rows" in querying.answered(database, counting, STEPS)) == fits


def test_cells_of_every_type_come_through(database):
    found = querying.answered(database, "SELECT NULL, 1, 1.0, 9e999, 'ä', x'00ff', CAST(x'ff' AS TEXT)", STEPS)
    assert found == {"rows": [[None, 1, {"real": 1.0}, {"real": "inf"}, "ä", {"blob": "00ff"}, "\\xff"]]}


# -- comparing -------------------------------------------------------------------------------------------------------

cell = st.sampled_from([
    None, 0, 1, 2, "1", "", {"real": 1.0}, {"real": 1.0 + 6e-7}, {"real": 1.0 + 1.2e-6}, {"real": 2.0}, {"blob": "31"},
    {"real": "inf"}, 2**62, 2**62 + 1,
])  # fmt: skip


def tables(rows):
    return st.integers(1, 3).flatmap(
        lambda width: st.lists(st.lists(cell, min_size=width, max_size=width), max_size=rows)
    )


def alike(one, other):
    """Independent of the code: spelled out from the rule that the README states."""

    def number(x):
        return x if isinstance(x, int) else float(x["real"]) if isinstance(x, dict) and "real" in x else None

    a, b = number(one), number(other)
    if a is None or b is None:
        return one == other
    if isinstance(one, int) and isinstance(other, int):
        return one == other
    return not math.isinf(a) and not math.isinf(b) and abs(a - b) <= 1e-6 * max(1, abs(a), abs(b))


def same(wanted, given_, ordered):
    if len(wanted) != len(given_):
        return False
    orders = [given_] if ordered else itertools.permutations(given_)
    return any(
        all(len(a) == len(b) and all(map(alike, a, b)) for a, b in zip(wanted, order, strict=True)) for order in orders
    )


@settings(max_examples=500, deadline=None)
@given(st.data(), tables(4), st.booleans())
def test_results_are_equal_exactly_when_some_pairing_of_rows_is(data, wanted, ordered):
    given_ = data.draw(st.permutations(wanted) | tables(4))
    swaps = {1: {"real": 1.0}, 2: {"real": 2.0}}
    if data.draw(st.booleans()):
        given_ = [[swaps.get(one, one) if isinstance(one, int) else one for one in row] for row in given_]
    found = comparing.difference(wanted, given_, ordered=ordered)
    assert (found is None) == same(wanted, given_, ordered), found


def test_rows_with_several_real_numbers_are_paired_and_not_only_sorted():
    near = 1.0 + 5e-7
    wanted = [[{"real": 1.0}, {"real": 5.0}], [{"real": near}, {"real": 3.0}]]
    given_ = [[{"real": near}, {"real": 5.0}], [{"real": 1.0}, {"real": 3.0}]]
    assert comparing.difference(wanted, given_, ordered=False) is None


def test_large_integers_are_compared_exactly_beside_real_numbers_too():
    wanted = [[2**62], [{"real": 0.5}]]
    assert comparing.difference(wanted, [[{"real": 0.5}], [2**62]], ordered=False) is None
    assert comparing.difference(wanted, [[{"real": 0.5}], [2**62 + 1]], ordered=False) is not None


def test_a_difference_is_told_with_the_first_rows_that_differ():
    assert (
        comparing.difference([[1], [2]], [[1]], ordered=False)
        == "1 row where 2 rows should be, for example (2) is missing"
    )
    assert comparing.difference([["a"]], [["b"]], ordered=False) == "('a') is missing, ('b') should not be there"
    assert comparing.difference([[1], [2]], [[2], [1]], ordered=True) == "row 1 is (2) where (1) should be"


# -- taking the query from an answer ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("text", "query"), [
    ("```sql\nSELECT 1\n```", "SELECT 1"),
    ("```SQL\nSELECT 1\n```\nbetter:\n```sqlite\nSELECT 2\n```", "SELECT 2"),
    ("SELECT 1", "SELECT 1"),
    ("  with a as (select 1) select * from a", "with a as (select 1) select * from a"),
    ("The answer is SELECT 1", None),
    ("```\nSELECT 1\n```", None),
    ("```sql\nSELECT 1", None),
    ("<think>```sql\nSELECT 1\n```</think>\n```sql\nSELECT 2\n```", "SELECT 2"),
    ("<think>\n```sql\nSELECT 1\n```\n</think>\nI do not know.", None),
    ("", None),
    ("```sql\n\n```", None),
])  # fmt: skip
def test_the_query_is_the_last_block_of_sql_or_the_whole_text(text, query):
    assert query_of(text) == query


@given(st.text())
def test_any_text_has_a_query_or_none(text):
    assert query_of(text) is None or query_of(text)


# -- what is asked ---------------------------------------------------------------------------------------------------


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6))
def test_training_and_held_out_share_no_template_and_no_database(seed):
    problem = TextToSql(exam_seed=seed)
    train, held_out = problem.exam("train"), problem.exam("held_out")
    assert not {q.template for q in train.questions} & {q.template for q in held_out.questions}
    assert not set(train.databases) & set(held_out.databases)
    assert not {q.name for q in train.questions} & {q.name for q in held_out.questions}
    for exam in (train, held_out):
        texts = [(q.database, q.text) for q in exam.questions]
        assert len(set(texts)) == len(texts) == 40
        assert len(exam.databases) >= 3
        assert len({q.template for q in exam.questions}) >= 8


def test_every_template_gives_results_worth_asking_for_on_every_schema():
    seen, empty = 0, []
    for seed in range(3):
        for schema in databases.SCHEMAS:
            opened = querying.built(databases.made(schema, seed, 40).content())
            for template in questions.TEMPLATES:
                question = questions.asked(schema, template, seed, 0)
                found = querying.answered(opened, question.sql, STEPS)
                assert "rows" in found, (question, found)
                seen += 1
                if exams._trivial(found["rows"]):
                    empty.append(question.name)
            opened.close()
    assert len(empty) <= seen / 20, empty


def test_an_exam_follows_from_its_seed():
    again = exams.generated("train", seed=0, count=40, rows=40, steps=STEPS)
    assert again == TextToSql().exam("train")
    other = TextToSql(exam_seed=1).exam("train")
    assert [q.text for q in other.questions] != [q.text for q in again.questions]


@pytest.mark.parametrize("schema", databases.SCHEMAS, ids=lambda schema: schema.name)
def test_rows_hold_the_traps_that_queries_fall_into(schema):
    opened = querying.built(databases.made(schema, 0, 40).content())

    def rows(sql):
        return querying.answered(opened, sql, STEPS)["rows"]

    words = questions.Words(schema, "traps")
    traps = {
        # counting those without any by an inner join
        questions.links_of_everyone(words).sql: lambda sql: sql.replace("LEFT JOIN", "JOIN"),
        # NULL is not unequal to anything
        questions.not_of_kind(words).sql: lambda sql: sql.replace("IS NOT", "<>"),
        # several people have one name
        questions.shared_names(words).sql: lambda sql: sql.replace("> 1", "> 99"),
        # values that are equal: only one of the highest
        questions.dearest_of_each_maker(words).sql: lambda sql: f"{sql} GROUP BY 1",
    }
    for sql, mistake in traps.items():
        assert comparing.difference(rows(sql), rows(mistake(sql)), ordered=False) is not None
    if schema.dates == "dotted":
        first = questions.first_dates(words).sql
        naive = f"SELECT * FROM {schema.links.name} ORDER BY {schema.links['date']}"
        assert rows(first)[0][0] != rows(naive)[0][0]
    opened.close()


def test_a_prompt_begins_with_the_context_and_shows_the_database_and_the_question():
    problem = TextToSql()
    prompts = next(problem.converse(Context(sections={"a": "Be exact.", "b": "No star."})))
    for prompt, question in zip(prompts, problem.exam("train").questions, strict=True):
        system, user = (message["content"] for message in prompt.messages)
        assert system == "# a\nBe exact.\n\n# b\nNo star."
        database = problem.exam("train").databases[question.database]
        assert all(statement in user for statement in database.script)
        assert user.endswith(f"Question: {question.text}")
        assert question.sql not in user
        assert (prompt.temperature, prompt.max_tokens) == (0.0, 512)


def test_what_judging_takes_is_bounded_beforehand():
    problem = TextToSql(train_questions=10, most_context=1000)
    with pytest.raises(Reject, match="characters"):
        next(problem.converse(Context(sections={"a": "x" * 1001})))
    prompts = next(problem.converse(Context(sections={"a": "x" * 990})))
    written = sum(len(m["content"]) for prompt in prompts for m in prompt.messages)
    assert written / 2 + 10 * 512 <= problem.most_tokens


def test_feedback_names_failures_and_what_is_wrong_with_them_and_says_nothing_of_the_held_out_ones(runs):
    problem = TextToSql()
    train = judged(problem, lambda _: block("SELECT a FROM nowhere"), runs)
    assert "0 of 40 answers are right." in train.feedback
    assert "no such table: nowhere" in train.feedback
    assert problem.exam("train").questions[0].text in train.feedback
    assert judged(problem, lambda _: block("SELECT 1"), runs, "held_out").feedback == ""
    assert not any(question.text in train.feedback for question in problem.exam("held_out").questions)


def test_feedback_holds_nothing_that_steers_a_terminal(runs):
    score = judged(TextToSql(), lambda _: "SELECT '\x1b[31m\u202e\x00\ud800' FROM nowhere", runs)
    assert score.feedback.replace("\n", "").isprintable()
    assert "[31m" in score.feedback


# -- a campaign ------------------------------------------------------------------------------------------------------


def campaign_of(folder, name, problem, **settings):
    known = {}
    for stage in ("train", "held_out"):
        for (database, text), question in by_text(problem, stage).items():
            known[problem.exam(stage).databases[database].script[0], text] = question

    def task(prompt, seed):
        """Knows the answers, and how far it gives them follows from what the context tells it."""
        system, user = prompt.messages[0]["content"], prompt.messages[-1]["content"]
        if "You improve" in system:
            return fenced(f"Mind {('NULL', 'names', 'NULL and names')[seed % 3]}.\n", "markdown")
        [question] = [one for (table, text), one in known.items() if table in user and text == question_of(prompt)]
        minds = sum(word in system for word in ("NULL", "names"))
        return block(question.sql if hash_of(question.name) % 4 < 1 + minds else "SELECT 0 WHERE 0")

    given_ = {"operators": ["rewrite"], "generator": Scripted(answers=task), "gates": [], "guidance": False,
              "sandbox": "none", "workers": 1, "window": 2, "islands": 1, **settings}  # fmt: skip
    return Campaign(problem, store=f"{folder}/{name}.db", **given_)


def hash_of(text):
    return sum(map(ord, text))


@pytest.mark.slow
@pytest.mark.parametrize("sandbox", ["jail", "none"])
def test_a_context_evolves_above_the_seed_and_is_checked_on_what_selection_never_saw(tmp_path, sandbox):
    problem = build("problems", {"use": "text_to_sql", "train_questions": 12, "held_out_questions": 12})
    with campaign_of(tmp_path, sandbox, problem, sandbox=sandbox) as campaign:
        campaign.run(evaluations=8)
        best, checks, digest = campaign.best(), campaign.checks(), campaign.digest()
        row = campaign.store.campaign(campaign.name)
        seed = next(iter(campaign.store.replay(row))).evaluation
    assert best.scored.score > seed.score
    [check] = checks
    assert check.stage == "held_out"
    assert isinstance(check.evaluation, Scored)
    assert set(check.evaluation.instances) == {q.name for q in problem.exam("held_out").questions}
    assert check.evaluation.feedback == ""
    with campaign_of(tmp_path, "again", problem, sandbox=sandbox, workers=2) as campaign:
        campaign.run(evaluations=8)
        assert campaign.digest() == digest


def test_check_proves_without_a_model_what_can_be_proven(tmp_path):
    done = evoengine("check", "text_to_sql", "--format", "json", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    told = {row["what"]: row["holds"] for row in json.loads(done.stdout)}
    assert told["seed 1 is judged under a model that says nothing"] == "yes"
    assert told["hostile answers never beat silence"] == "yes"


# -- a user's folder -------------------------------------------------------------------------------------------------

SCRIPT = """
CREATE TABLE singer (id INTEGER PRIMARY KEY, name TEXT, age INT, photo BLOB, weight REAL);
INSERT INTO singer VALUES (1, 'Joe', 52, x'00ff', 70.5), (2, 'Ann', 30, NULL, 9e999), (3, 'Joe', NULL, x'', 60.0);
CREATE VIEW adult AS SELECT * FROM singer WHERE age >= 18;
CREATE TABLE "odd name" (a, "b c", PRIMARY KEY (a)) WITHOUT ROWID;
INSERT INTO "odd name" VALUES ('k', 1);
"""


def sqlite_at(path, script=SCRIPT):
    path.parent.mkdir(parents=True)
    with sqlite3.connect(path) as opened:
        opened.executescript(script)
    opened.close()


def spider(folder: Path) -> Path:
    for name in ("concert", "museum_visit"):
        sqlite_at(folder / "database" / name / f"{name}.sqlite")
    entries = [
        {"db_id": name, "question": question, "query": sql}
        for name in ("concert", "museum_visit")
        for question, sql in (
            ("How many singers are there?", "SELECT count(*) FROM singer"),
            ("Names by age?", "SELECT name FROM singer ORDER BY age"),
            ("Adults?", "SELECT name FROM adult"),
            ("Nobody?", "SELECT name FROM singer WHERE age > 1000"),
            ("Broken?", "SELECT what FROM singer"),
        )
    ]
    (folder / "dev.json").write_text(json.dumps(entries))
    names = {"column_names_original": [[0, "id"], [0, "name"], [0, "age"]],
             "column_names": [[0, "id"], [0, "stage name"], [0, "age"]]}  # fmt: skip
    (folder / "tables.json").write_text(json.dumps([{"db_id": name, **names} for name in ("concert", "museum_visit")]))
    return folder


def bird(folder: Path) -> Path:
    for name in ("alpha", "beta"):
        place = folder / "dev_databases" / name
        sqlite_at(place / f"{name}.sqlite")
        (place / "database_description").mkdir()
        (place / "database_description" / "singer.csv").write_text(
            "original_column_name,column_name,column_description,data_format,value_description\n"
            "age,,age in years,integer,NULL: not told\n",
            encoding="utf-8-sig",
        )
    entries = [
        {"question_id": place, "db_id": name, "question": "Who is old?", "evidence": "old means over 40",
         "SQL": "SELECT name FROM singer WHERE age > 40", "difficulty": "simple"}
        for place, name in enumerate(("alpha", "beta"))
    ]  # fmt: skip
    (folder / "dev.json").write_text(json.dumps(entries))
    return folder


@pytest.mark.parametrize("layout", [spider, bird])
@pytest.mark.parametrize("stage", ["train", "held_out"])
def test_a_folder_of_spider_or_bird_takes_the_place_of_generated_questions(tmp_path, runs, layout, stage):
    problem = TextToSql(folder=layout(tmp_path))
    exam = problem.exam(stage)
    assert len(exam.databases) == 1
    assert len(exam.questions) == (3 if layout is spider else 1)
    assert exam.left_out == (2 if layout is spider else 0)
    assert judged(problem, knowing(problem, stage), runs, stage).value == 1.0
    assert judged(problem, lambda _: block("SELECT 'x', 'y'"), runs, stage).value == 0.0


def test_databases_of_a_folder_are_split_too(tmp_path):
    problem = TextToSql(folder=spider(tmp_path))
    assert not set(problem.exam("train").databases) & set(problem.exam("held_out").databases)


def test_what_the_folder_knows_of_columns_and_questions_is_shown(tmp_path):
    [prompt, *_] = next(TextToSql(folder=spider(tmp_path / "spider")).converse(Context(sections={"a": "b"})))
    assert "-- name: stage name" in prompt.messages[1]["content"]
    [prompt] = next(TextToSql(folder=bird(tmp_path / "bird")).converse(Context(sections={"a": "b"})))
    asked = prompt.messages[1]["content"]
    assert "-- singer.age: age in years; NULL: not told" in asked
    assert asked.endswith("Question: Who is old?\nHint: old means over 40")


def test_rows_of_a_folder_are_those_of_its_files_up_to_the_setting(tmp_path):
    problem = TextToSql(folder=spider(tmp_path))
    [database] = problem.exam("train").databases.values()
    assert database.rows["singer"] == [
        [1, "Joe", 52, {"blob": "00ff"}, {"real": 70.5}],
        [2, "Ann", 30, None, {"real": "inf"}],
        [3, "Joe", None, {"blob": ""}, {"real": 60.0}],
    ]
    assert database.rows["odd name"] == [["k", 1]]


def test_large_tables_are_cut_the_same_for_gold_and_given_queries(tmp_path, runs):
    script = (
        "CREATE TABLE t (id INTEGER PRIMARY KEY, x TEXT);"
        "WITH RECURSIVE a(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM a WHERE n < 300) "
        "INSERT INTO t SELECT n, printf('%.*c', 20000, 'x') FROM a;"
    )
    for name in ("one", "two"):
        sqlite_at(tmp_path / "dev_databases" / name / f"{name}.sqlite", script)
    entries = [{"db_id": name, "question": "How many?", "SQL": "SELECT count(*) FROM t"} for name in ("one", "two")]
    (tmp_path / "dev.json").write_text(json.dumps(entries))
    problem = TextToSql(folder=tmp_path)
    [database] = problem.exam("train").databases.values()
    assert len(database.rows["t"]) == 62
    assert len(json.dumps(database.rows)) <= folders.MOST_BYTES
    [gold] = problem.exam("train").gold.values()
    assert gold == [[62]]
    assert judged(problem, knowing(problem), runs).value == 1.0


def test_no_more_rows_are_taken_of_a_table_than_the_setting_says(tmp_path):
    exam = TextToSql(folder=spider(tmp_path), table_rows=2).exam("train")
    assert [2] in [row for rows in exam.gold.values() for row in rows]


def missing(path):
    def spoil(folder):
        target = folder / path
        for one in sorted(target.rglob("*"), reverse=True) if target.is_dir() else ():
            one.unlink() if one.is_file() else one.rmdir()
        target.rmdir() if target.is_dir() else target.unlink()

    return spoil


@pytest.mark.parametrize(("layout", "path"), [
    (spider, "dev.json"), (spider, "tables.json"), (spider, "database"), (bird, "dev.json"), (bird, "dev_databases"),
])  # fmt: skip
def test_a_missing_part_of_a_folder_is_named_at_once(tmp_path, layout, path):
    missing(path)(layout(tmp_path))
    with pytest.raises(SettingError, match=path.removesuffix("_databases")):
        TextToSql(folder=tmp_path)


def test_a_folder_that_is_none_is_named(tmp_path):
    with pytest.raises(SettingError, match="nowhere"):
        TextToSql(folder=tmp_path / "nowhere")


@pytest.mark.parametrize(("spoil", "says"), [
    (missing("database/concert/concert.sqlite"), "concert.sqlite is missing"),
    (lambda folder: (folder / "database/concert/concert.sqlite").write_bytes(b"no database at all" * 99),
     "concert.sqlite cannot be read"),
    (lambda folder: (folder / "dev.json").write_text("{"), "dev.json cannot be read"),
    (lambda folder: (folder / "dev.json").write_text("{}"), "should hold a list"),
    (lambda folder: (folder / "dev.json").write_text("[{}]"), "entry 0"),
    (lambda folder: (folder / "dev.json").write_text('[{"db_id": "a", "question": "b"}]'), "neither 'SQL' nor 'query'"),
    (lambda folder: (folder / "dev.json").write_text("[]"), "at least 2"),
])  # fmt: skip
def test_a_broken_part_of_a_folder_is_named(tmp_path, spoil, says):
    problem = TextToSql(folder=spider(tmp_path))
    spoil(tmp_path)
    with pytest.raises(ProblemError, match=says):
        [problem.exam(stage) for stage in ("train", "held_out")]


@pytest.mark.parametrize(("sql", "ordered"), [
    ("SELECT a FROM t ORDER BY a", True), ("SELECT a FROM t order\n by count(*) DESC LIMIT 1", True),
    ("SELECT a FROM (SELECT a FROM t ORDER BY a)", False), ("SELECT 'order by' FROM t", False), ("SELECT 1", False),
])  # fmt: skip
def test_the_order_counts_where_the_outermost_query_has_one(sql, ordered):
    assert folders.orders(sql) == ordered
