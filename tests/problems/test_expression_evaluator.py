from __future__ import annotations

import math
import re

import numpy as np
import pytest

from evoengine.evaluator import Evaluator
from evoengine.problem import Reject
from evoengine.sandboxes.none import Unconfined
from evoengine.testing import InProcess, ProblemContract
from evoengine.types import Failed, Program, Scored
from tests.problems.shipped import shipped

pytestmark = pytest.mark.slow

module = shipped("expression_evaluator")
ExpressionEvaluator = module.ExpressionEvaluator


class TestContract(ProblemContract):
    @pytest.fixture
    def problem(self):
        return ExpressionEvaluator()


TOKEN = re.compile(r"\s+|#[^\n]*|0x[0-9a-f]+|0b[01]+|\d+(?:_\d+)*|[A-Za-z_]\w*|<=|>=|==|!=|[-+*/%^!()<>,=]", re.A)
WORDS = {"let", "in", "if", "then", "else", "and", "or", "not"}
BINARY = {"or": 1, "and": 2, "+": 5, "-": 5, "*": 6, "/": 6, "%": 6}
CHAINED = {"<", "<=", ">", ">=", "==", "!="}


def lexed(text):
    place, found = 0, []
    while place < len(text):
        token = TOKEN.match(text, place)
        assert token, text[place]
        if not token[0][0].isspace() and token[0][0] != "#":
            found.append(token[0])
        place = token.end()
    return [*found, ""]


class Reader:
    """A reader of the language by precedence climbing, written from its description: not the judge's."""

    def __init__(self, text):
        self.tokens = lexed(text)
        self.place = 0

    def take(self, wanted=None):
        token = self.tokens[self.place]
        assert token, "the text is over"
        assert wanted in (None, token)
        self.place += 1
        return token

    @property
    def next(self):
        return self.tokens[self.place]

    def expression(self, level=1):
        if self.next == "not" and level <= 3:
            self.take()
            inner = self.expression(3)
            left = lambda known: int(inner(known) == 0)  # noqa: E731
            reached = 3
        else:
            left, reached = self.signed(), 9
        while True:
            sign = self.next
            if sign in CHAINED and level <= 4 < reached:
                parts, signs = [left], []
                while self.next in CHAINED:
                    signs.append(self.take())
                    parts.append(self.expression(5))
                left, reached = chained(parts, signs), 4
            elif sign in BINARY and level <= BINARY[sign] <= reached:
                self.take()
                left, reached = combined(sign, left, self.expression(BINARY[sign] + 1)), BINARY[sign]
            else:
                return left

    def signed(self):
        if self.next == "-":
            self.take()
            inner = self.signed()
            return lambda known: -inner(known)
        base = self.single()
        while self.next == "!":
            self.take()
            base = factorial(base)
        if self.next != "^":
            return base
        self.take()
        return power(base, self.signed())

    def single(self):
        token = self.take()
        if token == "(":
            inner = self.expression()
            self.take(")")
            return inner
        if token == "let":
            name = self.take()
            assert re.match(r"[A-Za-z_]", name)
            assert name not in WORDS
            self.take("=")
            first = self.expression()
            self.take("in")
            second = self.expression()
            return lambda known: second({**known, name: first(known)})
        if token == "if":
            test = self.expression()
            self.take("then")
            yes = self.expression()
            self.take("else")
            no = self.expression()
            return lambda known: (yes if test(known) else no)(known)
        if token[0].isdigit():
            number = int(token, 0) if token[:2] in ("0x", "0b") else int(token.replace("_", ""))
            return lambda known: number
        assert re.match(r"[A-Za-z_]", token)
        assert token not in WORDS
        return self.call(token) if self.next == "(" else lambda known: known[token]

    def call(self, name):
        given = []
        while not given or self.next == ",":
            self.take("," if given else "(")
            given.append(self.expression())
        self.take(")")
        function = {"min": min, "max": max, "gcd": math.gcd, "abs": abs}[name]
        assert (len(given) == 1) == (name == "abs")
        return lambda known: function(*[one(known) for one in given])


def held(made):
    def small(known):
        found = made(known)
        assert abs(found) <= 10**15
        return found

    return small


def chained(parts, signs):
    def value(known):
        numbers = [part(known) for part in parts]
        return int(all(eval(f"{a}{sign}{b}") for a, sign, b in zip(numbers, signs, numbers[1:], strict=False)))

    return value


