"""Text to SQL: a context under which a language model answers questions about a database with one query."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeAlias

from pydantic import Field

from evoengine.problem import Conversation, Problem, Reject, Score
from evoengine.types import Anchor, Answer, Context, Failed, Feature, Limits, Probe, Program, Prompt, Request, Stage

from .comparing import difference, well_formed
from .databases import Database
from .exams import HELD_OUT, Exam, generated
from .folders import Folder
from .querying import MOST_SQL
from .questions import Question

_PROGRAM = Program.of((Path(__file__).parent / "querying.py").read_text(encoding="utf-8"))
Running: TypeAlias = Generator[Request, Answer, list[Any]]
"""Yields probes, and gives what came of each query."""

_FAILURES_TOLD = 6
_AT_ONCE = 16 * 2**20
"""Bytes of databases that go into the jail at once; what is shipped fits many times."""


class TextToSql(Problem):
    """Evolve the instructions, notes and examples under which a task model writes SQL; maximise exact matches.

    Attributes:
        exam_seed: of the generated databases and questions, and of what is held out.
        train_questions: how many selection sees the results of.
        held_out_questions: how many the champion is checked on.
        rows: how many things and people a generated database has.
        table_rows: the most that are taken of a table of a `folder`.
        steps: of SQLite's virtual machine that a query may take, gold or given.
        sample_rows: how many rows of each table a prompt shows.
        answer_tokens: what the task model may write for each question.
        most_context: characters that a context may have.
        folder: a folder in the layout of Spider or BIRD, in the place of generated questions.
        split: which of its files of questions.
    """

    name: ClassVar[str] = "text_to_sql"
    goal: ClassVar[str] = (
        "Write the system prompt (instructions, notes on schemas, worked examples) under which a language model "
        "answers a question about a SQLite database with one query. It is shown the CREATE statements, some rows and "
        "the question. An answer is right when its result is exactly that of the gold query. Maximise the share of "
        "right answers on questions and databases that it has not seen."
    )
    notes: ClassVar[str] = (
        "The query is taken from the last block of the answer that begins with ```sql, or is the whole answer when it "
        "begins with SELECT or WITH. One statement, SELECT only. Columns have to come in the order asked for; the "
        "order of rows counts where the question asks for one. Memorised answers do not help: the champion is "
        "examined on other questions about other databases."
    )
    seed: ClassVar[Context] = Context(
        sections={
            "instructions": "Answer the question with one SQLite query. Put it into a block that begins with ```sql "
            "and ends with ```.",
            "schema_notes": "Use only the tables and columns that are shown.",
            "examples": "There are none yet.",
        }
    )
    entry: ClassVar[str] = "serve"
    direction: ClassVar[Literal["maximize", "minimize"]] = "maximize"
    features: ClassVar[tuple[Feature, ...]] = (
        Feature(name="length", low=0.0, high=6000.0, bins=20),
        Feature(name="query_length", low=0.0, high=400.0, bins=10),
    )
    limits: ClassVar[Limits] = Limits(cpu_seconds=20.0, wall_seconds=120.0, memory_mib=1024, output_mib=4.0)
    stages: ClassVar[tuple[Stage, ...]] = (Stage(name="train"), Stage(name=HELD_OUT, held_out=True))
    best_known: ClassVar[Anchor | None] = Anchor(value=1.0, source="the gold queries")
    preload: ClassVar[tuple[str, ...]] = ("sqlite3",)

    exam_seed: int = 0
    train_questions: int = Field(default=40, ge=1, le=200)
    held_out_questions: int = Field(default=40, ge=1, le=200)
    rows: int = Field(default=40, ge=8, le=400)
    table_rows: int = Field(default=1000, ge=1, le=100_000)
    steps: int = Field(default=2_000_000, ge=1000)
    sample_rows: int = Field(default=3, ge=0, le=20)
    answer_tokens: int = Field(default=512, ge=16)
    most_context: int = Field(default=16_000, ge=500)
    folder: Path | None = None
    split: str = "dev"

    def model_post_init(self, context: Any, /) -> None:
        """Looks whether a folder holds what it should."""
        super().model_post_init(context)
        if self.folder is not None:
            Folder(self.folder, self.split)

    @property
    def most_tokens(self) -> int:  # type: ignore[override]  # it depends on settings
        """A token has about 4 characters; digits and odd words have been seen at 2."""
        exam = self.exam("train")
        asked = sum(len(self._question(exam, one)) for one in exam.questions)
        return (asked + len(exam.questions) * self.most_context) // 2 + len(exam.questions) * self.answer_tokens

    def exam(self, stage: str) -> Exam:
        """The questions of a stage; made once for each choice of settings."""
        count = self.held_out_questions if stage == HELD_OUT else self.train_questions
        rows = self.rows if self.folder is None else self.table_rows
        return _exam(stage, self.exam_seed, count, rows, self.steps, self.folder, self.split)

    def converse(self, context: Context, stage: str = "train") -> Conversation:
        told = "\n\n".join(f"# {name}\n{text}" for name, text in context.sections.items())
        if len(told) > self.most_context:
            raise Reject(f"the context has {len(told)} characters; at most {self.most_context} are read")
        exam = self.exam(stage)
        prompts = tuple(self._prompt(told, exam, question) for question in exam.questions)
        completions = yield prompts
        queries = [query_of(completion.text) for completion in completions]
        results = yield from _results(exam, queries, self.steps)
        faults = [
            _fault(exam, question, query, result)
            for question, query, result in zip(exam.questions, queries, results, strict=True)
        ]
        right = {question.name: float(fault is None) for question, fault in zip(exam.questions, faults, strict=True)}
        count = len(faults)
        return Score(
            sum(right.values()) / count,
            instances=right,
            feedback="" if stage == HELD_OUT else _feedback(exam, queries, faults),
            valid_sql=sum(well_formed(result) for result in results) / count,
            prompt_length=sum(len(message["content"]) for one in prompts for message in one.messages) / count,
            query_length=sum(len(query or "") for query in queries) / count,
        )

    def _prompt(self, told: str, exam: Exam, question: Question) -> Prompt:
        # The context first, then the database, then the question: a server keeps the state of equal beginnings.
        system, user = {"role": "system", "content": told}, {"role": "user", "content": self._question(exam, question)}
        return Prompt(messages=(system, user), temperature=0.0, max_tokens=self.answer_tokens)

    def _question(self, exam: Exam, question: Question) -> str:
        shown = exam.databases[question.database].shown(self.sample_rows)
        return f"Database:\n{shown}\n\nQuestion: {question.text}"


@lru_cache(maxsize=16)
def _exam(stage: str, seed: int, count: int, rows: int, steps: int, folder: Path | None, split: str) -> Exam:
    if folder is None:
        return generated(stage, seed=seed, count=count, rows=rows, steps=steps)
    return Folder(folder, split).exam(stage, seed=seed, count=count, rows=rows, steps=steps)


def query_of(text: str) -> str | None:
    """The query in an answer: the last block of SQL, or the whole text when it is one; None when there is none.

    What a model thinks aloud before `</think>` is no part of its answer.
    """
    answer = text.rpartition("</think>")[2].strip()
    found: str | None = None
    held: list[str] | None = None
    for line in answer.splitlines():
        bare = line.strip()
        if held is None:
            if bare.startswith("```") and bare.lstrip("`").strip().lower() in ("sql", "sqlite", "sqlite3"):
                held = []
        elif bare.startswith("```"):
            found, held = "\n".join(held).strip(), None
        else:
            held.append(line)
    if found is None and answer.lower().startswith(("select", "with")):
        found = answer
    return found or None


def _results(exam: Exam, queries: Sequence[str | None], steps: int) -> Running:
    """What came of each query, run in the jail: `{"rows": ...}`, `{"error": ...}`, or anything else, untrusted.

    All in one process, as long as it lives: when a query has ended it (by its memory, or by steps that no counting
    stops), each is run again in a process of its own, so that it fails alone.
    """
    results: list[Any] = [_unsent(query) for query in queries]
    for group in _groups(exam):
        places = [
            place
            for place, question in enumerate(exam.questions)
            if question.database in group and results[place] is None
        ]
        found = (yield from _run(exam, queries, places, steps)) if places else []
        if len(places) > 1 and any(isinstance(one, Failed) for one in found):
            found = []
            for place in places:
                found += yield from _run(exam, queries, [place], steps)
        for place, result in zip(places, found, strict=True):
            results[place] = (
                {"error": f"it ended the process: {result.cause}"} if isinstance(result, Failed) else result
            )
    return results


def _run(exam: Exam, queries: Sequence[str | None], places: Sequence[int], steps: int) -> Running:
    """The results of some queries in one process; `Failed` for all of them when that did not live to the end."""
    needed = dict.fromkeys(exam.questions[place].database for place in places)
    calls: list[tuple[Any]] = [({"build": exam.databases[name].content()},) for name in needed]
    calls += [({"ask": exam.questions[place].database, "sql": queries[place], "steps": steps},) for place in places]
    found = yield Probe(program=_PROGRAM, entry="serve", calls=calls)
    if isinstance(found, Failed):
        return [found] * len(places)
    return list(found[len(needed) :])


def _groups(exam: Exam) -> list[set[str]]:
    """The databases, in as few groups as may go into a process together."""
    groups: list[set[str]] = [set()]
    size = 0
    for name, database in exam.databases.items():
        own = _size(database)
        if groups[-1] and size + own > _AT_ONCE:
            groups.append(set())
            size = 0
        groups[-1].add(name)
        size += own
    return groups


def _size(database: Database) -> int:
    return sum(len(str(row)) for rows in database.rows.values() for row in rows)


def _unsent(query: str | None) -> dict[str, str] | None:
    """Why a query is not even run; None when it is."""
    if query is None:
        return {"error": "the answer holds no block of SQL"}
    if len(query) > MOST_SQL:
        return {"error": f"the query is longer than {MOST_SQL} characters"}
    return None


def _fault(exam: Exam, question: Question, query: str | None, result: Any) -> str | None:
    """What is wrong with the result of a query, or None."""
    if well_formed(result):
        return difference(exam.gold[question.name], result["rows"], ordered=question.ordered)
    match result:
        case {"error": str() as error}:
            return error[:200]
        case _:
            return "its result could not be read"


def _feedback(exam: Exam, queries: Sequence[str | None], faults: Sequence[str | None]) -> str:
    wrong = [place for place, fault in enumerate(faults) if fault is not None]
    lines = [f"{len(faults) - len(wrong)} of {len(faults)} answers are right."]
    told: list[int] = []
    for place in wrong:  # failures of different kinds of questions first
        if exam.questions[place].template not in {exam.questions[one].template for one in told} or len(wrong) <= 2:
            told.append(place)
    told += [place for place in wrong if place not in told]
    for place in told[:_FAILURES_TOLD]:
        question, query = exam.questions[place], queries[place]
        given = "no query" if query is None else _printable(query)[:300]
        lines.append(
            f"Wrong on {question.name}: {question.text[:300]}\n  given: {given}\n  {_printable(str(faults[place]))}"
        )
    return "\n".join(lines)


def _printable(text: str) -> str:
    """Untrusted text in one line, without what could steer a terminal or hide from a reader."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())
