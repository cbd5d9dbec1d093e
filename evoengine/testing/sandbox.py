"""What every sandbox must show."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from evoengine.sandboxes.base import CandidateError, Job, Outcome, Sandbox
from evoengine.types import Cause, Limits, Program

__all__ = ["SandboxContract", "job_of"]

_QUICK = Limits(cpu_seconds=2.0, wall_seconds=10.0, memory_mib=256, output_mib=1.0)


def job_of(text: str | Program, *calls: Sequence[Any], limits: Limits = _QUICK, seed: int = 0) -> Job:
    """A job that calls `f` of a program."""
    program = text if isinstance(text, Program) else Program.of(text)
    return Job(program=program, entry="f", calls=calls, limits=limits, seed=seed, preload=("numpy",))


class SandboxContract:
    """What every sandbox must show, whatever it is built on. Needs a fixture `sandbox`."""

    def ran(self, sandbox: Sandbox, text: str | Program, *calls: Sequence[Any], **settings: Any) -> Outcome:
        """The outcome of a job, and proof that the sandbox is still of use after it."""
        outcome = asyncio.run(sandbox.run(job_of(text, *(calls or [()]), **settings)))
        after = asyncio.run(sandbox.run(job_of("def f(x):\n    return x + 1\n", (41,))))
        assert after.outputs == (42,)
        return outcome

    def test_calls_are_answered_in_order_with_plain_data(self, sandbox: Sandbox) -> None:
        text = "def f(x):\n    return {'x': (x, [True, None, 0.5, 'é'])}\n"
        outcome = self.ran(sandbox, text, (1,), ("two",))
        assert outcome.cause is None
        assert outcome.outputs == ({"x": [1, [True, None, 0.5, "é"]]}, {"x": ["two", [True, None, 0.5, "é"]]})

    def test_numpy_values_come_back_as_numbers_and_lists(self, sandbox: Sandbox) -> None:
        text = (
            "import numpy as np\n"
            "def f():\n"
            "    return [np.float32(0.5), np.int64(3), np.bool_(True), np.ones((2, 2)), (i for i in range(2))]\n"
        )
        assert self.ran(sandbox, text).outputs == ([0.5, 3, True, [[1.0, 1.0], [1.0, 1.0]], [0, 1]],)

    def test_arrays_cross_in_both_directions(self, sandbox: Sandbox) -> None:
        given = [np.arange(5.0), np.array([]), np.linspace(0, 1, 50_000)]
        with sandbox.open(job_of("def f(x, k):\n    x *= k\n    return x\n")) as session:
            session.load()
            doubled = session.batch([(array, 2) for array in given])
            [listed] = session.batch([(given[0], 1)], plain=True)
        assert all(isinstance(array, np.ndarray) and array.dtype == np.float64 for array in doubled)
        assert all((array == 2 * one).all() for array, one in zip(doubled, given, strict=True))
        assert listed == [0.0, 1.0, 2.0, 3.0, 4.0]

    def test_the_files_of_a_program_import_each_other(self, sandbox: Sandbox) -> None:
        files = {
            "main.py": "import other\nfrom pkg.deep import thing\ndef f():\n    return other.ONE + thing()\n",
            "other.py": "ONE = 1\n",
            "pkg/__init__.py": "",
            "pkg/deep.py": "from . import base\ndef thing():\n    return base.TEN\n",
            "pkg/base.py": "TEN = 10\n",
        }
        assert self.ran(sandbox, Program(files=files)).outputs == (11,)

    def test_every_load_runs_all_files_afresh_with_its_knobs(self, sandbox: Sandbox) -> None:
        files = {
            "main.py": "import other\nn = []\ndef f():\n    n.append(1)\n    return [_knobs_, other.got, len(n)]\n",
            "other.py": "got = _knobs_[0] if _knobs_ else None\n",
        }
        with sandbox.open(job_of(Program(files=files))) as session:
            session.load()
            assert session.batch([(), ()]) == [[[], None, 1], [[], None, 2]]
            session.load([1.5, 2.0])
            assert session.batch([()]) == [[[1.5, 2.0], 1.5, 1]]

    def test_random_numbers_follow_from_the_seed_and_start_anew_at_each_load(self, sandbox: Sandbox) -> None:
        text = (
            "import random\nimport numpy as np\n"
            "def f():\n"
            "    mine, generator = random.Random(), np.random.default_rng()\n"
            "    return [random.random(), np.random.rand(), mine.random(), generator.random()]\n"
        )

        def drawn(seed: int) -> list[Any]:
            with sandbox.open(job_of(text, seed=seed)) as session:
                session.load()
                first = session.batch([(), ()])
                session.load()
                assert session.batch([(), ()]) == first
                return first

        assert drawn(1) == drawn(1)
        one, other = drawn(1), drawn(2)
        numbers = [*one[0], *one[1], *other[0], *other[1]]
        assert len(set(numbers)) == len(numbers)

    def test_a_traceback_shows_the_candidates_own_lines(self, sandbox: Sandbox) -> None:
        outcome = self.ran(sandbox, "def f():\n    return 1 / nought()\n\ndef nought():\n    return {}['zero']\n")
        assert outcome.cause is Cause.CRASHED
        assert outcome.feedback.startswith('Traceback (most recent call last):\n  File "main.py", line 2, in f\n')
        assert "return {}['zero']" in outcome.feedback
        assert outcome.feedback.rstrip().endswith("KeyError: 'zero'")

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("def f(:\n", "SyntaxError"),
            ("raise ValueError('at the top')\n", "at the top"),
            ("import no_such_module\n", "ModuleNotFoundError"),
            ("def g():\n    return 1\n", "'f'"),
            ("f = 3\n", "'f'"),
            ("import sys\ndef f():\n    sys.exit(3)\n", "SystemExit"),
            ("def f():\n    return f()\n", "RecursionError"),
            ("class E(Exception):\n    def __str__(self):\n        raise self\ndef f():\n    raise E\n", ""),
            ("import os\ndef f():\n    os._exit(0)\n", "status 0"),
            ("import os\nos.kill(os.getpid(), 9)\n", ""),
            ("import os\ndef f():\n    os.abort()\n", "SIGABRT"),
            ("import os\ndef f():\n    os.closerange(0, 1000)\n    while True:\n        pass\n", ""),
        ],
    )
    def test_a_program_that_fails_has_crashed(self, sandbox: Sandbox, text: str, told: str) -> None:
        outcome = self.ran(sandbox, text)
        assert outcome.cause is Cause.CRASHED
        assert told in outcome.feedback
        assert len(outcome.feedback) <= 4096

    @pytest.mark.parametrize(
        "answer",
        [
            "float('nan')",
            "[1.0, float('-inf')]",
            "np.array([1.0, np.nan])",
            "{1, 2}",
            "f",
            "object()",
            "b'bytes'",
            "1j",
            "10 ** 30",
            "10 ** 5000",
            "'\\ud800'",
            "{(1, 2): 3}",
            "nested(200)",
            "nested(100000)",
            "itself()",
        ],
    )
    def test_an_answer_that_is_not_plain_data_is_rejected(self, sandbox: Sandbox, answer: str) -> None:
        text = (
            "import numpy as np\n"
            "def nested(n):\n    x = []\n    for _ in range(n):\n        x = [x]\n    return x\n"
            "def itself():\n    x = []\n    x.append(x)\n    return x\n"
            f"def f():\n    return {answer}\n"
        )
        with sandbox.open(job_of(text)) as session:
            session.load()
            with pytest.raises(CandidateError) as caught:
                session.batch([()])
        assert caught.value.cause is Cause.REJECTED

    @pytest.mark.parametrize("answer", ["'x' * 2 ** 21", "np.zeros(2 ** 18)"])
    def test_an_answer_that_is_too_large_is_a_flood(self, sandbox: Sandbox, answer: str) -> None:
        assert self.ran(sandbox, f"import numpy as np\ndef f():\n    return {answer}\n").cause is Cause.FLOODED

    def test_a_batch_whose_answers_swell_when_they_are_read_is_a_flood(self, sandbox: Sandbox) -> None:
        text = "def f(i):\n    return [[] for _ in range(300_000)]\n"
        limits = Limits(cpu_seconds=60.0, wall_seconds=120.0, memory_mib=512, output_mib=1.0)
        with sandbox.open(job_of(text, limits=limits)) as session:
            session.load()
            assert len(session.batch([(0,)])[0]) == 300_000
            with pytest.raises(CandidateError) as caught:
                session.batch([(i,) for i in range(12)])
        assert caught.value.cause is Cause.FLOODED

    def test_an_endless_loop_runs_out_of_cpu_time(self, sandbox: Sandbox) -> None:
        limits = Limits(cpu_seconds=0.2, wall_seconds=60.0, memory_mib=256)
        for text in ("while True:\n    pass\n", "def f():\n    while True:\n        pass\n"):
            outcome = self.ran(sandbox, text, limits=limits)
            assert outcome.cause is Cause.TIMED_OUT
            assert outcome.cpu_seconds >= 0.2

    def test_a_candidate_that_waits_runs_out_of_wall_time(self, sandbox: Sandbox) -> None:
        limits = Limits(cpu_seconds=60.0, wall_seconds=0.3, memory_mib=256)
        outcome = self.ran(sandbox, "import time\ndef f():\n    time.sleep(1000)\n", limits=limits)
        assert outcome.cause is Cause.STALLED
        assert outcome.wall_seconds >= 0.3

    def test_the_cpu_limit_holds_for_all_calls_together(self, sandbox: Sandbox) -> None:
        text = (
            "import time\n"
            "def f(seconds):\n    end = time.process_time() + seconds\n"
            "    while time.process_time() < end:\n        pass\n"
        )
        limits = Limits(cpu_seconds=0.4, wall_seconds=60.0, memory_mib=256)
        assert self.ran(sandbox, text, *[(0.03,)] * 5, limits=limits).outputs == (None,) * 5
        assert self.ran(sandbox, text, *[(0.15,)] * 5, limits=limits).cause is Cause.TIMED_OUT

    def test_the_cpu_limit_begins_anew_with_each_load(self, sandbox: Sandbox) -> None:
        text = (
            "import time\n"
            "def f(seconds):\n    end = time.process_time() + seconds\n"
            "    while time.process_time() < end:\n        pass\n"
        )
        with sandbox.open(job_of(text, limits=Limits(cpu_seconds=0.4, wall_seconds=60.0, memory_mib=256))) as session:
            for _ in range(5):
                session.load()
                assert session.batch([(0.15,)]) == [None]

    def test_a_candidate_that_takes_too_much_memory_runs_out_of_it(self, sandbox: Sandbox) -> None:
        limits = Limits(cpu_seconds=10.0, memory_mib=64)
        for text in (
            "def f():\n    return len(bytearray(2 ** 28))\n",
            "def f():\n    x = []\n    while True:\n        x.append([0] * 1000)\n",
        ):
            assert self.ran(sandbox, text, limits=limits).cause is Cause.OUT_OF_MEMORY

    def test_what_is_printed_is_kept_in_part_and_never_blocks(self, sandbox: Sandbox) -> None:
        text = (
            "import os, sys\n"
            "def f():\n"
            "    print('begin')\n"
            "    for _ in range(200):\n        print('x' * 9999)\n"
            "    sys.stderr.write('warned')\n"
            "    return 1\n"
        )
        outcome = self.ran(sandbox, text)
        assert outcome.outputs == (1,)
        assert outcome.stdout.startswith("begin\nxxx")
        assert len(outcome.stdout) <= 65536
        assert outcome.stderr == "warned"

    def test_who_prints_without_end_is_stopped(self, sandbox: Sandbox) -> None:
        for stream in (1, 2):
            text = f"import os\ndef f():\n    while True:\n        os.write({stream}, b'x' * 4096)\n"
            outcome = self.ran(sandbox, text, limits=Limits(printed_mib=1.0))
            assert outcome.cause is Cause.FLOODED
            assert len(outcome.stdout) + len(outcome.stderr) == 65536

    def test_descriptors_run_out(self, sandbox: Sandbox) -> None:
        text = "import os\ndef f(n):\n    return len([os.dup(0) for _ in range(n)])\n"
        limits = Limits(descriptors=20)
        assert self.ran(sandbox, text, (10,), limits=limits).outputs == (10,)
        assert self.ran(sandbox, text, (20,), limits=limits).cause is Cause.OUT_OF_DESCRIPTORS

    def test_control_characters_do_not_reach_a_reader(self, sandbox: Sandbox) -> None:
        text = (
            "def f():\n    print('\\x1b[31mred\\x1b[0m\\x00\\x08\\u202eok')\n"
            "    raise ValueError('\\x1b]0;title\\x07bad')\n"
        )
        outcome = self.ran(sandbox, text)
        assert outcome.stdout == "redok\n"
        assert outcome.feedback.endswith("ValueError: bad\n")

    def test_the_environment_of_the_engine_stays_outside(
        self, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("EVOENGINE_TEST_SECRET", "hunter2")
        fresh = type(sandbox)(**sandbox.settings())
        try:
            [environment] = self.ran(fresh, "import os\ndef f():\n    return dict(os.environ)\n").outputs
        finally:
            fresh.shutdown()
        assert isinstance(environment, dict)
        assert "hunter2" not in str(environment)

    def test_one_candidate_leaves_nothing_in_the_next(self, sandbox: Sandbox) -> None:
        spoil = "import json, math\nmath.pi = 3\njson.dumps = None\ndef f():\n    return math.pi\n"
        assert self.ran(sandbox, spoil).outputs == (3,)
        assert self.ran(sandbox, "import math\ndef f():\n    return math.pi > 3.1\n").outputs == (True,)

    def test_a_session_can_be_closed_twice_and_measures_what_was_used(self, sandbox: Sandbox) -> None:
        session = sandbox.open(job_of("def f():\n    return sum(range(10 ** 6))\n"))
        session.load()
        session.batch([()])
        outcome = session.close()
        assert session.close() == outcome
        assert outcome.cpu_seconds > 0
        assert outcome.peak_mib > 1

    def test_sessions_leave_no_descriptor_open(self, sandbox: Sandbox) -> None:
        self.ran(sandbox, "def f():\n    return 1\n")
        before = os.listdir("/proc/self/fd")
        for text in ("def f():\n    return 1\n", "def f():\n    raise ValueError\n", "import os\nos._exit(1)\n"):
            self.ran(sandbox, text)
        assert os.listdir("/proc/self/fd") == before
