"""Trainers on a tiny model. What they are compared with is computed by transformers alone, or by hand."""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from evoengine.errors import MissingExtra, SettingError, TrainerError
from evoengine.plugins import build
from evoengine.rl import _scoring
from evoengine.rl.rollouts import Exchange
from evoengine.rl.trainer import Batch, Example, Trainer
from plugins.trainers import eggroll, full, lora
from plugins.trainers.eggroll import Eggroll
from plugins.trainers.full import Full
from plugins.trainers.lora import Lora
from tests.conftest import ROOT
from tests.models import Reference, Tiny, needs, tiny

pytestmark = [pytest.mark.timeout(120), pytest.mark.slow]

PLAIN = str(Path(__file__).parent / "plain.py")
TEXTS = ("a", "a rather longer question than the others", "bb b", "print(1)", "and on", "x y z")
Making = Callable[..., Any]


@pytest.fixture(scope="module")
def made() -> Tiny:
    needs("torch", "transformers", "peft")
    return tiny()


@pytest.fixture(scope="module")
def reference(made: Tiny) -> Reference:
    return Reference(made)


@pytest.fixture
def opened(made: Tiny) -> Iterator[Making]:
    """Makes trainers, opened on the tiny model."""
    every: list[Trainer] = []

    def one(
        kind: type[Any], model: str = made.model, initial: str | None = None, loss: Any = PLAIN, **settings: Any
    ) -> Any:
        given = {"device": "cpu", **settings}
        if kind is not Eggroll:
            given = {"loss": loss, "learning_rate": 1e-3, **given}
        trainer = kind(**given)
        every.append(trainer)
        trainer.open(model, initial)
        return trainer

    yield one
    for trainer in every:
        trainer.close()


both = pytest.mark.parametrize("kind", [Lora, Full])
every = pytest.mark.parametrize("kind", [Lora, Full, Eggroll])


def exchanges(count: int = 6, seed: int = 0, logprob: float = -6.0, cut: bool = False) -> list[Exchange]:
    """Random answers to random prompts, of different lengths."""
    rng = random.Random(seed)
    return [
        Exchange(
            prompt_ids=tuple(rng.randrange(1, 1000) for _ in range(4 + 5 * at)),
            token_ids=tuple(rng.randrange(1, 1000) for _ in range(3 + 2 * at)),
            logprobs=(logprob,) * (3 + 2 * at),
            policy="sampler",
            cut=cut,
        )
        for at in range(count)
    ]


def told(one: Exchange, logprobs: Sequence[float], **changes: Any) -> Exchange:
    given = {"prompt_ids": one.prompt_ids, "token_ids": one.token_ids, "policy": one.policy, **changes}
    return Exchange(logprobs=tuple(logprobs), **given)


def sampled(trainer: Trainer, seed: int = 0, count: int = 6) -> list[Exchange]:
    """Answers as if the trainer's policy of now had sampled them."""
    plain = exchanges(count, seed)
    return [told(one, logprobs) for one, logprobs in zip(plain, trainer.logprobs(plain), strict=True)]


def batch(
    some: Sequence[Exchange], number: int = 1, advantages: Sequence[float] | None = None, **settings: Any
) -> Batch:
    given = advantages or [1.0 if at % 2 else -1.0 for at in range(len(some))]
    return Batch(
        number=number,
        examples=[Example(exchange=one, advantage=given[at], member=at, **settings) for at, one in enumerate(some)],
        longest=64,
        seed=number,
    )


def state(trainer: Trainer, folder: Path) -> bytes:
    """All tensors that a trainer has: weights and optimizer."""
    trainer.save(folder)
    return (folder / "state.safetensors").read_bytes()


# What the model says


@every
def test_log_probabilities_are_those_of_a_plain_forward_pass(
    kind: type[Any], opened: Making, reference: Reference
) -> None:
    trainer = opened(kind)
    asked = [
        Exchange(prompt_ids=tuple(reference.ids(text)), token_ids=tuple(range(5, 30)), logprobs=(), policy="")
        for text in TEXTS
    ]
    for text, found in zip(TEXTS, trainer.logprobs(asked), strict=True):
        assert found == pytest.approx(reference.logprobs(text, list(range(5, 30))), abs=1e-4)


def test_an_adapter_to_begin_with_is_what_peft_says_it_is(
    opened: Making, made: Tiny, reference: Reference, tmp_path: Path
) -> None:
    adapter = made.adapters["upper"]
    trainer = opened(Lora, initial=adapter, rank=8, alpha=32)
    asked = Exchange(prompt_ids=tuple(reference.ids("a")), token_ids=(5, 6, 7), logprobs=(), policy="")
    expected = pytest.approx(reference.logprobs("a", [5, 6, 7], "upper"), abs=1e-4)
    assert trainer.logprobs([asked])[0] == expected
    trainer.step(batch(sampled(trainer)))
    assert trainer.logprobs([asked])[0] != expected
    trainer.revert(None, 1.0)
    assert trainer.logprobs([asked])[0] == expected
    with pytest.raises(TrainerError, match="has rank 8 and alpha 32; the trainer's settings are rank 4"):
        opened(Lora, initial=adapter, rank=4, alpha=32)
    with pytest.raises(TrainerError, match="cannot be trained from the adapter"):
        opened(Full, initial=adapter)


