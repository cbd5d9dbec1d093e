"""One update by a policy's gradient: what `lora` and `full` have in common."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from copy import deepcopy
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pydantic import Field, PrivateAttr

from evoengine.errors import TrainerError
from evoengine.rl._scoring import Likelihood, deterministic, likelihood
from evoengine.rl._shards import divided, own, put_back, undivided
from evoengine.rl._torch import TorchTrainer, check_examples
from evoengine.rl.loss import Loss, Micro, Whole
from evoengine.rl.rollouts import Exchange
from evoengine.rl.trainer import Batch, Example
from evoengine.rl.training import Given

_PART = "optimizer."


@dataclass(kw_only=True)
class _Seen:
    """What one iteration over a batch comes to."""

    sums: dict[str, float] = field(default_factory=partial(defaultdict, float))
    largest: dict[str, float] = field(default_factory=dict)
    ratios: list[float] = field(default_factory=list)
    """Logarithms of the sequences' importance ratios."""
    gaps: list[float] = field(default_factory=list)
    """Between trainer and sampler, of tokens that the policy of now sampled."""

    @classmethod
    def of(cls, parts: Sequence[_Seen]) -> _Seen:
        """What several processes have seen."""
        if len(parts) == 1:
            return parts[0]
        found = cls()
        for part in parts:
            for name, value in part.sums.items():
                found.sums[name] += value
            for name, value in part.largest.items():
                found.largest[name] = max(value, found.largest.get(name, -math.inf))
            found.ratios += part.ratios
            found.gaps += part.gaps
        return found

    @property
    def share(self) -> float:
        """The effective sample size over the number of sequences, in 0 to 1 (VCPO, 2026, arXiv:2602.17616)."""
        top = max(self.ratios)
        weights = [math.exp(one - top) for one in self.ratios]
        return sum(weights) ** 2 / sum(one * one for one in weights) / len(weights)


