"""What every policy loss must show; torch has to be installed."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evoengine.rl.loss import Loss, Micro, Whole
from evoengine.testing._laws import INHERITED

LONGEST = 7


def micro_of(seed: int, sequences: int = 5, *, drift: float = 0.3, dtype: str = "float64") -> Micro:
    """Random sequences of 1 to 7 tokens, with all that a loss may ask for; `drift` is how far the policies differ."""
    torch = pytest.importorskip("torch")
    random = torch.Generator().manual_seed(seed)

    def normal(scale: float) -> Any:
        return scale * torch.randn(sequences, LONGEST, generator=random, dtype=getattr(torch, dtype))

    logprobs = -normal(1.0).abs() - 0.1
    lengths = torch.randint(1, LONGEST + 1, (sequences, 1), generator=random)
    return Micro(
        logprobs=logprobs.clone().requires_grad_(),
        behaviour=logprobs + normal(drift),
        advantages=normal(1.0)[:, 0],
        mask=(torch.arange(LONGEST) < lengths).to(logprobs.dtype),
        reference=logprobs + normal(drift),
        entropy=normal(1.0).abs().requires_grad_(),
        proximal=logprobs + normal(drift / 3),
    )


def whole_of(micro: Micro) -> Whole:
    """The batch that consists of this micro-batch alone."""
    return Whole(sequences=len(micro.mask), tokens=int(micro.mask.sum()), longest=LONGEST)


def part_of(micro: Micro, places: slice, width: int = LONGEST) -> Micro:
    """Some of the sequences, as leaves of their own, cut to a width."""
    parts = {}
    for field in fields(micro):
        values = getattr(micro, field.name)
        if values is not None:
            part = values.detach()[places]
            parts[field.name] = (part if part.dim() == 1 else part[:, :width]).clone()
    for name in ("logprobs", "entropy"):
        if name in parts:
            parts[name].requires_grad_()
    return Micro(**parts)


class LossContract:
    """What every policy loss must show. Needs a fixture `loss`."""

    @settings(deadline=None, suppress_health_check=INHERITED, max_examples=25)
    @given(seed=st.integers(0, 10**6), cut=st.integers(1, 4))
    def test_how_a_batch_is_divided_changes_nothing(self, loss: Loss, seed: int, cut: int) -> None:
        torch = pytest.importorskip("torch")
        micro = micro_of(seed)
        whole = whole_of(micro)
        together, facts = loss.of(micro, whole)
        together.backward()
        total, added, gradients = 0.0, dict.fromkeys(facts, 0.0), []
        for places in (slice(0, cut), slice(cut, None)):
            width = int(micro.mask[places].sum(1).max())  # each is padded to its own longest answer
            part = part_of(micro, places, width)
            value, some = loss.of(part, whole)
            value.backward()
            total += float(value.detach())
            gradients.append(torch.nn.functional.pad(part.logprobs.grad, (0, LONGEST - width)))
            for name, fact in some.items():
                added[name] = max(added[name], float(fact)) if name.endswith("_max") else added[name] + float(fact)
        assert total == pytest.approx(float(together.detach()), rel=1e-9, abs=1e-12)
        assert torch.allclose(torch.cat(gradients), micro.logprobs.grad, rtol=1e-9, atol=1e-14)
        assert added == pytest.approx({name: float(fact) for name, fact in facts.items()}, rel=1e-9, abs=1e-12)

    @settings(deadline=None, suppress_health_check=INHERITED, max_examples=10)
    @given(seed=st.integers(0, 10**6), filling=st.sampled_from([float("nan"), float("inf"), float("-inf"), 7.0]))
    def test_what_stands_where_the_mask_is_0_has_no_influence(self, loss: Loss, seed: int, filling: float) -> None:
        torch = pytest.importorskip("torch")
        micro = micro_of(seed)
        clean = part_of(micro, slice(None))
        padding = micro.mask == 0
        filled = {
            name: getattr(micro, name).detach().masked_fill(padding, filling)
            for name in ("logprobs", "behaviour", "reference", "entropy", "proximal")
        }
        for name in ("logprobs", "entropy"):
            filled[name].requires_grad_()
        dirty = replace(micro, **filled)
        (one, facts), (other, same) = loss.of(clean, whole_of(micro)), loss.of(dirty, whole_of(micro))
        one.backward()
        other.backward()
        assert float(one.detach()) == float(other.detach())
        assert {name: float(fact) for name, fact in facts.items()} == {name: float(fact) for name, fact in same.items()}
        assert torch.equal(clean.logprobs.grad, dirty.logprobs.grad)
        assert not dirty.logprobs.grad[padding].any()

    @settings(deadline=None, suppress_health_check=INHERITED, max_examples=10)
    @given(seed=st.integers(0, 10**6))
    def test_on_the_policy_that_sampled_better_answers_become_more_likely(self, loss: Loss, seed: int) -> None:
        torch = pytest.importorskip("torch")
        micro = part_of(micro_of(seed), slice(None))
        now = micro.logprobs.detach()
        micro = replace(micro, behaviour=now.clone(), proximal=None, reference=now.clone(), entropy=now * 0.0)
        loss.of(micro, whole_of(micro))[0].backward()
        expected = micro.advantages.sign().unsqueeze(1) * micro.mask
        assert torch.equal((-micro.logprobs.grad).sign() * micro.mask, expected)

    @settings(deadline=None, suppress_health_check=INHERITED, max_examples=20)
    @given(seed=st.integers(0, 10**6), drift=st.sampled_from([0.0, 1.0, 30.0, 1000.0]))
    def test_policies_far_apart_leave_everything_finite(self, loss: Loss, seed: int, drift: float) -> None:
        torch = pytest.importorskip("torch")
        micro = micro_of(seed, drift=drift, dtype="float32")
        value, facts = loss.of(micro, whole_of(micro))
        value.backward()
        assert torch.isfinite(value)
        assert torch.isfinite(micro.logprobs.grad).all()
        assert all(torch.isfinite(fact) and not fact.requires_grad and fact.dim() == 0 for fact in facts.values())

    def test_a_number_that_is_none_is_not_hidden(self, loss: Loss) -> None:
        torch = pytest.importorskip("torch")
        micro = part_of(micro_of(1), slice(None))
        broken = micro.logprobs.detach().clone()
        broken[0, 0] = float("nan")
        value, _ = loss.of(replace(micro, logprobs=broken), whole_of(micro))
        assert torch.isnan(value)

    def test_a_batch_without_a_token_is_worth_nothing(self, loss: Loss) -> None:
        micro = part_of(micro_of(1), slice(None))
        micro = replace(micro, mask=micro.mask * 0.0)
        value, facts = loss.of(micro, Whole(sequences=0, tokens=0, longest=LONGEST))
        assert float(value.detach()) == 0.0
        assert set(map(float, facts.values())) == {0.0}

    def test_what_is_needed_and_not_there_is_asked_for(self, loss: Loss) -> None:
        micro = micro_of(1)
        for name, needed in (("reference", loss.needs_reference), ("entropy", loss.needs_entropy)):
            if needed:
                with pytest.raises(ValueError, match=name):
                    loss.of(replace(micro, **{name: None}), whole_of(micro))
            else:
                loss.of(replace(micro, **{name: None}), whole_of(micro))