def test_a_model_that_changes_its_logits_after_its_last_layer_is_refused(opened: Making, tmp_path: Path) -> None:
    import torch
    from transformers import Gemma2Config, Gemma2ForCausalLM

    sizes = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 1, "vocab_size": 64, "head_dim": 16}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = Gemma2ForCausalLM(Gemma2Config(**sizes, num_attention_heads=2, num_key_value_heads=1,
                                               initializer_range=1.0, final_logit_softcapping=1.0))  # fmt: skip
    model.save_pretrained(tmp_path)
    with pytest.raises(TrainerError, match="Gemma2ForCausalLM changes its logits after its last layer"):
        opened(Lora, model=str(tmp_path))


# An update


@both
def test_an_update_makes_what_was_better_likelier_and_what_was_worse_less_likely(
    kind: type[Any], opened: Making
) -> None:
    trainer = opened(kind)
    some = sampled(trainer)
    before = [sum(one.logprobs) for one in some]
    trainer.step(batch(some))
    after = [sum(logprobs) for logprobs in trainer.logprobs(some)]
    for at in range(len(some)):
        assert after[at] > before[at] if at % 2 else after[at] < before[at]


@both
def test_the_first_gradient_is_that_of_the_policys_log_probabilities(kind: type[Any], opened: Making) -> None:
    """With a ratio of 1 the gradient's norm is that of REINFORCE, which autograd gives on the plain model."""
    import torch

    trainer = opened(kind, max_grad_norm=1e9)
    some = sampled(trainer)
    found = trainer.step(batch(some))
    other = opened(kind)
    total = 0.0
    for at, one in enumerate(some):
        ids = torch.tensor([[*one.prompt_ids, *one.token_ids]])
        rows = torch.log_softmax(other._model(ids).logits[0, len(one.prompt_ids) - 1 : -1], -1)
        total = total - (1.0 if at % 2 else -1.0) * rows.gather(-1, torch.tensor(one.token_ids)[:, None]).sum()
    (total / sum(len(one.token_ids) for one in some)).backward()
    weights = [one.grad for one in other._model.parameters() if one.grad is not None]
    expected = math.sqrt(sum(float((one.double() ** 2).sum()) for one in weights))
    assert found["grad_norm"] == pytest.approx(expected, rel=1e-4)