class GradientTrainer(TorchTrainer, ABC):
    """AdamW on the gradient of a policy loss.

    Before each update the weights and the optimizer's state are copied to the machine's memory, and taken back from
    there when the update fails: three float32 numbers for each weight that is trained.

    Attributes:
        loss: the surrogate, a plugin of the kind `losses`.
        measure_kl: whether an update tells how far the policy is from the base (`kl`) where the loss does not ask for
            it, too; it costs one more pass without a gradient, and where all weights are trained a copy of the base.
        learning_rate, betas, weight_decay: of AdamW (Loshchilov and Hutter 2019, arXiv:1711.05101).
        warmup: over how many updates the learning rate rises to its full value, linearly; 0 for none.
        max_grad_norm: longer gradients are cut to this length.
        iterations: how many steps of the optimizer a batch is used for (`num_iterations`).
        mask_cut: whether answers that were cut off for their length are left out.
        ess_rate: whether the learning rate is multiplied by the square root of min(1, ESS / B / ess_base), with the
            effective sample size of the B sequences' importance ratios (VCPO, 2026, arXiv:2602.17616).
        ess_base: see there.
        checkpointing: whether activations are computed again for the gradient, which saves memory and costs a third
            more time.
    """

    loss: Given = "dr_grpo"
    measure_kl: bool = True
    learning_rate: float = Field(default=1e-6, ge=0.0)
    betas: tuple[float, float] = (0.9, 0.95)
    weight_decay: float = Field(default=0.0, ge=0.0)
    warmup: int = Field(default=0, ge=0)
    max_grad_norm: float = Field(default=1.0, gt=0.0)
    iterations: int = Field(default=1, ge=1)
    mask_cut: bool = True
    ess_rate: bool = False
    ess_base: float = Field(default=1.0, gt=0.0, le=1.0)
    checkpointing: bool = True

    _optimizer: Any = PrivateAttr(default=None)
    _surrogate: Loss | None = PrivateAttr(default=None)

    @abstractmethod
    def _built(self) -> Loss:
        """The loss of the settings."""

    @abstractmethod
    def _referring(self) -> AbstractContextManager[Any]:
        """Gives the frozen base, as transformers knows it."""

    def _prepare(self) -> None:
        super()._prepare()
        self._surrogate = self._built()

    def open(self, model: str, initial: str | None) -> None:
        super().open(model, initial)
        if self.checkpointing:
            plain = self._plain()
            plain.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
            for module in plain.modules():
                if getattr(module, "gradient_checkpointing", False):
                    module.training = True  # of this module alone: what is in it stays without dropout

    def close(self) -> None:
        super().close()
        self._optimizer = None

    def step(self, batch: Batch) -> dict[str, float]:
        self._is_open()
        examples = [one for one in batch.examples if not (self.mask_cut and one.exchange.cut)]
        check_examples(self._plain(), [one.exchange for one in examples])
        if not all(math.isfinite(one.advantage) for one in examples):
            raise TrainerError(f"an advantage of update {batch.number} is not finite; nothing was changed.")
        whole = Whole(
            sequences=len(examples),
            tokens=sum(len(one.exchange.token_ids) for one in examples),
            longest=batch.longest,
        )
        counts = {
            "sequences": float(whole.sequences),
            "tokens": float(whole.tokens),
            "masked": float(len(batch.examples) - len(examples)),
        }
        if not any(one.advantage for one in examples):
            return {**counts, "dead": 1.0}
        before = self._kept()
        try:
            with deterministic():
                began: list[Any] = []
                told = [self._iterate(examples, whole, began) for _ in range(self.iterations)]
        except Exception as error:  # foreign code: no memory, a driver's fault, whatever a loss may raise
            self._take_back(before)
            said = str(error) if isinstance(error, TrainerError) else f"{type(error).__name__}: {error}."
            raise TrainerError(
                f"update {batch.number} failed: {said} The weights are what they were before. Where memory is short "
                f"lower micro_tokens."
            ) from error
        finally:
            self._optimizer.zero_grad(set_to_none=True)
        self._updates += 1
        self._since += 1
        return {**counts, "dead": 0.0, **_over(told)}

    def _iterate(self, examples: Sequence[Example], whole: Whole, began: list[Any]) -> dict[str, float]:
        """One step of the optimizer.

        Args:
            examples: of the batch.
            whole: the same in numbers.
            began: of each micro-batch, the log-probabilities at the first step; empty before that, which fills it.
        """
        import torch

        seen = _Seen()
        self._optimizer.zero_grad(set_to_none=True)
        lengths = [len(one.exchange.prompt_ids) + len(one.exchange.token_ids) for one in examples]
        first, found = not began, []
        for number, some in enumerate(self._portion(lengths)):
            proximal = None if first else began[number]
            if some:
                found.append(self._learn([examples[at] for at in some], whole, seen, proximal))
            else:
                self._keep_up(examples[min(range(len(lengths)), key=lengths.__getitem__)])
                found.append(None)
        if first:
            began += found
        seen = _Seen.of(self._heard(seen))
        weights = list(self._weights().values())
        norm = float(undivided(torch.nn.utils.clip_grad_norm_(weights, self.max_grad_norm)))
        if not (math.isfinite(seen.sums["loss"]) and math.isfinite(norm)):
            raise TrainerError(f"the loss is {seen.sums['loss']:g} and its gradient's norm is {norm:g}.")
        rate = self._rate * self.learning_rate
        if self.warmup:
            rate *= min(1.0, (self._since + 1) / self.warmup)
        if self.ess_rate:
            rate *= math.sqrt(min(1.0, seen.share / self.ess_base))
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        if rate:  # adding nothing to a weight of -0.0 would make it 0.0
            self._optimizer.step()
        if not all(self._heard(all(bool(torch.isfinite(own(one)).all()) for one in weights))):
            raise TrainerError("a weight is not finite.")
        loss = seen.sums.pop("loss")
        means = {name: total / whole.tokens for name, total in seen.sums.items()}
        gaps = {"gap_mean": sum(seen.gaps) / len(seen.gaps), "gap_max": max(seen.gaps)} if seen.gaps else {}
        ess = {"ess": seen.share * whole.sequences}
        return {"loss": loss, **means, **seen.largest, "grad_norm": norm, "lr": rate, **ess, **gaps}

    def _learn(self, examples: Sequence[Example], whole: Whole, seen: _Seen, proximal: Any | None) -> Any:
        """Adds the gradient of a micro-batch, and gives its log-probabilities."""
        import torch
        from torch.nn.utils.rnn import pad_sequence

        surrogate = self._surrogate
        assert surrogate is not None
        exchanges = [one.exchange for one in examples]
        reference, said = self._looked_up(exchanges)
        device = said.logprobs.device
        behaviour = pad_sequence([torch.tensor(one.logprobs, device=device) for one in exchanges], batch_first=True)
        micro = Micro(
            logprobs=said.logprobs,
            behaviour=behaviour,
            advantages=torch.tensor([one.advantage for one in examples], device=device),
            mask=said.mask,
            reference=reference,
            entropy=said.entropy if surrogate.needs_entropy else None,
            proximal=proximal,
        )
        try:
            loss, facts = surrogate.of(micro, whole)
        except Exception as error:  # foreign code: the others are told, as they would wait for this one's gradient
            self._agree(error)
            raise
        self._agree(None)
        self._differentiate(loss)
        apart = ((said.logprobs - behaviour) * said.mask).detach()
        seen.ratios += apart.double().sum(-1).tolist()
        for row, one in zip(apart.abs().tolist(), examples, strict=True):
            if one.staleness == 0:
                seen.gaps += row[: len(one.exchange.token_ids)]
        seen.sums["loss"] += float(loss.detach())
        for name, value in {"entropy": said.entropy.detach().sum(), **facts}.items():
            if name.endswith("_max"):
                seen.largest[name] = max(float(value), seen.largest.get(name, -math.inf))
            else:
                seen.sums[name] += float(value)
        return said.logprobs.detach()

    def _keep_up(self, example: Example) -> None:
        """Does what `_learn` does as far as other processes wait for it, and adds nothing to the gradient."""
        _, said = self._looked_up([example.exchange])
        self._agree(None)
        self._differentiate(0.0 * said.logprobs.sum())

    def _looked_up(self, exchanges: Sequence[Exchange]) -> tuple[Any | None, Likelihood]:
        """The reference's log-probabilities, where the loss asks for them, and what the policy says."""
        import torch

        surrogate = self._surrogate
        assert surrogate is not None
        reference = None
        if surrogate.needs_reference or self.measure_kl:
            with torch.no_grad(), self._computing(), self._referring() as base:
                reference = likelihood(base, exchanges).logprobs
        with self._computing():
            return reference, likelihood(self._plain(), exchanges, surrogate.needs_entropy)

    def _differentiate(self, loss: Any) -> None:
        """Adds the loss's gradient to what there is, summed up over all processes."""
        processes = 1 if self._mesh is None else self._mesh.size()
        (loss * processes if processes > 1 else loss).backward()  # fully_shard takes their mean, and losses are sums

    def _agree(self, error: Exception | None) -> None:
        """Has all processes give up a micro-batch that one of them cannot go on with."""
        if self._mesh is None:
            return
        for told in self._heard(None if error is None else f"{type(error).__name__}: {error}."):
            if told is not None:
                raise TrainerError(told) from error

    def _begin(self) -> None:
        import torch

        self._optimizer = torch.optim.AdamW(
            list(self._weights().values()), lr=self.learning_rate, betas=self.betas, weight_decay=self.weight_decay
        )

    def _kept(self) -> _Kept:
        told = self._optimizer.state_dict()
        state = {at: {name: _copied(one) for name, one in of.items()} for at, of in told["state"].items()}
        return _Kept(
            weights={name: _copied(one) for name, one in self._weights().items()},
            optimizer={"state": state, "param_groups": deepcopy(told["param_groups"])},
        )

    def _take_back(self, before: _Kept) -> None:
        """Without a word to other processes, each of which does the same."""
        weights = self._weights()
        for name, part in before.weights.items():
            own(weights[name]).copy_(part)
        likes = list(weights.values())
        state = {
            at: {name: put_back(one, likes[at]) for name, one in of.items()}
            for at, of in before.optimizer["state"].items()
        }
        self._optimizer.load_state_dict({**before.optimizer, "state": state})

    def _state(self) -> dict[str, Any]:
        told = self._optimizer.state_dict()["state"]
        return {f"{_PART}{at}.{name}": one for at, of in told.items() for name, one in of.items()}

    def _take(self, state: Mapping[str, Any]) -> None:
        self._begin()
        told, likes = self._optimizer.state_dict(), list(self._weights().values())
        for key, one in state.items():
            if key.startswith(_PART):
                at, _, name = key.removeprefix(_PART).partition(".")
                told["state"].setdefault(int(at), {})[name] = divided(one, likes[int(at)])
        self._optimizer.load_state_dict(told)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """What an update that fails is taken back to: of each tensor the part that this process holds."""

    weights: Mapping[str, Any]
    optimizer: Mapping[str, Any]


def _copied(tensor: Any) -> Any:
    return own(tensor).to("cpu", copy=True)


def _over(told: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The facts of several iterations: means, the largest of maxima, and the gap to the sampler at the first."""
    found = {}
    for name in dict.fromkeys(name for one in told for name in one):
        values = [one[name] for one in told if name in one]
        if name.startswith("gap"):
            found[name] = values[0]
        else:
            found[name] = max(values) if name.endswith("_max") else sum(values) / len(values)
    return found