def combined(sign, left, right):
    match sign:
        case "and":
            return lambda known: int(bool(left(known)) and bool(right(known)))
        case "or":
            return lambda known: int(bool(left(known)) or bool(right(known)))
        case "/":
            return held(lambda known: divided(left(known), right(known)))
        case "%":
            return held(lambda known: (lambda a, b: a - b * divided(a, b))(left(known), right(known)))
    return held(lambda known: {"+": int.__add__, "-": int.__sub__, "*": int.__mul__}[sign](left(known), right(known)))


def divided(one, two):
    return int(np.sign(one) * np.sign(two)) * (abs(one) // abs(two)) if two else 1 // 0


def factorial(base):
    def value(known):
        number = base(known)
        assert number <= 17
        return math.factorial(number)

    return value


def power(base, exponent):
    def value(known):
        one, two = base(known), exponent(known)
        assert two >= 0
        assert two <= 50 or one in (-1, 0, 1)
        return one**two

    return held(value)


def by_reader(text):
    try:
        reader = Reader(text)
        tree = reader.expression()
        assert reader.next == ""
        return tree({})
    except (AssertionError, KeyError, ValueError, ZeroDivisionError):
        return "error"


@pytest.mark.parametrize("stage", ["train", "held_out"])
def test_a_reader_written_from_the_description_alone_has_every_answer_right(stage):
    score = ExpressionEvaluator().play(InProcess(by_reader), stage)
    assert score.value == 100.0, score.feedback


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("-2^2", -4), ("2^3^2", 512), ("2^-1", "error"), ("-7/2", -3), ("-7%3", -1), ("7%-3", 1), ("3!=6", 1),
        ("3! == 6", 1), ("1<2<3", 1), ("3>2>1", 1), ("not 1+1", 0), ("if 1 then 2 else 1/0", 2), ("0 and 1/0", 0),
        ("1 + let x = 2 in x * 3", 7), ("let x = 1/0 in 3", "error"), ("0x1f + 0b11 # two", 34), ("1_000", 1000),
        ("18!", "error"), ("10^16", "error"), ("min(1)", "error"), ("gcd(12, 18)", 6), ("x", "error"), ("", "error"),
    ],
)  # fmt: skip
def test_the_reader_of_these_tests_reads_as_described(text, wanted):
    assert by_reader(text) == wanted


def test_what_the_seed_can_do_is_arithmetic():
    problem = ExpressionEvaluator()
    shares = problem.play(InProcess.of(problem, problem.seeds()[0])).instances
    assert shares["arithmetic"] == 100.0
    assert shares["precedence"] < 20.0


def test_the_seed_is_a_program_of_three_files_that_runs_as_one():
    [seed] = ExpressionEvaluator().seeds()
    assert set(seed.files) == {"main.py", "lexer.py", "parser.py"}
    assert seed.main == "main.py"
    evaluator = Evaluator(problem=ExpressionEvaluator(), sandbox=Unconfined())
    try:
        judged = evaluator.evaluate(seed).evaluation
        assert isinstance(judged, Scored), judged
        lost = Program(files={name: text for name, text in seed.files.items() if name != "lexer.py"})
        assert isinstance(evaluator.evaluate(lost).evaluation, Failed)
    finally:
        evaluator.close()


def test_always_saying_the_same_is_worth_little():
    for answer in (0, 1, "error"):
        assert ExpressionEvaluator().play(InProcess(lambda _, answer=answer: answer)).value < 20.0


@pytest.mark.parametrize("answer", [1.0, True, None, "12", "ERROR", "", [1], {"value": 1}, 2**60, math.nan])
def test_an_answer_that_is_neither_a_whole_number_nor_error_is_refused(answer):
    asked = []

    def evaluate(text):
        asked.append(text)
        return answer if len(asked) == 100 else by_reader(text)

    with pytest.raises(Reject):
        ExpressionEvaluator().play(InProcess(evaluate) if answer == answer else Raw(evaluate))


class Raw(InProcess):
    """Hands over what is no JSON too."""

    def __call__(self, *args):
        return self.function(*args)


def test_texts_of_the_two_stages_are_different_but_for_the_shortest():
    train, held_out = (
        {text for pairs in module.texts(stage).values() for text, _ in pairs if len(text) > 25}
        for stage in ("train", "held_out")
    )
    assert not train & held_out
    assert len(held_out) > 200


def test_a_text_is_all_that_a_candidate_is_told():
    asked = []

    def evaluate(*call):
        asked.append(call)
        return 0

    ExpressionEvaluator().play(InProcess(evaluate))
    assert all(len(call) == 1 and isinstance(call[0], str) for call in asked)
