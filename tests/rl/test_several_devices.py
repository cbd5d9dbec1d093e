"""Trainers on two devices, which here are two processes on the CPU, and what one device makes of the same."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evoengine.errors import TrainerError
from evoengine.plugins import build
from evoengine.rl._shards import portioned
from evoengine.rl.trainer import Batch, Trainer
from plugins.trainers.full import Full
from plugins.trainers.lora import Lora
from tests.conftest import ROOT
from tests.models import needs, tiny
from tests.rl.test_trainers import batch, exchanges, sampled, state, told
from tests.rl.troubled import ALONE, DIES, RAISES

pytestmark = pytest.mark.timeout(240)

TROUBLED = str(Path(__file__).parent / "troubled.py")
COUNTING = str(Path(__file__).parent / "counting.py")
Making = Callable[..., Any]
both = pytest.mark.parametrize("kind", [Lora, Full])


@pytest.fixture
def opened() -> Iterator[Making]:
    """Makes trainers, opened on the tiny model."""
    needs("torch", "transformers", "peft")
    every: list[Trainer] = []

    def one(kind: type[Any], devices: int, tied: bool = False, kl: float = 0.1, **settings: Any) -> Any:
        settings = {"device": "cpu", "learning_rate": 1e-3, "micro_tokens": 60, **settings}
        trainer = kind(loss={"use": TROUBLED, "kl": kl}, devices=devices, **settings)
        every.append(trainer)
        trainer.open(tiny(tied=tied).model, None)
        return trainer

    yield one
    for trainer in every:
        trainer.close()


def tensors(folder: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    found: dict[str, Any] = load_file(folder / "state.safetensors")
    return found


def apart(one: Trainer, other: Trainer, folder: Path) -> float:
    """The largest difference between any two numbers that belong together, of weights and optimizers."""
    one.save(folder / "one")
    other.save(folder / "other")
    ours, theirs = tensors(folder / "one"), tensors(folder / "other")
    assert ours.keys() == theirs.keys()
    assert all(ours[name].dtype == theirs[name].dtype for name in ours)
    return max(float((ours[name] - theirs[name]).abs().max()) for name in ours)


def asked(batch_: Batch, trouble: int) -> Batch:
    return replace(batch_, longest=trouble)


def processes(trainer: Any) -> list[subprocess.Popen[bytes]]:
    return list(trainer._ranks._processes)


def gone(pid: int) -> bool:
    """Whether a process has ended, or does within seconds."""
    for _ in range(100):
        with suppress(ProcessLookupError):
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").exists() and ") Z " in Path(f"/proc/{pid}/stat").read_text():
                return True  # ended, and its parent's parent has not looked yet
            time.sleep(0.1)
            continue
        return True
    return False


# What is divided


@given(st.lists(st.integers(1, 50), min_size=1, max_size=40), st.integers(1, 100), st.integers(1, 5))
def test_every_process_has_as_many_micro_batches_and_every_sequence_is_in_one(
    lengths: list[int], most: int, count: int
) -> None:
    found = portioned(lengths, most, count)
    assert len(found) == count
    assert len({len(some) for some in found}) == 1
    every = [micro for some in found for micro in some]
    assert sorted(at for micro in every for at in micro) == list(range(len(lengths)))
    assert all(len(micro) <= 1 or max(lengths[at] for at in micro) * len(micro) <= most for micro in every)
    empty = sum(not micro for micro in every)
    assert empty < count
    assert not empty or all(len(micro) <= 1 for micro in every)  # nobody is idle while others could share


def test_the_number_of_devices_is_none_of_the_settings_that_a_result_depends_on() -> None:
    assert Lora(devices=2).identity() == Lora().identity()


def test_devices_that_are_not_there_are_told() -> None:
    needs("torch", "transformers", "peft")
    import torch

    there = torch.cuda.device_count()
    with pytest.raises(TrainerError, match=f"devices is {there + 2}, and from 'cuda:1' on there are {there - 1} GPUs"):
        Lora(devices=there + 2, device="cuda:1").open("m", None)
    with pytest.raises(TrainerError, match="of 'meta' one alone can be used"):
        Lora(devices=2, device="meta").open("m", None)


# An update


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "tied"), [(Lora, False), (Full, False), (Full, True)])
def test_an_update_is_that_of_one_device(kind: type[Any], tied: bool, opened: Making, tmp_path: Path) -> None:
    """With several micro-batches, one too few for the processes, the base's divergence and two steps on a batch."""
    one, two = (opened(kind, devices, tied, iterations=2, learning_rate=1e-4) for devices in (1, 2))
    assert apart(one, two, tmp_path / "0") == 0.0
    for number, count in ((1, 6), (2, 5), (3, 1)):
        some = sampled(one, seed=number, count=count)
        facts, others = one.step(batch(some, number)), two.step(batch(some, number))
        assert others == pytest.approx(facts, rel=1e-4, abs=1e-5)
        assert facts["grad_norm"] > 0.1
        assert apart(one, two, tmp_path / str(number)) < 1e-5
        for ours, theirs in zip(one.logprobs(some), two.logprobs(some), strict=True):
            assert ours == pytest.approx(theirs, abs=1e-5)


