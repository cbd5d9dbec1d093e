"""The values that flow through the engine. All are frozen; none knows a part of the engine.

Scores here are always "higher is better". A problem's own value is turned round once, at the edge
(`evoengine.problem.Problem.shown` turns it back for people).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from hashlib import blake2b
from json.encoder import encode_basestring_ascii as quoted
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

from evoengine.markup import table_of

if TYPE_CHECKING:
    from evoengine.randomness import Stream

JSON: TypeAlias = Any
"""What strict JSON can hold: None, bool, int, finite float, str, list, dict with str keys."""


def _digest(kind: str, parts: Mapping[str, str], label: str) -> str:
    # the JSON text of [kind, label, [[part, text], ...]], written at once: this is on the path of every candidate
    pairs = ",".join(f"[{quoted(part)},{quoted(text)}]" for part, text in sorted(parts.items()))
    text = f"[{quoted(kind)},{quoted(label)},[{pairs}]]"
    return blake2b(text.encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A program of one or several files: path relative to its root, to text."""

    files: Mapping[str, str]
    language: str = "python"
    digest: str = field(init=False, compare=False, repr=False)
    """Content address: 32 hexadecimal characters, equal for equal programs."""

    def __post_init__(self) -> None:
        if not self.files:
            raise ValueError("a program needs at least one file")
        object.__setattr__(self, "digest", _digest("program", self.files, self.language))

    def __hash__(self) -> int:
        return hash(self.digest)

    @classmethod
    def known(cls, files: Mapping[str, str], language: str, digest: str) -> Program:
        """The program that had this digest when a store took it: opening an archive need not hash it all again."""
        program = object.__new__(cls)
        for name, value in (("files", files), ("language", language), ("digest", digest)):
            object.__setattr__(program, name, value)
        return program

    @classmethod
    def of(cls, text: str) -> Program:
        """A Python program of one file, `main.py`."""
        return cls(files={"main.py": text})

    @property
    def main(self) -> str:
        """The path of the file that is run: `main.py`, or the only or first one."""
        return "main.py" if "main.py" in self.files else next(iter(sorted(self.files)))

    @property
    def text(self) -> str:
        """The text of the file that is run."""
        return self.files[self.main]

    def with_text(self, text: str) -> Program:
        """The same program with another text in the file that is run."""
        return Program(files={**self.files, self.main: text}, language=self.language)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """A text that guides or is a model's behaviour (a prompt, a playbook), by named section."""

    sections: Mapping[str, str]
    digest: str = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not self.sections:
            raise ValueError("a context needs at least one section")
        object.__setattr__(self, "digest", _digest("context", self.sections, ""))

    def __hash__(self) -> int:
        return hash(self.digest)