@both
def test_how_a_batch_is_cut_changes_nothing_but_rounding(
    kind: type[Any], opened: Making, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, cut, chunked = opened(kind), opened(kind, micro_tokens=40), opened(kind)
    some = sampled(whole)
    facts = [whole.step(batch(some)), cut.step(batch(some))]
    monkeypatch.setattr(_scoring, "_LOGITS_BYTES", 3 * 4 * 1024)  # three positions at a time
    facts.append(chunked.step(batch(some)))
    for other in facts[1:]:
        assert other == pytest.approx(facts[0], rel=1e-4, abs=1e-4)
    expected = whole.logprobs(some)
    for trainer in (cut, chunked):
        for ours, theirs in zip(trainer.logprobs(some), expected, strict=True):
            assert ours == pytest.approx(theirs, abs=2e-3)


@pytest.mark.parametrize("lengths", [[5, 3, 9, 9, 1], [100], [1] * 50, [7, 50, 2]])
def test_micro_batches_hold_every_sequence_once_and_no_more_tokens_than_they_may(lengths: list[int]) -> None:
    found = _scoring.packed(lengths, 20)
    assert sorted(at for some in found for at in some) == list(range(len(lengths)))
    assert all(len(some) == 1 or max(lengths[at] for at in some) * len(some) <= 20 for some in found)


def test_logits_are_never_all_there_at_once(opened: Making, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_scoring, "_LOGITS_BYTES", 4 * 4 * 1024)
    trainer = opened(Lora, measure_kl=False)
    seen: list[int] = []
    head = trainer._plain().get_output_embeddings()
    head.register_forward_hook(lambda module, given, found: seen.append(found.shape[-2]))
    trainer.step(batch(exchanges()))
    assert max(seen) == 4
    assert sum(seen) == 2 * sum(len(one.token_ids) for one in exchanges())  # once more for the gradient


@both
def test_checkpointing_computes_the_layers_twice_and_gives_the_same(kind: type[Any], opened: Making) -> None:
    plain, saving = (opened(kind, checkpointing=saves, measure_kl=False) for saves in (False, True))
    some = sampled(plain)
    calls = {"plain": 0, "saving": 0}
    for name, trainer in (("plain", plain), ("saving", saving)):

        def count(*_: Any, name: str = name) -> None:
            calls[name] += 1

        trainer._plain().model.layers[0].self_attn.register_forward_hook(count)
    assert plain.step(batch(some)) == pytest.approx(saving.step(batch(some)), rel=1e-5)
    assert calls == {"plain": 1, "saving": 2}


@both
def test_a_learning_rate_of_zero_leaves_every_bit(kind: type[Any], opened: Making, made: Tiny, tmp_path: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    model = AutoModelForCausalLM.from_pretrained(made.model)
    with torch.no_grad():
        model.lm_head.weight[7] = -0.0  # adding 0 to it would take its sign
    model.save_pretrained(tmp_path / "model")
    AutoTokenizer.from_pretrained(made.model).save_pretrained(tmp_path / "model")
    trainer = opened(kind, model=str(tmp_path / "model"), learning_rate=0.0)
    before = state(trainer, tmp_path / "before")
    assert trainer.step(batch(exchanges()))["grad_norm"] > 0
    assert state(trainer, tmp_path / "after") == before


@every
def test_a_batch_without_anything_to_learn_changes_nothing(kind: type[Any], opened: Making, tmp_path: Path) -> None:
    trainer = opened(kind)
    trainer.step(batch(sampled(trainer)))  # gives the optimizer a momentum
    before = state(trainer, tmp_path / "before")
    some = sampled(trainer, seed=1)
    batches = [batch([]), batch(some, advantages=[0.0] * 6)]
    if kind is not Eggroll:
        batches.append(batch(exchanges(cut=True)))
    for at, nothing in enumerate(batches):
        assert trainer.step(nothing)["dead"] == 1.0
        assert state(trainer, tmp_path / f"after-{at}") == before
        assert json.loads((tmp_path / f"after-{at}" / "trainer.json").read_text()) == json.loads(
            (tmp_path / "before" / "trainer.json").read_text()
        )


@both
def test_answers_that_were_cut_off_are_learnt_from_only_where_that_is_wished(
    kind: type[Any], opened: Making, tmp_path: Path
) -> None:
    some, cut = exchanges(4), exchanges(2, seed=9, cut=True)
    states = []
    for at, (learnt, settings) in enumerate((([*some, *cut], {}), (some, {}), ([*some, *cut], {"mask_cut": False}))):
        trainer = opened(kind, **settings)
        facts = trainer.step(batch(learnt))
        states.append(state(trainer, tmp_path / str(at)))
    assert states[0] == states[1] != states[2]
    assert (facts["masked"], facts["sequences"]) == (0.0, 6.0)


class Fails:
    """Batches that no update can be made of."""

    @staticmethod
    def of(name: str, some: Sequence[Exchange]) -> Batch:
        match name:
            case "ratio":
                return batch([told(one, [-1e5] * len(one.logprobs)) for one in some])
            case "advantage":
                return batch(some, advantages=[math.nan] * len(some))
            case "logprob":
                return batch([told(one, [math.inf] * len(one.logprobs)) for one in some])
            case "ids":
                return batch([told(one, one.logprobs, token_ids=(5000,) * len(one.token_ids)) for one in some])
            case _:
                return batch([told(one, ()) for one in some])


@both
@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("ratio", "the loss is nan"),
        ("advantage", "an advantage of update 1 is not finite"),
        ("logprob", "a log-probability that is not finite"),
        ("ids", "a token id beyond the model's 1024"),
        ("no logprobs", "3 token ids and 0 log-probabilities"),
    ],
)
def test_an_update_that_fails_leaves_all_as_it_was(
    kind: type[Any], name: str, why: str, opened: Making, tmp_path: Path
) -> None:
    trainer = opened(kind)
    trainer.step(batch(sampled(trainer)))
    before = state(trainer, tmp_path / "before")
    some = sampled(trainer, seed=1)
    with pytest.raises(TrainerError, match=why):
        trainer.step(Fails.of(name, some))
    assert state(trainer, tmp_path / "after") == before
    other = opened(kind)
    other.restore(tmp_path / "before")
    for one in (trainer, other):
        one.step(batch(some, 2))
    assert state(trainer, tmp_path / "a") == state(other, tmp_path / "b")


@both
@pytest.mark.parametrize("settings", [{"weight_decay": 1e30}, {"iterations": 2}])
def test_weights_that_would_not_be_finite_are_taken_back(
    kind: type[Any], settings: dict[str, Any], opened: Making, tmp_path: Path
) -> None:
    trainer = opened(kind, learning_rate=1e30, **settings)
    before = state(trainer, tmp_path / "before")
    with pytest.raises(
        TrainerError, match=r"update 1 failed: .*(weight is not finite|loss is nan).* what they were before"
    ):
        trainer.step(batch(sampled(trainer)))
    assert state(trainer, tmp_path / "after") == before


