"""An interpreter of a small expression language, as a program of three files."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar, Literal

from evoengine.checks import EXACT
from evoengine.problem import Player, Problem, Reject, Score
from evoengine.types import Anchor, Feature, Limits, Stage

from .language import ERROR, asked

_FILES = ("main.py", "lexer.py", "parser.py")
SIZES = {"train": (24, 4), "held_out": (40, 5)}
"""Texts of each category and the depth of their trees, by stage."""
SHOWN = 5
"""Mistakes that the feedback tells."""


class ExpressionEvaluator(Problem):
    """Evaluate texts of an expression language; maximise the share of right values, in per cent.

    The judge makes trees, knows what they are worth, and writes texts for them: it parses nothing.
    """

    name: ClassVar[str] = "expression_evaluator"
    goal: ClassVar[str] = (
        "Write an interpreter in three files: evaluate(text) in main.py, with lexer.py and parser.py beside it. It "
        'returns the value of a text, a whole number, or "error" where it has none. Maximise the mean share of right '
        "answers over ten kinds of texts, in per cent."
    )
    notes: ClassVar[str] = (
        "The language, from the loosest to the tightest: `let x = a in b` and `if a then b else c` (they go on as "
        "far to the right as they can, and may stand wherever a last operand does); `or`; `and`; `not a`; "
        "comparisons < <= > >= == !=, chained as in Python; + and -; * / and %; the sign -a; a ^ b; a! (factorial); "
        "numbers, names, calls, parentheses. Binary operators group to the left, ^ to the right, and the right side "
        "of ^ may have a sign: 2^-1. So -2^2 is -4. Truth is 1 and 0; any number but 0 counts as true. `and`, `or` "
        "and `if` evaluate no more than they need; all else evaluates all its parts, `let` also what is not used. / "
        "rounds towards 0, and a % b has the sign of a. Numbers are decimal, 0x1f or 0b101, single underscores "
        "between digits allowed in decimals. Names start with a letter or _, go on with these and digits, and are "
        "none of let in if then else and or not. Functions: min and max and gcd of two or more, abs of one. # "
        "starts a comment to the end of the line. Spaces and line ends are free between tokens; a token is as long "
        "as it can be. Errors: texts that are no expression, unknown names, division by 0, negative exponents, an "
        "exponent over 50 of a base other than -1, 0 and 1, factorials of less than 0 or more than 17, any value "
        "beyond 10^15 in size. An exception from evaluate ends the whole evaluation: catch them."
    )
    entry: ClassVar[str] = "evaluate"
    direction: ClassVar[Literal["maximize", "minimize"]] = "maximize"
    seed: ClassVar[Any] = {
        name: (Path(__file__).parent / "seed" / name).read_text(encoding="utf-8") for name in _FILES
    }  # fmt: skip
    features: ClassVar[tuple[Feature, ...]] = (
        Feature(name="ast_nodes", low=0.0, high=3000.0, bins=20),
        Feature(name="errors", low=0.0, high=1.0, bins=20),
    )
    limits: ClassVar[Limits] = Limits(cpu_seconds=4.0, wall_seconds=60.0, memory_mib=256, output_mib=1.0)
    stages: ClassVar[tuple[Stage, ...]] = (Stage(name="train"), Stage(name="held_out", held_out=True))
    floor: ClassVar[Anchor | None] = Anchor(
        value=74.5833333333, source="regular expressions and Python's eval, benchmarks/floors.py"
    )
    best_known: ClassVar[Anchor | None] = Anchor(value=100.0, source="the language itself: every answer right")

    def play(self, candidate: Player, stage: str = "train") -> Score:
        made = texts(stage)
        calls = [(text,) for pairs in made.values() for text, _ in pairs]
        answers = [_answer(one) for one in candidate.batch(calls)]
        left, shares, mistakes = iter(answers), {}, []
        for name, pairs in made.items():
            right = 0
            for text, wanted in pairs:
                found = next(left)
                right += found == wanted
                if found != wanted:
                    mistakes.append(f"{name}: {text!r} is {wanted}, not {found}")
            shares[name] = 100.0 * right / len(pairs)
        return Score(
            math.fsum(shares.values()) / len(shares),
            instances=shares,
            feedback="\n".join(mistakes[:: max(1, len(mistakes) // SHOWN)][:SHOWN]),
            errors=sum(one == ERROR for one in answers) / len(answers),
        )


@lru_cache(maxsize=4)
def texts(stage: str) -> dict[str, list[tuple[str, int | str]]]:
    """The texts of a stage by category, with their values."""
    return asked(stage, *SIZES[stage])


def _answer(given: Any) -> int | str:
    """An answer that has the form of one.

    Raises:
        Reject: it is neither a whole number nor "error".
    """
    if type(given) is int and -EXACT <= given <= EXACT:
        return given
    if type(given) is str and given == ERROR:
        return given
    raise Reject(f'an answer should be a whole number or "error", found {repr(given)[:60]}')
