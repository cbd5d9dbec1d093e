"""What a causal language model says of given answers: log-probabilities of their tokens, in float32."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MethodType
from typing import Any

from evoengine.errors import TrainerError
from evoengine.rl.rollouts import Exchange

_SAID = "evoengine_likelihood"
"""A method of models that are divided."""
_LOGITS_BYTES = 2**28
"""Logits that are held at once at most, in bytes of float32."""
_TOLERANCE = 1e-2
"""How far log-probabilities may be from the model's own, at the check that is made once. A model that does more to its
logits than its last layer says is off by much more, and rounding in bfloat16 by less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Likelihood:
    """Of some answers, padded to the longest: float32 tensors (B, T), 0 where there is no token.

    Attributes:
        logprobs: of the tokens.
        entropy: of the distribution at each token, in nats.
        mask: 1 where there is a token.
    """

    logprobs: Any
    entropy: Any
    mask: Any


def packed(lengths: Sequence[int], most: int) -> list[list[int]]:
    """Indices of sequences in micro-batches, the longest first.

    Each micro-batch has at most `most` tokens, padding included; a sequence that is longer has one to itself.
    """
    found: list[list[int]] = []
    for at in sorted(range(len(lengths)), key=lambda one: (-lengths[one], one)):
        if found and lengths[found[-1][0]] * (len(found[-1]) + 1) <= most:
            found[-1].append(at)
        else:
            found.append([at])
    return found


def likelihood(model: Any, exchanges: Sequence[Exchange], learns_entropy: bool = False) -> Likelihood:
    """What a model says of the exchanges' answers, one row for each.

    Only the positions of the answers go through the last layer, as many at a time as keep the logits small; where a
    gradient is wanted their logits are computed again for it.

    Args:
        model: of transformers.
        exchanges: at least one.
        learns_entropy: whether the entropy carries a gradient.
    """
    said = getattr(model, _SAID, None) or MethodType(_said, model)
    logprobs, entropy, mask = said(exchanges, learns_entropy)
    return Likelihood(logprobs=logprobs, entropy=entropy, mask=mask)


def scored_as_a_whole(model: Any) -> None:
    """Has a model that `fully_shard` was called with gather what it needs for `likelihood`, which is no forward pass.

    The model's body and its last layer are called one after the other, and what they share belongs to the model.
    """
    from torch.distributed.fsdp import register_fsdp_forward_method

    setattr(model, _SAID, MethodType(_said, model))
    register_fsdp_forward_method(model, _SAID)


def _said(model: Any, exchanges: Sequence[Exchange], learns_entropy: bool) -> tuple[Any, Any, Any]:
    import torch
    from torch.nn.utils.rnn import pad_sequence
    from torch.utils.checkpoint import checkpoint

    head, device = model.get_output_embeddings(), model.device
    rows = [torch.tensor([*one.prompt_ids, *one.token_ids], device=device) for one in exchanges]
    lengths = torch.tensor([len(row) for row in rows], device=device)
    ids = pad_sequence(rows, batch_first=True)
    mask = (torch.arange(ids.shape[1], device=device) < lengths[:, None]).long()
    hidden = model.base_model(input_ids=ids, attention_mask=mask, use_cache=False).last_hidden_state
    sizes = [len(one.token_ids) for one in exchanges]
    places = [slice(len(one.prompt_ids) - 1, len(one.prompt_ids) + len(one.token_ids) - 1) for one in exchanges]
    states = torch.cat([row[place] for row, place in zip(hidden, places, strict=True)])
    tokens = torch.cat([row[len(one.prompt_ids) :] for row, one in zip(rows, exchanges, strict=True)])

    def said(some: Any, chosen: Any) -> tuple[Any, Any]:
        logits = head(some).float()
        total = torch.logsumexp(logits, -1)
        logprobs = logits.gather(-1, chosen[:, None])[:, 0] - total
        with torch.set_grad_enabled(learns_entropy and torch.is_grad_enabled()):
            entropy = total - (torch.exp(logits - total[:, None]) * logits).sum(-1)
        return logprobs, entropy

    chunk = max(1, _LOGITS_BYTES // (4 * head.weight.shape[0]))
    pairs = list(zip(states.split(chunk), tokens.split(chunk), strict=True))
    if len(pairs) > 1 and torch.is_grad_enabled():
        told = [checkpoint(said, *pair, use_reentrant=False) for pair in pairs]
    else:
        told = [said(*pair) for pair in pairs]
    logprobs, entropy = (
        pad_sequence(torch.cat(parts).split(sizes), batch_first=True) for parts in zip(*told, strict=True)
    )
    there = pad_sequence([logprobs.new_ones(size) for size in sizes], batch_first=True)
    return logprobs, entropy, there


def check_head(model: Any) -> None:
    """Refuses a model whose logits are not what its last layer gives (Gemma 2 caps them, Cohere scales them).

    Raises:
        TrainerError: it is one.
    """
    import torch

    ids = [at * (model.get_output_embeddings().weight.shape[0] - 1) // 7 for at in range(8)]
    probe = Exchange(prompt_ids=tuple(ids[:1]), token_ids=tuple(ids[1:]), logprobs=(0.0,) * 7, policy="")
    with torch.no_grad():
        found = likelihood(model, [probe]).logprobs[0]
        logits = model(input_ids=torch.tensor([ids], device=model.device), use_cache=False).logits[0, :-1].float()
        own = torch.log_softmax(logits, -1).gather(-1, torch.tensor(ids[1:], device=model.device)[:, None])[:, 0]
    if not bool(((found - own).abs() <= _TOLERANCE * (1 + own.abs())).all()):
        raise TrainerError(
            f"{type(model).__name__} changes its logits after its last layer (by a cap or a scale), which the trainers "
            f"do not; take a model of another kind."
        )


@contextmanager
def deterministic() -> Iterator[None]:
    """Has torch take those of its kernels that give the same bits every time, where there are such."""
    import torch

    before, warns = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=warns)