@pytest.mark.slow
@both
def test_an_update_in_bfloat16_is_that_of_one_device(kind: type[Any], opened: Making, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    one, two = (opened(kind, devices, dtype="bfloat16", learning_rate=1e-5) for devices in (1, 2))
    some = sampled(one)
    assert two.step(batch(some)) == pytest.approx(one.step(batch(some)), rel=0.02, abs=0.02)
    assert apart(one, two, tmp_path) < 3e-2  # the optimizer's, of bfloat16's gradients
    name = "adapter_model.safetensors" if kind is Lora else "model.safetensors"
    ours, theirs = (load_file(tmp_path / which / "policy" / name) for which in ("one", "other"))
    assert {key: (value.dtype, value.shape) for key, value in ours.items()} == {
        key: (value.dtype, value.shape) for key, value in theirs.items()
    }
    assert max(float((ours[key].float() - theirs[key].float()).abs().max()) for key in ours) < 2e-2


@pytest.mark.slow
def test_each_process_holds_half_of_the_weights_and_of_the_optimizers_state(opened: Making) -> None:
    needs("torch", "transformers", "peft")
    trainer = build("trainers", {"use": COUNTING, "loss": {"use": TROUBLED, "kl": 0.1}, "device": "cpu", "devices": 2})
    trainer.open(tiny().model, None)
    try:
        assert 0.49 < trainer.step(batch(exchanges()))["held"] < 0.51
    finally:
        trainer.close()


@pytest.mark.slow
@both
def test_what_changes_nothing_on_one_device_changes_nothing_on_two(
    kind: type[Any], opened: Making, tmp_path: Path
) -> None:
    trainer = opened(kind, 2)
    some = sampled(trainer)
    trainer.step(batch(some))  # gives the optimizer a momentum
    before = state(trainer, tmp_path / "before")
    assert trainer.step(batch(some, 2, [0.0] * 6))["dead"] == 1.0
    assert trainer.step(batch([]))["dead"] == 1.0
    assert trainer.logprobs([]) == []
    too_far = batch([told(one, [-1e5] * len(one.logprobs)) for one in some[:1]] + some[1:], 2)
    for wrong, why in (
        (too_far, "the loss is"),
        (asked(batch(some, 2), RAISES), "ZeroDivisionError: in one process"),
        (batch(some, 2, [float("nan")] * 6), "not finite"),
    ):
        with pytest.raises(TrainerError, match=why):
            trainer.step(wrong)
        assert state(trainer, tmp_path / why) == before
    trainer.step(batch(some, 2))
    after = state(trainer, tmp_path / "after")
    trainer.restore(tmp_path / "before")
    trainer.step(batch(some, 2))
    assert state(trainer, tmp_path / "again") == after != before


# Keeping and taking up


@pytest.mark.slow
@both
def test_what_one_number_of_devices_saved_another_takes_up(kind: type[Any], opened: Making, tmp_path: Path) -> None:
    one, two = opened(kind, 1), opened(kind, 2)
    first = state(one, tmp_path / "first")
    some = sampled(one)
    two.step(batch(some))
    kept = state(two, tmp_path / "two")
    one.restore(tmp_path / "two")
    assert state(one, tmp_path / "one") == kept
    assert (tmp_path / "one" / "trainer.json").read_text() == (tmp_path / "two" / "trainer.json").read_text()
    ours, theirs = (sorted((tmp_path / which / "policy").iterdir()) for which in ("one", "two"))
    assert [path.name for path in ours] == [path.name for path in theirs]
    for mine, other in zip(ours, theirs, strict=True):
        if mine.name == "adapter_config.json":  # peft writes a set into it, in the order of the process's hashes
            sets = [json.loads(path.read_text()) for path in (mine, other)]
            assert sets[0] | {"target_modules": 0} == sets[1] | {"target_modules": 0}
        else:
            assert mine.read_bytes() == other.read_bytes(), mine.name
    one.step(batch(some, 2))
    further = state(one, tmp_path / "further")
    two.restore(tmp_path / "further")
    assert state(two, tmp_path / "taken up") == further != kept
    two.revert(tmp_path / "two", 0.5)
    one.revert(tmp_path / "two", 0.5)
    assert state(two, tmp_path / "a") == state(one, tmp_path / "b")
    assert two.step(batch(some, 3))["lr"] == 0.5 * two.learning_rate
    two.revert(None, 1.0)
    assert state(two, tmp_path / "end") == first
    with pytest.raises(TrainerError, match="cannot read the trainer's state"):
        two.restore(tmp_path / "nowhere")
    with pytest.raises(NotADirectoryError):
        two.save(tmp_path / "first" / "trainer.json" / "x")  # the first process alone fails at it, and all go on
    assert two.step(batch(some))["dead"] == 0.0


# Processes that end


@pytest.mark.slow
@pytest.mark.parametrize(
    ("trouble", "why"),
    [
        (DIES, r"process 1 of 2 was killed \(signal 9\).*others have been ended"),
        (ALONE, r"process 1 of 2 failed alone: .*no memory in one process.*All have been ended"),
    ],
)
def test_an_update_in_which_one_process_ends_is_told_and_leaves_none(trouble: int, why: str, opened: Making) -> None:
    trainer = opened(Lora, 2)
    running = processes(trainer)
    with pytest.raises(TrainerError, match=why):
        trainer.step(asked(batch(exchanges()), trouble))
    assert all(one.poll() is not None for one in running)
    with pytest.raises(TrainerError, match="processes have ended"):
        trainer.step(batch(exchanges()))


@pytest.mark.slow
def test_a_process_that_ends_between_two_updates_is_told_and_leaves_none(opened: Making) -> None:
    trainer = opened(Lora, 2)
    running = processes(trainer)
    running[0].kill()
    with pytest.raises(TrainerError, match=r"process 0 of 2 was killed"):
        trainer.step(batch(exchanges()))
    assert all(one.poll() is not None for one in running)


@pytest.mark.slow
def test_a_trainer_that_is_closed_or_was_never_open_leaves_no_process(opened: Making, tmp_path: Path) -> None:
    trainer = opened(Lora, 2)
    running = processes(trainer)
    assert all(one.poll() is None for one in running)
    trainer.close()
    assert [one.poll() for one in running] == [0, 0]  # by themselves
    trainer.close()
    with pytest.raises(TrainerError, match="is not open"):
        trainer.step(batch(exchanges()))
    other = Lora(devices=2, device="cpu", loss=TROUBLED)
    with pytest.raises(TrainerError, match=r"cannot load '.*none' to train it"):
        other.open(str(tmp_path / "none"), None)
    assert other._ranks is None


SCRIPT = """
import os, signal, sys
from plugins.trainers.lora import Lora
trainer = Lora(devices=2, device="cpu", loss={loss!r})  # no `if __name__ == "__main__"`: a script needs none
trainer.open({model!r}, None)
print(*[one.pid for one in trainer._ranks._processes], flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow
def test_the_processes_end_with_the_campaign_however_it_ends(tmp_path: Path) -> None:
    needs("torch", "transformers", "peft")
    (tmp_path / "script.py").write_text(SCRIPT.format(loss=TROUBLED, model=tiny().model))
    done = subprocess.run(
        [sys.executable, str(tmp_path / "script.py")], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL
    pids = [int(one) for one in done.stdout.split()]
    assert len(pids) == 2
    assert all(gone(pid) for pid in pids)
