"""What gates cost with many programs in them, and what they refuse.

    python -m benchmarks.gates [--programs 100000] [--json]

Programs of 1 to 2.5 kB are 2,000 structural descendants of the shipped circle-packing seed, with one to three more
statements without numbers each: fifty or so share their numbers and nearly all else, which is the hard case for the
index. The children that are asked about are new to every cache, and the time of a refusal holds all of it: parsing and
normal form, or tokens and sketch, and the lookup.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

from evoengine.gates._forms import form_of
from evoengine.gates._tokens import tokens_of
from evoengine.gates.base import Gate
from evoengine.gates.minhash import MinHash
from evoengine.gates.syntax import Syntax
from evoengine.operators.base import NoChild
from evoengine.operators.structural import MUTATIONS, Structural
from evoengine.randomness import Stream
from evoengine.types import Brief, Candidate, Draft, Elite, Program, Record, Scored

warnings.simplefilter("ignore")
ROOT = Path(__file__).resolve().parent.parent
SEED_FILE = ROOT / "problems/circle_packing/seed.py"
LONG_FILE = ROOT / "problems/tsp_construct/problem.py"
ASKED = 300
ANCESTORS = 2_000


def edited(text: str, number: int, *, stack: float, arm: str = "") -> str | None:
    """A structural child of a text."""
    draft = Draft(
        number=number,
        island=0,
        operator="structural",
        arm=arm,
        parents=(Elite(number=1, content=Program.of(text), scored=Scored(score=0.0), cell=(0,)),),
        inspirations=(),
        brief=Brief(name="bench", goal="", entry="construct"),
        rng=Stream(0, number, "gates"),
    )
    try:
        return Structural(stack=stack, tries=3 if arm else 24).child(draft).text
    except NoChild:
        return None


def relatives(count: int) -> Iterator[str]:
    """Different programs of 1 to 2.5 kB: structural descendants of the seed, with up to three more statements each."""
    rng, pool, number = Random(0), [SEED_FILE.read_text()], 0
    while len(pool) < ANCESTORS:
        number += 1
        text = edited(rng.choice(pool[-200:]), number, stack=0.6)
        if text is not None and 1000 <= len(text) <= 2400:
            pool.append(text)
    for _ in range(count):
        lines = rng.choice(pool).split("\n")
        inside = [at for at, line in enumerate(lines) if line.startswith("    ") and line.endswith(")")]
        for _ in range(rng.randint(1, 3)):
            at = rng.choice(inside)
            margin = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
            one, other, third = (f"name{rng.randrange(1000)}" for _ in range(3))
            lines[at] = f"{margin}{one} = {other} {rng.choice('+-*/')} {third}\n{lines[at]}"
        yield "\n".join(lines)


def record_of(number: int, text: str) -> Record:
    """A scored record."""
    candidate = Candidate(content=Program.of(text), island=0, operator="bench")
    return Record(number=number, candidate=candidate, evaluation=Scored(score=0.0))


def milliseconds(call: Callable[..., object], *given: object) -> float:
    """CPU milliseconds of a call: what else the machine does is left out."""
    began = time.thread_time()
    call(*given)
    return (time.thread_time() - began) * 1e3


def figures(times: list[float]) -> dict[str, float]:
    """Median and 99th percentile."""
    ranked = sorted(times)
    return {"median": round(statistics.median(ranked), 4), "p99": round(ranked[int(0.99 * (len(ranked) - 1))], 4)}


def timed(gates: dict[str, Gate], most: int) -> Iterator[dict[str, object]]:
    """The table of costs, at 1,000, 10,000, ... stored programs.

    Children are new to every cache. Of records the form is there, as in a campaign, from when they were children.
    """
    children = list(relatives(most + ASKED))
    asked = [Program.of(text) for text in children[most:]]
    sizes = [size for size in (1_000, 10_000, 100_000, 1_000_000) if size <= most] or [most]
    taken: dict[str, list[float]] = {name: [] for name in gates}
    for number, text in enumerate(children[:most], start=1):
        record = record_of(number, text)
        assert record.candidate.content is not None
        form_of(record.candidate.content)
        for name, gate in gates.items():
            taken[name].append(milliseconds(gate.take, record))
        if number not in sizes:
            continue
        for name, gate in gates.items():
            form_of.cache_clear()
            refused = sum(gate.refusal(child) is not None for child in asked)
            times = [milliseconds(gate.refusal, child) for child in asked]
            state = json.dumps(gate.state())
            yield {
                "gate": name,
                "stored": number,
                "refusal_ms": figures(times),
                "take_ms": figures(taken[name][-1000:]) | {"worst": round(max(taken[name][-5000:]), 2)},
                "refused": round(refused / len(asked), 3),
                "state_mib": round(len(state) / 2**20, 2),
                "save_ms": round(milliseconds(lambda saved: json.dumps(saved.state()), gate), 1),
                "restore_ms": round(milliseconds(gate.fresh().restore, json.loads(state)), 1),
            }


def reading_costs() -> dict[str, object]:
    """What reading a program takes, by its length, and how much of it Python's parser does."""
    costs: dict[str, object] = {}
    for path in (SEED_FILE, LONG_FILE):
        program = Program.of(path.read_text())
        for name, read in {"parser": _parsed, "form": form_of.__wrapped__, "tokens": tokens_of}.items():
            times = [milliseconds(read, program) for _ in range(ASKED)]
            costs[f"{name}, {len(program.text)} characters"] = figures(times)
    return costs


