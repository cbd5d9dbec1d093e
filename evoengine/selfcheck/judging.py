"""Whether an attack was held, judged from outside of where it ran."""

from __future__ import annotations

import asyncio
import json
import math
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

from evoengine.errors import SandboxError
from evoengine.sandboxes.base import Job, Outcome, Sandbox
from evoengine.selfcheck.corpus import SCORED, Attack
from evoengine.selfcheck.watching import Peak, Watch, warm_process
from evoengine.selfcheck.world import World
from evoengine.types import JSON, Limits, Program

REFUSED = "refused"
"""The cause of those that a sandbox does not run at all, whoever asks."""
_MEMORY_SLACK_MIB = 96
_TOGETHER = "T1"
"""The tier that bounds the memory of all of a candidate's processes together; elsewhere each has the limit."""
_PRINTED_CHARS = 2**18  # a byte that is no text is shown as four characters
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

_HONEST = """
import json, math
import numpy as np
def attack(x):
    print("honest")
    row = np.arange(6.0)
    return [float((row * row).sum()) + x, json.loads(json.dumps({"a": [1, 2.5]})), math.comb(10, 3), sorted({3, 1, 2})]
"""
_HONEST_ANSWER = [56.0, {"a": [1, 2.5]}, 120, [1, 2, 3]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of an attack.

    Attributes:
        name: the attack's.
        held: whether nothing got through; for an honest control, whether it scored right.
        why: what got through, in words; "" when it was held.
        found: which of `WATCHED` told so.
        cause: why the job ended, "scored", or "refused" when the sandbox runs nobody with such limits; "" when
            the engine did not live to tell.
        seconds: of the attack's job, by the clock.
        tier: what held it.
    """

    name: str
    held: bool
    why: str = ""
    found: tuple[str, ...] = ()
    cause: str = ""
    seconds: float = 0.0
    tier: str = ""


class Judge:
    """Runs attacks in a sandbox, one after another, and looks at the world from outside.

    Args:
        sandbox: the one under test.
        world: made for this; as it was before each attack, as long as attacks are held.

    Raises:
        SandboxError: an honest candidate does not score right to begin with.
    """

    def __init__(self, sandbox: Sandbox, world: World) -> None:
        self._sandbox = sandbox
        self._world = world
        self._refuses: bool | None = None
        trouble = self._honest()
        if trouble:
            raise SandboxError(f"before any attack, {trouble}")

    def verdict(self, attack: Attack) -> Verdict:
        """What comes of one attack."""
        if attack.limits.processes and self._refuses_processes():
            return Verdict(name=attack.name, held=True, cause=REFUSED)
        watch, peak = Watch(self._world), Peak()
        call = [self._world.facts(warm_process())]
        began = time.monotonic()
        outcome, found = Outcome(), []
        with peak.measured():
            try:
                outcome = self._run(attack.text, [call] * attack.calls, attack.limits)
            except SandboxError as error:
                found.append(("cause", f"the sandbox itself failed: {error}"))
            else:
                found += self._wrong(attack, outcome)
        seconds = time.monotonic() - began
        most = attack.limits.memory_mib
        if outcome.tier != _TOGETHER:
            most *= 1 + attack.limits.processes
        if peak.mib > most + _MEMORY_SLACK_MIB:
            found.append(("memory", f"{peak.mib:.0f} MiB were in use, over {most}"))
        trouble = self._honest()
        if trouble:
            found.append(("after", f"afterwards, {trouble}"))
        found += watch.changed()
        return Verdict(
            name=attack.name,
            held=not found,
            why="; ".join(what for _, what in found),
            found=tuple(dict.fromkeys(kind for kind, _ in found)),
            cause=SCORED if outcome.cause is None else str(outcome.cause),
            seconds=seconds,
            tier=outcome.tier,
        )

    def _wrong(self, attack: Attack, outcome: Outcome) -> Iterator[tuple[str, str]]:
        cause = SCORED if outcome.cause is None else str(outcome.cause)
        if cause not in attack.must:
            told = outcome.feedback.strip().splitlines()[-1:] or [str(outcome.outputs)[:200]]
            yield "cause", f"it should have been {' or '.join(sorted(attack.must))}, but was {cause}: {told[0]}"
        elif cause == SCORED:
            yield from _wrong_outputs(attack, outcome)
        if outcome.cpu_seconds < attack.least_cpu_seconds:
            yield "measure", f"{outcome.cpu_seconds:.3f} s of CPU time were measured, {attack.least_cpu_seconds} used"
        for name, text in (("stdout", outcome.stdout), ("stderr", outcome.stderr), ("feedback", outcome.feedback)):
            if len(text) > _PRINTED_CHARS or _CONTROLS.search(text):
                yield "text", f"its {name} has {len(text)} characters, or some that steer a terminal"
        captured = "\n".join((repr(outcome.outputs), outcome.stdout, outcome.stderr, outcome.feedback))
        for name, secret in self._world.secrets.items():
            if secret in captured:
                yield "secrets", f"the secret in the engine's {name} was read"

    def _honest(self) -> str:
        """What is wrong with the evaluation of an honest candidate; "" when nothing is."""
        try:
            outcome = self._run(_HONEST, [[1.0]], Limits(cpu_seconds=10, wall_seconds=60, memory_mib=256))
        except SandboxError as error:
            return f"the sandbox failed: {error}"
        if outcome.cause is not None:
            return f"an honest candidate came to {outcome.cause}: {outcome.feedback[-200:]}"
        if outcome.outputs != (_HONEST_ANSWER,) or outcome.stdout != "honest\n":
            return f"an honest candidate answered {outcome.outputs} and printed {outcome.stdout!r}"
        return ""

    def _refuses_processes(self) -> bool:
        """Whether the sandbox runs nobody, however honest, who may have processes: it cannot hold them to a number."""
        if self._refuses is None:
            limits = Limits(cpu_seconds=10, wall_seconds=60, memory_mib=256, processes=1)
            try:
                self._run(_HONEST, [[1.0]], limits)
            except SandboxError:
                self._refuses = True
                self._honest()  # the sandbox may need another start after that
            else:
                self._refuses = False
        return self._refuses

    def _run(self, text: str, calls: list[list[JSON]], limits: Limits) -> Outcome:
        program = Program.of(text)
        job = Job(program=program, entry="attack", calls=calls, limits=limits, seed=7, preload=("numpy",))
        return asyncio.run(self._sandbox.run(job))


def _wrong_outputs(attack: Attack, outcome: Outcome) -> Iterator[tuple[str, str]]:
    import numpy as np

    if len(outcome.outputs) != attack.calls:
        yield "outputs", f"{len(outcome.outputs)} answers to {attack.calls} calls"
    for output in outcome.outputs:
        value = output.tolist() if type(output) is np.ndarray else output
        if not _plain(value):
            yield "outputs", "an answer is not plain data"
        elif attack.outputs is not None and not any(_same(value, one) for one in attack.outputs):
            yield "outputs", f"it answered {json.dumps(value)[:200]}"


def _same(value: JSON, other: JSON) -> bool:
    """Equal, and of one type: true is not 1."""
    return json.dumps(value, sort_keys=True) == json.dumps(other, sort_keys=True)


def _plain(value: JSON) -> bool:
    """Strict JSON, of exactly its types."""
    kind = type(value)
    if kind is list:
        return all(map(_plain, value))
    if kind is dict:
        return all(type(key) is str and _plain(one) for key, one in value.items())
    return value is None or kind in (bool, int, str) or (kind is float and math.isfinite(value))
