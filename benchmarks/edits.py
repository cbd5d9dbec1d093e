"""How many of a model's edits are applied, by the mistake that is in them, and that none is applied wrongly.

    python -m benchmarks.edits [--generator first|second] [--edits 10000] [--seed 0] [--show]

A true edit is made on a file of Python's standard library, written down as a SEARCH/REPLACE block or a unified diff,
and spoilt with mistakes that models make. `right` gives the true result (up to blank lines, and up to comments and
formatting where the mistake lost them); `refused` gives none; `WRONG` gives another one. Beside it stands what strict
matching does with the same edits (`str.replace` where the text stands exactly once), and what taking the first exact
match does. The second generator was written without a look at the first: other mistakes, and files with functions
and classes that are almost the same.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping

from benchmarks import edits_first, edits_second
from benchmarks.edits_cases import Case, is_right
from evoengine.operators.editing import Applied, Edits, apply_edits, edits_of

GENERATORS: Mapping[str, Callable[[int], Case]] = {"first": edits_first.case_of, "second": edits_second.case_of}


def applied(case: Case) -> str | None:
    """What the engine makes of the answer: a text, or None when it refuses."""
    found = edits_of(case.answer)
    if not isinstance(found, Edits) or found.faults:
        return None
    result = apply_edits(case.text, found.edits)
    return result.text if isinstance(result, Applied) else None


def strictly(case: Case, *, first: bool) -> str | None:
    """What matching letter by letter makes of it: the only match, or the first."""
    found = edits_of(case.answer)
    if not isinstance(found, Edits):
        return None
    text = case.text
    for edit in found.edits:
        count = text.count(edit.search)
        if not count or (count > 1 and not first) or edit.search == edit.replace:
            return None
        text = text.replace(edit.search, edit.replace, 1)
    return text


def verdict(case: Case, text: str | None) -> str:
    """Of one way to apply."""
    return "refused" if text is None else "right" if is_right(case, text) else "WRONG"


def main() -> None:
    """Prints the table; exits with 1 if an edit was applied wrongly."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--generator", choices=list(GENERATORS), default="first")
    parser.add_argument("--edits", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--show", action="store_true", help="print the wrong ones")
    asked = parser.parse_args()
    ways = ("engine", "strict", "first")
    counts: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: {way: Counter() for way in ways})
    seconds: list[float] = []
    for number in range(asked.edits):
        case = GENERATORS[asked.generator](asked.seed + number)
        start = time.perf_counter()
        text = applied(case)
        seconds.append(time.perf_counter() - start)
        results = (text, strictly(case, first=False), strictly(case, first=True))
        for way, result in zip(ways, results, strict=True):
            for kind in (case.kind, "all"):
                counts[kind][way][verdict(case, result)] += 1
        if asked.show and verdict(case, text) == "WRONG":
            print(f"--- {asked.seed + number} {case.kind}\n{case.answer}")
    print(f"{asked.edits} edits; applied rightly, and WRONG ones")
    print(f"{'mistake':24}{'edits':>7}{'engine':>9}{'WRONG':>7}{'strict':>9}{'WRONG':>7}{'first':>9}{'WRONG':>7}")
    for kind in [*sorted(kind for kind in counts if kind != "all"), "all"]:
        total = counts[kind]["engine"].total()
        cells = "".join(f"{counts[kind][way]['right'] / total:9.1%}{counts[kind][way]['WRONG']:7}" for way in ways)
        print(f"{kind:24}{total:7}{cells}")
    seconds.sort()
    print(f"an edit: median {seconds[len(seconds) // 2] * 1e3:.1f} ms, longest {seconds[-1] * 1e3:.0f} ms")
    sys.exit(bool(counts["all"]["engine"]["WRONG"]))


if __name__ == "__main__":
    main()