def _parsed(program: Program) -> ast.Module:
    return ast.parse(program.text)


def renamed(text: str) -> str:
    """A local renamed throughout."""
    names = [node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)]
    local = next(name for name in names if re.search(rf"^    {name} = ", text, re.MULTILINE))
    return re.sub(rf"\b{local}\b", f"{local}_new", text)


def changes(text: str) -> Iterator[tuple[str, str]]:
    """Children of a text by kind of change."""
    lines = text.split("\n")
    inside = [at for at, line in enumerate(lines) if line.startswith("    ") and line.rstrip().endswith(")")]
    for seed in range(60):
        rng = Random(seed)
        at = rng.choice(inside)
        yield "comment only", "\n".join([*lines[: at + 1], "    # a remark", *lines[at + 1 :]])
        yield "an import that nothing uses", f"import os\n{text}"
        for kind, arms in {
            "one constant": ("const",),
            "one operator": ("arith", "cmp", "bool"),
            "one expression": ("expr", "leaf", "shrink", "grow"),
            "one statement moved": ("sswap", "smove"),
            "one statement more": ("sdup", "newvar", "guard"),
            "one statement less": ("sdel",),
        }.items():
            child = edited(text, seed, stack=0.0, arm=rng.choice(arms))
            if child is not None:
                yield kind, child
        child = edited(text, seed, stack=0.9, arm=rng.choice(list(MUTATIONS)))
        if child is not None:
            yield "ten edits on average", child
    yield "rename", renamed(text)
    for path in sorted(ROOT.glob("problems/*/*.py")):
        if path.read_text() != text:
            yield "another program", path.read_text()


def refused_shares() -> dict[str, dict[str, float]]:
    """The share of children refused beside their parent alone, by kind of change."""
    gates: dict[str, Gate] = {
        "syntax": Syntax(),
        "minhash 0.99": MinHash(),
        "minhash 0.97": MinHash(threshold=0.97),
        "minhash 0.95": MinHash(threshold=0.95),
        "minhash 0.95, numbers not counted": MinHash(threshold=0.95, numbers=False),
    }
    table: dict[str, dict[str, float]] = {}
    for path in (SEED_FILE, LONG_FILE):
        text = path.read_text()
        for gate in gates.values():
            gate.open()
            gate.take(record_of(1, text))
        kinds: dict[str, list[str]] = {}
        for kind, child in changes(text):
            kinds.setdefault(kind, []).append(child)
        for kind, made in kinds.items():
            table[f"{kind} ({len(text)} characters, {len(made)} children)"] = {
                name: round(sum(gate.refusal(Program.of(child)) is not None for child in made) / len(made), 3)
                for name, gate in gates.items()
            }
    return table


def main() -> None:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", type=int, default=100_000)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    gates: dict[str, Gate] = {"syntax": Syntax(), "minhash": MinHash(), "minhash 0.95": MinHash(threshold=0.95)}
    shares, reading = refused_shares(), reading_costs()
    if given.json:
        costs = list(timed(gates, given.programs))
        print(json.dumps({"refused": shares, "reading_ms": reading, "costs": costs}, indent=1))
        return
    for kind, row in shares.items():
        print(f"{kind:60}", "  ".join(f"{name}: {share:4.0%}" for name, share in row.items()))
    for name, cost in reading.items():
        print(f"{name}: {cost} ms")
    for cost_row in timed(gates, given.programs):
        print(cost_row, flush=True)


if __name__ == "__main__":
    main()
