"""What each edit of the `structural` operator costs and how often it applies.

    python benchmarks/operators.py [PROGRAM.py] [--drafts 400]

CPU time is that of a whole child: the parents' indexes (`cold`; `warm` takes them from the cache), the edit, the
check that the child compiles. `none` is the share of drafts to which the edit did not apply at the first try,
`compiles` that of its texts that Python takes, `equal` that of its texts equal to the parent's.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from evoengine.operators.splice import compiles, source_of, spliced
from evoengine.operators.structural import CROSSOVERS, MUTATIONS, Structural
from evoengine.randomness import Stream
from evoengine.types import Brief, Draft, Elite, Program, Scored

PROGRAM = Path(__file__).parent / "circle_packing_130.py"


def draft_of(arm: str, seed: int, texts: tuple[str, ...]) -> Draft:
    """A draft whose parents are these texts."""
    parents = tuple(
        Elite(number=at, content=Program.of(text), scored=Scored(score=0.0), cell=()) for at, text in enumerate(texts)
    )
    return Draft(
        number=seed,
        island=0,
        operator="structural",
        arm=arm,
        parents=parents,
        inspirations=(),
        brief=Brief(name="bench", goal="", entry="main"),
        rng=Stream(0, seed, arm),
    )


def second_parent(text: str) -> str:
    """A relative of a program, ten edits away."""
    for seed in range(10):
        text = Structural().child(draft_of("", seed, (text,))).text
    return text


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("program", nargs="?", default=str(PROGRAM))
    parser.add_argument("--drafts", type=int, default=400)
    asked = parser.parse_args()
    text = Path(asked.program).read_text()
    other = second_parent(text)
    print(f"{len(text.splitlines())} lines, {asked.drafts} drafts an arm")
    print("edit        none%  compiles%  equal%  edit ms  cold ms  warm ms")
    everything = {True: 0.0, False: 0.0}
    for arm in (*MUTATIONS, *CROSSOVERS):
        missing = good = equal = made = 0
        editing = 0.0
        for seed in range(asked.drafts):
            source, donor, rng = source_of(text), source_of(other), Stream(0, seed, arm)
            assert source is not None
            assert donor is not None
            began = time.process_time()
            patch = MUTATIONS[arm](source, rng) if arm in MUTATIONS else CROSSOVERS[arm](source, rng, donor)
            editing += time.process_time() - began
            if not patch:
                missing += 1
                continue
            child = spliced(source.data, patch).decode()
            made += 1
            equal += child == text
            good += compiles(child)
        whole = {}
        for cold in (True, False):
            began = time.process_time()
            for seed in range(asked.drafts // 4):
                if cold:
                    source_of.cache_clear()
                Structural(stack=0.0).child(draft_of(arm, seed, (text,) if arm in MUTATIONS else (text, other)))
            whole[cold] = (time.process_time() - began) / (asked.drafts // 4) * 1e3
            everything[cold] += whole[cold]
        share = 100 / max(1, made)
        print(
            f"{arm:10s} {100 * missing / asked.drafts:6.1f} {good * share:10.1f} {equal * share:7.1f}"
            f" {editing / asked.drafts * 1e3:8.3f} {whole[True]:8.3f} {whole[False]:8.3f}"
        )
    arms = len((*MUTATIONS, *CROSSOVERS))
    print(f"mean: cold {everything[True] / arms:.3f} ms, warm {everything[False] / arms:.3f} ms")


if __name__ == "__main__":
    main()