def test_what_a_loss_raises_costs_nothing_but_the_update(opened: Making, tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text(
        Path(PLAIN)
        .read_text()
        .replace("apart = (", "if whole.longest == 64: raise ZeroDivisionError\n        apart = (")
    )
    trainer = opened(Lora, loss=str(tmp_path / "broken.py"))
    before = state(trainer, tmp_path / "before")
    with pytest.raises(TrainerError, match="ZeroDivisionError"):
        trainer.step(batch(sampled(trainer)))
    assert state(trainer, tmp_path / "after") == before


@both
def test_gradients_are_cut_to_the_length_that_they_may_have(kind: type[Any], opened: Making) -> None:
    """After cuts to one length what is learnt does not depend on how large an advantage was."""
    found = []
    for size in (1.0, 1000.0):
        trainer = opened(kind, max_grad_norm=1e-3, learning_rate=1e-4)
        some = sampled(trainer)
        trainer.step(batch(some))
        again = trainer.step(batch(some, 2, [size * (1.0 if at % 2 else -1.0) for at in range(6)]))
        assert again["grad_norm"] > 1e-2 * size
        found.append([one for row in trainer.logprobs(some) for one in row])
    assert found[0] == pytest.approx(found[1], abs=1e-4)


# Facts


@both
def test_nothing_is_between_trainer_and_sampler_when_they_are_the_same(kind: type[Any], opened: Making) -> None:
    trainer = opened(kind)
    facts = trainer.step(batch(sampled(trainer)))
    assert (facts["gap_mean"], facts["gap_max"]) == pytest.approx((0.0, 0.0), abs=1e-4)
    assert (facts["ess"], facts["ratio"]) == pytest.approx((6.0, 1.0), abs=1e-3)
    assert (facts["sequences"], facts["tokens"], facts["dead"]) == (6.0, 48.0, 0.0)
    again = trainer.step(batch(sampled(trainer, seed=3), 2, staleness=1))
    assert "gap_mean" not in again  # the sampler is another policy, and not the same one elsewhere
    assert all(math.isfinite(value) for value in {**facts, **again}.values())


def test_the_effective_sample_size_is_that_of_the_ratios_and_may_scale_the_learning_rate(opened: Making) -> None:
    trainer = opened(Lora, ess_rate=True, ess_base=0.9)
    some = sampled(trainer)
    apart = [0.5, -1.0, 0.2, 2.0, 0.0, -0.3]  # of the first token alone, so of the sequence
    moved = [told(one, [one.logprobs[0] - by, *one.logprobs[1:]]) for one, by in zip(some, apart, strict=True)]
    facts = trainer.step(batch(moved))
    weights = [math.exp(by) for by in apart]
    expected = sum(weights) ** 2 / sum(one**2 for one in weights)
    assert facts["ess"] == pytest.approx(expected, rel=1e-4)
    assert facts["lr"] == pytest.approx(1e-3 * math.sqrt(expected / 6 / 0.9), rel=1e-4)
    assert facts["gap_max"] == pytest.approx(2.0, abs=1e-3)
    assert opened(Lora).step(batch(moved))["lr"] == 1e-3


@both
def test_the_divergence_is_from_the_model_that_the_campaign_began_with(kind: type[Any], opened: Making) -> None:
    trainer = opened(kind, loss={"use": PLAIN, "kl": 0.1})
    some = sampled(trainer)
    base = trainer.logprobs(some)
    assert trainer.step(batch(some))["kl"] == pytest.approx(0.0, abs=1e-6)
    now = trainer.logprobs(some)
    gaps = [b - a for old, new in zip(base, now, strict=True) for b, a in zip(old, new, strict=True)]
    expected = sum(math.exp(gap) - gap - 1 for gap in gaps) / len(gaps)
    assert trainer.step(batch(some, 2))["kl"] == pytest.approx(expected, rel=1e-3)
    assert expected > 1e-3


@both
def test_the_entropy_is_that_of_the_plain_distribution_and_is_learnt_where_a_loss_asks(
    kind: type[Any], opened: Making
) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    trainer = opened(kind, loss={"use": PLAIN, "bonus": 0.1})
    some = sampled(trainer)
    model = AutoModelForCausalLM.from_pretrained(tiny().model)
    expected = []
    for one in some:
        with torch.no_grad():
            logits = model(torch.tensor([[*one.prompt_ids, *one.token_ids]])).logits[0, len(one.prompt_ids) - 1 : -1]
        expected += torch.distributions.Categorical(logits=logits).entropy().tolist()
    nearly = [1e-9] * 6  # what is better counts for nothing beside the entropy
    first = trainer.step(batch(some, 1, nearly))["entropy"]
    assert first == pytest.approx(sum(expected) / len(expected), rel=1e-4)
    assert trainer.step(batch(some, 2, nearly))["entropy"] > first + 1e-4


def test_the_learning_rate_warms_up_and_is_scaled_after_a_revert(opened: Making) -> None:
    trainer = opened(Lora, warmup=4)
    some = sampled(trainer)
    rates = [trainer.step(batch(some, number))["lr"] for number in range(1, 6)]
    assert rates == pytest.approx([0.25e-3, 0.5e-3, 0.75e-3, 1e-3, 1e-3])
    trainer.revert(None, 0.5)
    assert trainer.step(batch(some, 6))["lr"] == pytest.approx(0.125e-3)


def test_several_iterations_take_several_steps(opened: Making) -> None:
    once, twice = opened(Lora), opened(Lora, iterations=2)
    some = sampled(once)
    once.step(batch(some))
    once.step(batch(some))
    facts = twice.step(batch(some))
    assert twice.logprobs(some) == once.logprobs(some)
    assert facts["gap_max"] < 1e-4 < facts["ratio_max"] - 1


def test_a_loss_is_told_with_which_policy_an_update_began_from_its_second_step_on(opened: Making) -> None:
    """A sampler that is far away would be seen in the ratio, and not in the step from where the update began."""
    trainer = opened(Lora, iterations=3, micro_tokens=40, learning_rate=1e-4)
    far = [told(one, [logprob - 0.5 for logprob in one.logprobs]) for one in sampled(trainer)]
    before = trainer.logprobs(far)
    facts = trainer.step(batch(far))
    after = trainer.logprobs(far)
    whole = [abs(a - b) for new, old in zip(after, before, strict=True) for a, b in zip(new, old, strict=True)]
    assert 0 < facts["step"] < sum(whole) / len(whole) < 0.2
    assert facts["ratio"] > 1.4
    assert "step" not in opened(Lora).step(batch(far))


# Keeping and taking up


def script(kind: type[Any], model: str, folder: Path, settings: dict[str, Any]) -> str:
    return (
        "import sys\n"
        "from pathlib import Path\n"
        "from tests.rl.test_trainers import *\n"
        f"trainer = {kind.__name__}(**{settings!r})\n"
        f"trainer.open({model!r}, None)\n"
        f"trainer.restore(Path({str(folder)!r}))\n"
        "trainer.step(batch(exchanges(seed=3), 3))\n"
        f"state(trainer, Path({str(folder / 'elsewhere')!r}))\n"
    )


@every
def test_what_was_saved_goes_on_to_the_bit_here_and_in_another_process(
    kind: type[Any], opened: Making, made: Tiny, tmp_path: Path
) -> None:
    settings: dict[str, Any] = {"device": "cpu"}
    if kind is not Eggroll:
        settings |= {"loss": PLAIN, "learning_rate": 1e-3, "warmup": 5}
    trainer = opened(kind, **settings)
    for number in (1, 2):
        trainer.step(batch(exchanges(seed=number), number))
    trainer.save(tmp_path / "kept")
    trainer.step(batch(exchanges(seed=3), 3))
    undisturbed = state(trainer, tmp_path / "undisturbed")
    trainer.restore(tmp_path / "kept")
    trainer.step(batch(exchanges(seed=3), 3))
    assert state(trainer, tmp_path / "here") == undisturbed
    import os

    import torch

    done = subprocess.run(
        [sys.executable, "-c", script(kind, made.model, tmp_path / "kept", settings)],
        cwd=ROOT, capture_output=True, text=True, timeout=100, check=False,
        env={**os.environ, "OMP_NUM_THREADS": str(torch.get_num_threads())},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "kept" / "elsewhere" / "state.safetensors").read_bytes() == undisturbed


@every
def test_going_back_takes_the_weights_and_begins_anew_with_the_optimizer(
    kind: type[Any], opened: Making, tmp_path: Path
) -> None:
    trainer = opened(kind)
    some = sampled(trainer)
    first = trainer.logprobs(some)
    begin = state(trainer, tmp_path / "begin")
    trainer.step(batch(some))
    trainer.save(tmp_path / "kept")
    kept = trainer.logprobs(some)
    trainer.step(batch(some, 2))
    assert len({str(one) for one in (first, kept, trainer.logprobs(some))}) == 3
    trainer.revert(tmp_path / "kept", 0.25)
    assert trainer.logprobs(some) == kept
    trainer.revert(None, 0.25)
    assert trainer.logprobs(some) == first
    assert state(trainer, tmp_path / "end") == begin  # and no momentum
    assert trainer.step(batch(some, 3))["lr"] == 0.25 * trainer.learning_rate


def test_a_state_of_other_settings_or_of_another_model_is_refused(opened: Making, made: Tiny, tmp_path: Path) -> None:
    trainer = opened(Lora)
    trainer.step(batch(sampled(trainer)))
    trainer.save(tmp_path / "kept")
    with pytest.raises(TrainerError, match=r"other settings \(learning_rate 0.001, now 0.002; rank 32, now 16\)"):
        opened(Lora, learning_rate=2e-3, rank=16).restore(tmp_path / "kept")
    with pytest.raises(TrainerError, match="trainer is 'Lora', and not 'Full'"):
        opened(Full).restore(tmp_path / "kept")
    other = opened(Lora, model=tiny(tied=True).model)
    with pytest.raises(TrainerError, match="made with another model"):
        other.restore(tmp_path / "kept")
    with pytest.raises(TrainerError, match="made with another model"):
        other.revert(tmp_path / "kept", 1.0)
    with pytest.raises(TrainerError, match="cannot read the trainer's state"):
        trainer.restore(tmp_path / "nowhere")
    whole = (tmp_path / "kept" / "state.safetensors").read_bytes()
    (tmp_path / "kept" / "state.safetensors").write_bytes(whole[: len(whole) // 2])
    before = state(trainer, tmp_path / "before")
    with pytest.raises(TrainerError, match="cannot read the trainer's state"):
        trainer.restore(tmp_path / "kept")
    assert state(trainer, tmp_path / "after") == before
    opened(Lora, micro_tokens=16384).restore(tmp_path / "before")


@both
def test_a_state_that_lacks_a_weight_is_refused_and_nothing_of_it_is_taken_up(
    kind: type[Any], opened: Making, tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    trainer = opened(kind)
    before = state(trainer, tmp_path / "before")
    trainer.step(batch(sampled(trainer)))
    trainer.save(tmp_path / "kept")
    tensors = load_file(tmp_path / "kept" / "state.safetensors")
    tensors.pop(max(name for name in tensors if name.startswith("weights.")))
    save_file(tensors, tmp_path / "kept" / "state.safetensors")
    trainer.restore(tmp_path / "before")
    with pytest.raises(TrainerError, match=r"it is damaged .*other names or shapes"):
        trainer.restore(tmp_path / "kept")
    assert state(trainer, tmp_path / "after") == before


def test_a_new_adapter_follows_from_its_seed_alone(opened: Making, tmp_path: Path) -> None:
    import torch

    found = []
    for at, seed in enumerate((0, 0, 1)):
        found.append(state(opened(Lora, initial_seed=seed), tmp_path / str(at)))
        torch.rand(1)  # global random numbers go on
    assert found[0] == found[1] != found[2]


@both
def test_an_update_takes_kernels_that_give_the_same_bits_every_time(
    kind: type[Any], opened: Making, tmp_path: Path
) -> None:
    text = Path(PLAIN).read_text()
    asks = "assert torch.are_deterministic_algorithms_enabled()\n        apart = ("
    (tmp_path / "asking.py").write_text(text.replace("apart = (", asks))
    trainer = opened(kind, loss=str(tmp_path / "asking.py"))
    assert trainer.step(batch(sampled(trainer)))["dead"] == 0.0


def test_a_policy_is_written_as_transformers_and_peft_read_it(opened: Making, made: Tiny, tmp_path: Path) -> None:
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    for kind, model in ((Lora, made.model), (Full, made.model), (Full, tiny(tied=True).model)):
        trainer = opened(kind, model=model)
        some = sampled(trainer)
        trainer.step(batch(some))
        folder = tmp_path / f"{kind.__name__}{len(model)}"
        trainer.save(folder)
        if kind is Lora:
            found = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(model), folder / "policy")
        else:
            found = AutoModelForCausalLM.from_pretrained(folder / "policy")
        one = some[3]
        with torch.no_grad():
            rows = torch.log_softmax(found(torch.tensor([[*one.prompt_ids, *one.token_ids]])).logits[0], -1)
        expected = [float(rows[len(one.prompt_ids) - 1 + at, token]) for at, token in enumerate(one.token_ids)]
        assert trainer.logprobs([one])[0] == pytest.approx(expected, abs=1e-4)


def test_a_policy_of_all_weights_has_the_tokenizer_of_the_model_that_it_was(
    opened: Making, made: Tiny, tmp_path: Path
) -> None:
    from transformers import AutoTokenizer

    opened(Full).save(tmp_path)
    question = [{"role": "user", "content": "print(1)"}]
    own, theirs = (AutoTokenizer.from_pretrained(path) for path in (tmp_path / "policy", made.model))
    asked = own.apply_chat_template(question, add_generation_prompt=True, tokenize=False)
    assert asked == theirs.apply_chat_template(question, add_generation_prompt=True, tokenize=False)
    assert own(asked)["input_ids"] == theirs(asked)["input_ids"]
    bare = tmp_path / "bare"
    bare.mkdir()
    for path in Path(made.model).iterdir():
        if path.name in ("config.json", "generation_config.json", "model.safetensors"):
            (bare / path.name).write_bytes(path.read_bytes())
    opened(Full, model=str(bare)).save(tmp_path / "without")
    assert sorted(path.name for path in (tmp_path / "without" / "policy").iterdir()) == sorted(
        path.name for path in bare.iterdir()
    )


@both
def test_small_steps_are_not_lost_in_bfloat16(kind: type[Any], opened: Making, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    trainer = opened(kind, dtype="bfloat16", learning_rate=1e-6)
    before = {name: one.clone() for name, one in trainer._weights().items()}
    facts = trainer.step(batch(sampled(trainer)))
    assert facts["gap_max"] < 1e-6
    assert all(str(one.dtype) == "torch.float32" for one in trainer._weights().values())
    moved = [float((one - before[name]).abs().max()) for name, one in trainer._weights().items()]
    assert max(moved) == pytest.approx(1e-6, rel=0.2)
    trainer.save(tmp_path)
    if kind is Full:
        tensors = load_file(tmp_path / "policy" / "model.safetensors").values()
        assert {str(one.dtype) for one in tensors} == {"torch.bfloat16"}


def test_an_adapter_to_begin_with_is_trained_in_float32(opened: Making, made: Tiny) -> None:
    trainer = opened(Lora, initial=made.adapters["upper"], rank=8, alpha=32, dtype="bfloat16")
    assert {str(one.dtype) for one in trainer._weights().values()} == {"torch.float32"}
    assert {str(one.dtype) for one in trainer._plain().parameters() if not one.requires_grad} == {"torch.bfloat16"}


# An evolution strategy


def adapter(folder: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    found: dict[str, Any] = load_file(folder / "adapter_model.safetensors")
    return found


def test_members_are_pairs_on_both_sides_of_the_policy(opened: Making, tmp_path: Path) -> None:
    import torch

    trainer = opened(Eggroll, sigma=0.01)
    trainer.save(tmp_path / "kept")
    policy = adapter(tmp_path / "kept" / "policy")
    members = {at: adapter(path) for at, path in trainer.members(tmp_path / "members", 4).items()}
    assert state(trainer, tmp_path / "after") == (tmp_path / "kept" / "state.safetensors").read_bytes()
    for name, own in policy.items():
        for one, other in ((0, 1), (2, 3)):
            assert torch.allclose(members[one][name] + members[other][name], 2 * own, atol=1e-6)
        noise = members[0][name] - own
        assert torch.linalg.matrix_rank(noise.double(), rtol=1e-3) == 1
        assert 0.002 < float(noise.std()) < 0.03
        assert not torch.allclose(noise, members[2][name] - own, atol=1e-4)
    again = {at: adapter(path) for at, path in trainer.members(tmp_path / "again", 4).items()}
    assert all(torch.equal(again[at][name], members[at][name]) for at in members for name in policy)


def test_the_policy_moves_along_the_fitness_of_its_members(opened: Making, tmp_path: Path) -> None:
    """By hand: learning_rate * sqrt(N) * mean(fitness * noise), with fitness less its mean and over its deviation."""
    import torch

    trainer = opened(Eggroll, sigma=0.01, learning_rate=0.5)
    trainer.save(tmp_path / "kept")
    policy = adapter(tmp_path / "kept" / "policy")
    members = [adapter(path) for path in trainer.members(tmp_path / "members", 4).values()]
    [first, second] = exchanges(2)
    gains = [[1.0, 3.0], [0.0, 0.0], [-1.0, -1.0], [2.0, 0.0]]
    examples = [
        Example(exchange=one, advantage=gain, member=at)
        for at, two in enumerate(gains) for one, gain in zip((first, second), two, strict=True)
    ]  # fmt: skip
    facts = trainer.step(Batch(number=1, examples=examples, longest=64, seed=1))
    trainer.save(tmp_path / "moved")
    moved = adapter(tmp_path / "moved" / "policy")
    fitness = [2.0, 0.0, -1.0, 1.0]
    deviation = math.sqrt(sum((one - 0.5) ** 2 for one in fitness) / 4 + 1e-5)
    for name, own in policy.items():
        expected = sum(
            (one - 0.5) / deviation * (member[name] - own) for one, member in zip(fitness, members, strict=True)
        )
        assert torch.allclose(moved[name] - own, 0.5 * 2 * expected / 4, atol=1e-6)
    assert (facts["members"], facts["fitness_mean"]) == (4.0, 0.5)
    noise = trainer.members(tmp_path / "next", 1)
    assert not torch.allclose(adapter(noise[0])[name] - moved[name], members[0][name] - policy[name], atol=1e-5)


def test_what_an_older_population_found_moves_the_policy_along_its_own_noise(opened: Making, tmp_path: Path) -> None:
    import torch

    trainer = opened(Eggroll, sigma=0.01, learning_rate=0.5)
    trainer.save(tmp_path / "first")
    policy = adapter(tmp_path / "first" / "policy")
    older = adapter(trainer.members(tmp_path / "older", 1)[0])
    some = exchanges(2)
    trainer.step(batch(some, 1))
    trainer.save(tmp_path / "second")
    began = adapter(tmp_path / "second" / "policy")
    trainer.step(batch(some, 2, staleness=1))
    trainer.save(tmp_path / "third")
    moved = adapter(tmp_path / "third" / "policy")
    for name, own in policy.items():
        noise, move = (older[name] - own).flatten(), (moved[name] - began[name]).flatten()
        assert torch.cosine_similarity(noise, move, 0) < -0.99  # the first member is the one that was worse


def test_a_member_without_its_other_half_moves_the_policy_by_what_it_is_above_the_mean(
    opened: Making, tmp_path: Path
) -> None:
    """With all pairs whole the mean cancels out; an answer that was cut off or never came takes a member away."""
    import torch

    trainer = opened(Eggroll, sigma=0.01, learning_rate=0.5)
    trainer.save(tmp_path / "kept")
    policy = adapter(tmp_path / "kept" / "policy")
    members = [adapter(path) for path in trainer.members(tmp_path / "members", 3).values()]
    trainer.step(batch(exchanges(3), advantages=[5.0, 6.0, 7.0]))
    trainer.save(tmp_path / "moved")
    moved = adapter(tmp_path / "moved" / "policy")
    deviation = math.sqrt(2 / 3 + 1e-5)
    for name, own in policy.items():
        expected = ((members[2][name] - own) - (members[0][name] - own)) / deviation / 3
        assert torch.allclose(moved[name] - own, 0.5 * math.sqrt(3) * expected, atol=1e-6)


def test_the_noise_of_members_follows_from_the_seed(opened: Making, tmp_path: Path) -> None:
    import torch

    noises = []
    for seed in (0, 1):
        trainer = opened(Eggroll, sigma=0.01, initial_seed=seed)
        trainer.save(tmp_path / str(seed))
        policy = adapter(tmp_path / str(seed) / "policy")
        member = adapter(trainer.members(tmp_path / f"members-{seed}", 1)[0])
        noises.append({name: member[name] - own for name, own in policy.items()})
    assert all(not torch.allclose(one, noises[1][name], atol=1e-4) for name, one in noises[0].items())


def test_an_evolution_strategy_learns_without_a_gradient(opened: Making, made: Tiny, tmp_path: Path) -> None:
    import torch
    from peft import PeftModel, set_peft_model_state_dict
    from transformers import AutoModelForCausalLM

    trainer = opened(Eggroll, sigma=0.02, rank=4, alpha=8)
    trainer.save(tmp_path / "kept")
    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(made.model), tmp_path / "kept" / "policy")
    [wanted] = exchanges(1)
    ids = torch.tensor([[*wanted.prompt_ids, *wanted.token_ids]])
    before = sum(trainer.logprobs([wanted])[0])
    for number in range(1, 9):
        fitness = []
        for path in trainer.members(tmp_path / str(number), 6).values():
            set_peft_model_state_dict(model, adapter(path))
            with torch.no_grad():
                rows = torch.log_softmax(model(ids).logits[0, len(wanted.prompt_ids) - 1 : -1], -1)
            fitness.append(float(rows.gather(-1, torch.tensor(wanted.token_ids)[:, None]).sum()))
        examples = [Example(exchange=wanted, advantage=one, member=at) for at, one in enumerate(fitness)]
        trainer.step(Batch(number=number, examples=examples, longest=64, seed=number))
    assert sum(trainer.logprobs([wanted])[0]) > before + 1.0


def test_members_with_fitness_that_is_no_number_change_nothing(opened: Making, tmp_path: Path) -> None:
    trainer = opened(Eggroll)
    before = state(trainer, tmp_path / "before")
    for wrong in (math.nan, math.inf):
        with pytest.raises(TrainerError, match="not finite"):
            trainer.step(batch(exchanges(), advantages=[wrong, 1.0, 2.0, 3.0, 4.0, 5.0]))
    assert trainer.step(batch(exchanges(), advantages=[1.0] * 6))["dead"] == 1.0
    assert state(trainer, tmp_path / "after") == before


# The surroundings


@every
def test_global_settings_of_torch_are_left_as_they_were(kind: type[Any], opened: Making, tmp_path: Path) -> None:
    import torch

    def seen() -> tuple[Any, ...]:
        return (
            torch.random.get_rng_state().tolist(),
            torch.get_num_threads(),
            torch.are_deterministic_algorithms_enabled(),
            torch.is_deterministic_algorithms_warn_only_enabled(),
            random.getstate(),
        )

    before = seen()
    trainer = opened(kind)
    trainer.step(batch(exchanges()))
    trainer.members(tmp_path / "members", 2)
    trainer.save(tmp_path / "kept")
    assert seen() == before


@every
def test_a_trainer_is_found_by_its_name_and_says_when_it_is_not_open(kind: type[Any], tmp_path: Path) -> None:
    trainer = build("trainers", kind.__name__.lower())
    assert trainer.settings() == kind().settings()
    assert trainer.population is (kind is Eggroll)
    for work in (lambda: trainer.step(batch([])), lambda: trainer.save(tmp_path / "a"), lambda: trainer.logprobs([]),
                 lambda: trainer.restore(tmp_path), lambda: trainer.revert(None, 1.0)):  # fmt: skip
        with pytest.raises(TrainerError, match="is not open"):
            work()


@every
def test_what_cannot_be_opened_is_told(kind: type[Any], opened: Making, tmp_path: Path) -> None:
    with pytest.raises(TrainerError, match="cannot load"):
        opened(kind, model=str(tmp_path / "none"))
    with pytest.raises(SettingError, match="learning_rate"):
        kind(learning_rates=1)


@pytest.mark.parametrize("module", [eggroll, full, lora])
def test_the_command_that_installs_what_is_missing_is_told(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from evoengine.rl import _torch

    monkeypatch.setattr(_torch, "find_spec", lambda _: None)
    settings = {} if module is eggroll else {"loss": PLAIN}
    kind = {eggroll: Eggroll, full: Full, lora: Lora}[module]
    with pytest.raises(MissingExtra, match=r"pip install 'evoengine\[train\]'"):
        kind(**settings).open("m", None)


@both
def test_an_update_tells_how_far_the_policy_is_from_the_base_unless_told_not_to(
    kind: type[Any], opened: Making
) -> None:
    trainer, silent = (opened(kind, loss="grpo", learning_rate=1e-2, measure_kl=measured) for measured in (True, False))
    assert trainer.step(batch(sampled(trainer)))["kl"] == pytest.approx(0.0, abs=1e-6)
    assert trainer.step(batch(sampled(trainer), 2))["kl"] > 1e-4
    assert "kl" not in silent.step(batch(sampled(silent)))
