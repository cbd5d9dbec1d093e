"""A campaign in which every text is written by someone who wants to run a script in the reader's browser."""

from __future__ import annotations

from pathlib import Path

from evoengine.bandit import Bandit
from evoengine.islands import Islands
from evoengine.stores.base import CampaignRow, Check, Store, Update
from evoengine.types import (
    EVERY_ISLAND,
    GUIDANCE,
    Candidate,
    Cause,
    Completion,
    Context,
    Cost,
    Evaluation,
    Failed,
    Note,
    Program,
    Prompt,
    Record,
    Scored,
    Turn,
)

SCRIPT = "<script>alert(1)</script>"
IMAGE = "<img src=x onerror=alert(ran=1)>"
EVIL = f"\"'>{IMAGE}{SCRIPT}javascript:alert(1)<svg/onload=alert(1)>{{{{7*7}}}}{{% x %}}&lt;b&gt;"
INVISIBLE = "\x1b[31m\x00\u202e\u2066\ud800\x07"
ALL = EVIL + INVISIBLE


def texts_of(record: int) -> Program:
    return Program(files={"main.py": f"# {ALL}\nx = {record}\n", f"b{EVIL}.py": ALL})


def hostile(store: Store) -> CampaignRow:
    """A campaign with hostile texts in every field that takes one."""
    features = [
        {"name": f"one {EVIL}", "low": 0.0, "high": 10.0, "bins": 5},
        {"name": "two", "low": 0.0, "high": 10.0, "bins": 4},
    ]
    about = {
        "goal": ALL, "direction": "minimize", "features": features, "speaking": [f"diff{EVIL}"], "use": None,
        "best_known": {"value": 1.0, "source": EVIL}, "floor": {"value": 5.0, "source": EVIL},
    }  # fmt: skip
    settings = {
        "about": about, "islands": Islands(count=2).settings(), "bandit": Bandit().settings(),
        "archive": {"use": "grid"},
        "selector": {"use": "softmax"}, "inspirations": 1, "guidance": {}, "trainer": {"use": EVIL}, EVIL: EVIL,
    }  # fmt: skip
    row = store.create(name=EVIL, problem=EVIL, fingerprint="f", seed=1, settings=settings)
    turn = Turn(
        prompt=Prompt(messages=({"role": EVIL, "content": ALL}, {"role": "user", "content": ALL})),
        completion=Completion(
            text=ALL, thinking=ALL, policy=f"m{ALL}", finish=EVIL, tokens=3, prompt_tokens=4, money=0.5
        ),
    )
    scored = Scored(
        score=-3.0, features={f"one {EVIL}": 2.0, "two": 3.0}, metrics={EVIL: 1.0, "two": 3.0}, instances={ALL: -2.0},
        feedback=ALL, outputs='["' + EVIL.replace('"', "'") + '"]',
    )  # fmt: skip
    better = Scored(score=-2.0, features={f"one {EVIL}": 7.0, "two": 9.0}, feedback=ALL)
    note = Note(hypothesis=ALL, change=ALL, predicted=ALL)
    guiding = Context(sections={EVIL: ALL})
    rows: list[tuple[Program | Context | None, int, str, tuple[int, ...], Evaluation]] = [
        (texts_of(1), EVERY_ISLAND, "seed", (), scored),
        (guiding, GUIDANCE, "seed", (), Scored(score=0.0, features={"length": 3.0, "novelty": 0.0})),
        (texts_of(3), 1, f"diff{EVIL}", (1,), better),
        (None, 0, f"diff{EVIL}", (1, 3), Failed(cause=Cause.UNDECODABLE, feedback=ALL)),
        (texts_of(5), 1, f"diff{EVIL}", (3, 1), Failed(cause=Cause.CRASHED, feedback=ALL)),
    ]
    store.append(
        row,
        [
            Record(
                number=number,
                candidate=Candidate(
                    content=content, island=island, operator=operator, parents=parents,
                    turns=() if number < 3 else (turn,), note=None if number < 3 else note,
                    guidance=None if number < 3 else 2,
                ),
                evaluation=evaluation,
                cost=Cost(calls=1, tokens=7, money=0.5, seconds=0.1),
                tier=EVIL,
            )
            for number, (content, island, operator, parents, evaluation) in enumerate(rows, start=1)
        ],
    )  # fmt: skip
    store.add_check(row, Check(number=3, stage=EVIL, evaluation=Scored(score=-2.0, metrics={EVIL: 1.0}, feedback=ALL)))
    store.add_check(row, Check(number=3, stage="again", evaluation=Failed(cause=Cause.TIMED_OUT, feedback=ALL)))
    for number in (1, 2):
        update = Update(
            number=number, record=3, policy=EVIL, facts={EVIL: 1.0 * number, "kl": None, "best_score": -2.0}
        )
        store.add_update(row, update)
    return row


def big(store: Store) -> CampaignRow:
    """A campaign whose candidate and its feedback are lines of ten million characters."""
    about = {"goal": "g", "direction": "maximize", "features": [], "speaking": [], "best_known": None, "floor": None}
    settings = {
        "about": about, "islands": Islands(count=1).settings(), "bandit": Bandit().settings(),
        "archive": {"use": "grid"},
    }  # fmt: skip
    row = store.create(name="big", problem="p", fingerprint="f", seed=1, settings=settings)
    line = "<b>\u202e" * 2_500_000
    for number in (1, 2):
        content = Program.of(line + str(number))
        parents = () if number == 1 else (1,)
        store.append(
            row,
            [
                Record(
                    number=number,
                    candidate=Candidate(content=content, island=0, operator="one", parents=parents),
                    evaluation=Scored(score=float(number), feedback=line, outputs=f'"{line}"'),
                )
            ],
        )
    return row


def store_at(folder: Path) -> Store:
    """A new store."""
    from evoengine.plugins import build

    made: Store = build("stores", {"use": "sqlite", "url": f"sqlite:///{folder}/evo.db"})
    made.open()
    return made