Content: TypeAlias = Program | Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Feature:
    """An axis of behaviour space.

    `name` is one of the metrics of the problem's score, or a feature of the code itself:
    `length` (characters), `ast_nodes`, `ast_depth`, `cyclomatic`, `novelty` (0 to 1, the distance to
    the nearest seed). `bins` is the number of cells along this axis.
    """

    name: str
    low: float
    high: float
    bins: int = 10

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ValueError(f"feature {self.name!r} needs finite low < high, got {self.low!r} and {self.high!r}")
        if self.bins < 1:
            raise ValueError(f"feature {self.name!r} needs at least one bin, got {self.bins!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one run of a candidate may use."""

    cpu_seconds: float = 10.0
    """CPU time of one run: loading the program, and all calls that are made of it until it is loaded again."""
    trial_cpu_seconds: float = 0.5
    """The same for one trial of a tuning run, where that is less: what runs long is not worth tuning."""
    wall_seconds: float = 60.0
    """A wide backstop on one run, for candidates that wait instead of compute."""
    memory_mib: int = 1024
    output_mib: float = 4.0
    """The largest answer to one call."""
    printed_mib: float = 16.0
    """What may be printed, on stdout and on stderr each."""
    processes: int = 0
    """How many threads and processes it may start beside its first."""
    descriptors: int = 64
    """How many files and pipes it may have open."""
    scratch_mib: int = 0
    """What it may keep in files of a folder of its own (`$TMPDIR`), which is gone with it; 0 for no file at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One step of a cascade of evaluations.

    Attributes:
        name: what the problem's `inputs` or `play` is told.
        threshold: the problem's own value that must be reached for the next stage to be run. A candidate that
            does not reach it is rejected: the value of an early stage never stands beside that of a later one.
        held_out: never seen by selection; run only to check an elite afterwards.
    """

    name: str
    threshold: float | None = None
    held_out: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """The best value known for a problem, in the problem's own direction, and where it is from."""

    value: float
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Harness:
    """A program that runs in the jail in the stead of every candidate of a problem, which hands it them as data.

    Attributes:
        entry: the function of its main file that is called.
        readable: folders that it may read beside the interpreter's.
    """

    program: Program
    entry: str
    readable: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Idiom:
    """A code template that the `idioms` operator inserts where the names in scope fit.

    Attributes:
        name: shown in lineages.
        code: Python statements. `$name` stands for a hole; every hole is listed in `holes`. `$random` is
            filled with a whole number that differs from one insertion to the next.
        holes: hole to what may fill it: "array", "number", "function", "any", or the exact name of a
            variable that must be in scope.
        where: "body" (between two statements of a function) or "wrap" (the template defines a function
            with the entry's name, and calls the old entry, renamed, as `$inner`).
        imports: lines put at the top of the program when they are missing.
        source: where the idea is from.
    """

    name: str
    code: str
    holes: Mapping[str, str] = field(default_factory=dict)
    where: str = "body"
    imports: tuple[str, ...] = ()
    source: str = ""

    @classmethod
    def read(cls, folder: Path, *files: str, holes: Sequence[str], imports: tuple[str, ...] = (), source: str) -> Idiom:
        """One whose code is in text files of a folder, one after the other, the last of which gives the name.

        Each hole takes the variable of its own name.
        """
        code = "".join((folder / f"{file}.txt").read_text(encoding="utf-8") for file in files)
        return cls(name=files[-1], code=code, holes={hole: hole for hole in holes}, imports=imports, source=source)


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """What an operator is told of the problem."""

    name: str
    goal: str
    entry: str
    idioms: tuple[Idiom, ...] = ()
    direction: str = "maximize"
    limits: Limits = field(default_factory=Limits)
    preload: tuple[str, ...] = ()
    """Libraries that are there for sure."""
    notes: str = ""
    """What a person wants a language model to know."""

    def shown(self, score: float) -> float:
        """A score ("higher is better") as the problem's own value."""
        return score if self.direction == "maximize" else -score


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A question to a language model: chat messages, `{"role": ..., "content": ...}` each."""

    messages: tuple[Mapping[str, str], ...]
    temperature: float | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    """Where the sampler's random numbers start, 0 to 2^31 - 1; given by the campaign."""
    model: str | None = None
    """Which member of an ensemble is asked; None where that does not matter."""
    pattern: str | None = None
    """A regular expression for the whole answer. Whoever can holds the model to it (structured output); the others
    do not look at it, and whoever asks has to read the answer with care in any case."""
    policy: str | None = None
    """Which of a model's sets of weights is asked, by name; None for the one that answers now."""
    order: int = 0
    """Whose turn it is among prompts that wait, the lowest first, where the model can be told; given by the campaign,
    not recorded, and without effect on what is answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """A language model's answer."""

    text: str
    """The answer, without what the model thought before it; empty where it was cut off while it thought."""
    thinking: str = ""
    """What it thought before the answer, where the model tells."""
    token_ids: tuple[int, ...] = ()
    """(T,), of the whole: thinking, answer and the token that ended it."""
    logprobs: tuple[float, ...] = ()
    """(T,), of the policy that sampled them."""
    prompt_ids: tuple[int, ...] = ()
    """(P,), of the prompt as the model read it, where training needs them."""
    policy: str = ""
    prompt_tokens: int = 0
    cached_tokens: int = 0
    """How many of the prompt's tokens the model had in its prefix cache."""
    tokens: int = 0
    """How many were sampled; known also where their ids are not."""
    money: float = 0.0
    """US dollars."""
    finish: str = ""
    """Why it ended: "stop", "length" (cut off), or the server's own word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One exchange with a language model: to make a candidate, or to judge one."""

    prompt: Prompt
    completion: Completion
    judging: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What a model said of its own change, before it was judged."""

    hypothesis: str = ""
    """Why it should be better."""
    change: str = ""
    predicted: str = ""
    """What will be observed."""


def spent_on(turns: Sequence[Turn]) -> tuple[int, float]:
    """The tokens, read and written, and the US dollars that exchanges cost."""
    completions = [turn.completion for turn in turns]
    return sum(one.prompt_tokens + one.tokens for one in completions), sum(one.money for one in completions)


class ActionKind(Enum):
    """What a person can do to a campaign that goes on."""

    SUBMIT = "submit"
    """Offer a program of one's own, which is judged like any other."""
    NOTE = "note"
    """Say something of a record; for people."""
    PIN = "pin"
    """Have an elite stay among those that parents and inspirations are drawn from, whatever becomes of its cell."""
    UNPIN = "unpin"
    QUARANTINE = "quarantine"
    """Take a record, and all that was or will be made from it, out of the archives."""
    GOAL = "goal"
    """Tell language models something beside the problem's goal."""
    CLEAR = "clear"
    """Take all such goals back."""

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What a person decided.

    Attributes:
        target: the number of the record that it is about; of a submitted program the one that it was made from.
        text: a note or a goal.
        content: of a submission.
        place: in the store's queue, from 1; given by the store.
        barred: of a quarantine, the records that it takes out; found when it becomes a record.
        vain: whether it came to nothing, as the record's feedback says.
    """

    kind: ActionKind
    target: int | None = None
    text: str = ""
    content: Content | None = field(default=None, compare=False)
    place: int = 0
    barred: tuple[int, ...] = ()
    vain: bool = False

    def told(self) -> dict[str, JSON]:
        """As JSON values, without the content."""
        told: dict[str, JSON] = {"kind": self.kind.value, "target": self.target, "text": self.text, "place": self.place}
        return told | ({"barred": list(self.barred)} if self.barred else {}) | ({"vain": True} if self.vain else {})

    @classmethod
    def heard(cls, told: Mapping[str, JSON]) -> Action:
        """What `told` gave."""
        return cls(
            kind=ActionKind(told["kind"]),
            target=told["target"],
            text=told["text"],
            place=told["place"],
            barred=tuple(told.get("barred", ())),
            vain=told.get("vain", False),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What one proposal came to, before it was judged."""

    content: Content | None
    """None when no program could be had from the proposal."""
    island: int
    """`EVERY_ISLAND` for seeds, `GUIDANCE` for contexts that guide."""
    operator: str
    parents: tuple[int, ...] = ()
    """Record numbers; the first is the one that was changed."""
    group: int | None = None
    """The first record of those that are independent answers to one prompt."""
    turns: tuple[Turn, ...] = ()
    guidance: int | None = None
    """The record of the context under which it was made."""
    lessons: tuple[int, ...] = ()
    """The numbers of the lessons that were shown."""
    withheld: tuple[int, ...] = ()
    """The numbers of lessons that were as fitting, and not shown, to learn what showing them is worth."""
    note: Note | None = None
    shown: tuple[int, ...] = ()
    """Where weights are trained: the records of the other programs that the prompt could show."""
    version: int | None = None
    """Where weights are trained: how many updates the policy had behind it that was asked."""
    control: bool = False
    """Whether the first policy was asked to compare the trained one with."""
    action: Action | None = None
    """What a person decided, where one made it."""


EVERY_ISLAND = -1
GUIDANCE = -2
"""The place of contexts that guide the making of programs, in the stead of an island."""
SEED = "seed"
"""The operator of seeds."""


class Cause(Enum):
    """Why a candidate has no score."""

    UNDECODABLE = "undecodable"
    NO_CHANGE = "no_change"
    DUPLICATE = "duplicate"
    CRASHED = "crashed"
    TIMED_OUT = "timed_out"
    """Over the limit of CPU time."""
    STALLED = "stalled"
    """Over the limit of time by the clock."""
    OUT_OF_MEMORY = "out_of_memory"
    OUT_OF_PROCESSES = "out_of_processes"
    OUT_OF_DESCRIPTORS = "out_of_descriptors"
    FLOODED = "flooded"
    """Printed or answered more than it may."""
    FORBIDDEN = "forbidden"
    """Tried what the sandbox does not allow, and gave up over it."""
    SIMILAR = "similar"
    """Too little news beside what was judged before, by a gate."""
    REINTRODUCED = "reintroduced"
    """Brings back what an ancestor had and gave up, by a gate."""
    REJECTED = "rejected"
    UNJUDGED = "unjudged"
    DECIDED = "decided"
    """No candidate: what a person decided, as a record."""

    def __str__(self) -> str:
        return self.value


_NONE: Mapping[str, float] = {}


def _none() -> Mapping[str, float]:
    """No numbers: one mapping for all, as a record has several and there are millions of records."""
    return _NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A judged candidate. Higher is better; every number is finite.

    Attributes:
        features: position in behaviour space, by feature name.
        metrics: what else the judge measured.
        instances: score by instance ("higher is better" too).
        feedback: text for people and for prompts; from the judge.
        outputs: what the candidate returned, or what the problem wants to be kept instead, as JSON text; None where
            that is nothing or too much.

    Raises:
        ValueError: a number is NaN or infinite.
    """

    score: float
    features: Mapping[str, float] = field(default_factory=_none)
    metrics: Mapping[str, float] = field(default_factory=_none)
    instances: Mapping[str, float] = field(default_factory=_none)
    feedback: str = ""
    outputs: str | None = None

    def __post_init__(self) -> None:
        if not math.isfinite(self.score):
            raise ValueError(f"a score must be finite, got {self.score!r}")
        for values in (self.features, self.metrics, self.instances):
            for name, value in values.items():
                if not math.isfinite(value):
                    raise ValueError(f"{name!r} must be finite, got {value!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A candidate without a score, and why."""

    cause: Cause
    feedback: str = ""


Evaluation: TypeAlias = Scored | Failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a record was paid with. Decisions may rest on all but `seconds`."""

    calls: int = 0
    """Judged calls: every time the candidate, or a trial of a tuning run, was run for the judge."""
    trials: int = 0
    """How many of the calls were trials of a tuning run."""
    tokens: int = 0
    money: float = 0.0
    """US dollars."""
    seconds: float = 0.0
    """Time on a worker; for people, never for a decision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """An evaluation with what it cost."""

    evaluation: Evaluation
    calls: int = 0
    seconds: float = 0.0
    tier: str = ""
    """What held the candidate while it ran: a tier of the jail, or "none"."""
    turns: tuple[Turn, ...] = ()
    """What a model was asked to judge it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One numbered entry of a campaign's log; numbers start at 1 and have no gaps."""

    number: int
    candidate: Candidate
    evaluation: Evaluation
    cost: Cost = field(default_factory=Cost)
    tier: str = ""
    """What held the candidate when it was judged: a tier of the jail, or "none"; "" when it was not run."""

    def _repr_html_(self) -> str:
        """A table for notebooks."""
        candidate, evaluation = self.candidate, self.evaluation
        rows: dict[str, Any] = {"operator": candidate.operator, "parents": candidate.parents}
        match evaluation:
            case Scored():
                rows |= _measured(evaluation)
            case Failed(cause=cause):
                rows["cause"] = str(cause)
        rows |= {"judged calls": self.cost.calls, "tokens": self.cost.tokens}
        texts = {"feedback": evaluation.feedback, **_texts_of(candidate.content)}
        return table_of(rows, caption=f"record {self.number}", texts=texts)


def _measured(scored: Scored) -> dict[str, Any]:
    # a value by itself does not know its problem's direction, so it says which way it counts
    return {"score (the engine's: higher is better)": scored.score, "features": scored.features,
            "metrics": scored.metrics}  # fmt: skip


def _texts_of(content: Content | None) -> dict[str, str]:
    match content:
        case None:
            return {}
        case Program(files=files):
            return dict(files)
        case Context(sections=sections):
            return dict(sections)


Cell: TypeAlias = tuple[int, ...]


class Elite(NamedTuple):
    """An owner of a cell of an archive."""

    number: int
    """Of its record."""
    content: Content
    scored: Scored
    cell: Cell

    def _repr_html_(self) -> str:
        """A table for notebooks."""
        rows = {**_measured(self.scored), "cell": self.cell}
        texts = {"feedback": self.scored.feedback, **_texts_of(self.content)}
        return table_of(rows, caption=f"elite: record {self.number}", texts=texts)


class Insertion(IntEnum):
    """What became of an offer to an archive; truthy when it was taken in."""

    REJECTED = 0
    IMPROVED = 1
    NEW = 2


class Elites(Protocol):
    """A read-only view of an archive's elites, for selectors: every method costs O(1) or O(log N)."""

    @property
    def version(self) -> int:
        """Changes whenever the elites change."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Elite:
        """The elite at a place from 0 to N - 1; the order is arbitrary but reproducible."""
        ...

    def ranked(self, rank: int) -> Elite:
        """The elite of a rank, 0 for the best; equal scores by record number, the older first."""
        ...

    def ties(self, rank: int) -> range:
        """The ranks that hold the same score as this one."""
        ...

    def share_below(self, score: float) -> float:
        """The share of elites with a lower score, 0 to 1."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What a selector chose."""

    parents: tuple[Elite, ...]
    inspirations: tuple[Elite, ...] = ()


# What an operator's conversation may ask for, and what it is answered with.


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """Ask for judged calls of one program under many settings of its knobs.

    The program's text reads its knobs as `_knobs_[i]`. Answered with a tuple of P evaluations, in order.

    Attributes:
        points: (P, K) knob values.
    """

    program: Program
    points: Sequence[Sequence[float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Ask what the function `entry` of a program returns for the problem's inputs; nothing is judged.

    Answered with a list of the returned values (one for each input), or with `Failed`.

    Attributes:
        calls: tuples of arguments in the place of the problem's inputs.
    """

    program: Program
    entry: str
    calls: Sequence[Sequence[JSON]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """Ask for earlier records by their numbers. Answered with a dict, number to `Record`, of those that exist."""

    numbers: tuple[int, ...]


Request: TypeAlias = Prompt | tuple[Prompt, ...] | Trials | Probe | Lookup
Answer: TypeAlias = Any
"""A `Completion`, a tuple of them, a tuple of evaluations, a probe's values, or records, by the kind of request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """What a conversation may return in the place of a bare content.

    Attributes:
        note: kept with the record.
        drawn_on: numbers of further records that the child was made from, beside its draft's parents.
    """

    content: Content
    note: Note | None = None
    drawn_on: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What was learnt from a record: what a model expected of a change, and what came of it.

    Attributes:
        number: of the record; below 0 for a lesson from another campaign.
        gain: score of the child less that of its parent; None where the child has none.
    """

    number: int
    note: Note
    observed: str
    gain: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Everything a proposal is made from, fixed at the moment it was asked for.

    Attributes:
        number: of the record that it will become.
        operator: name of the operator.
        arm: which of the operator's arms.
        parents: at least one; the first is to be changed, the second (if any) may be crossed in.
        inspirations: other elites worth a look.
        siblings: what was made of the first parent lately, the newest last.
        guidance: the context under which a language model works, with its record's number.
        lessons: what may be of use, the most useful first.
        withheld: numbers of lessons that would fit too, left out to learn what showing them is worth.
        group: the first record of those that are asked the same; None where it is alone.
        member: its place in the group, from 0.
        version: how many updates of the mutator's weights have to be made before it is asked; None where
            weights are not trained.
        control: whether version 0 is asked to compare the trained policy with.
        action: what a person decided, in the stead of a proposal; it may have no parents.
    """

    number: int
    island: int
    operator: str
    arm: str
    parents: tuple[Elite, ...]
    inspirations: tuple[Elite, ...]
    brief: Brief
    rng: Stream
    siblings: tuple[Record, ...] = ()
    guidance: Elite | None = None
    lessons: tuple[Lesson, ...] = ()
    withheld: tuple[int, ...] = ()
    group: int | None = None
    member: int = 0
    version: int | None = None
    control: bool = False
    action: Action | None = None

    def seed_for(self, purpose: str) -> int:
        """A seed for a model's random numbers; the members of a group, which are asked the same, have their own."""
        return self.rng.seed_for(purpose if self.group is None else f"{purpose} of member {self.member}")
