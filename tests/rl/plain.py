"""The least that a policy loss can be: the importance-weighted policy gradient, with KL and entropy where asked for."""

from __future__ import annotations

from typing import Any

from evoengine.rl.loss import Loss, Micro, Whole


class Plain(Loss):
    kl: float = 0.0
    bonus: float = 0.0

    @property
    def needs_reference(self) -> bool:
        return self.kl > 0

    @property
    def needs_entropy(self) -> bool:
        return self.bonus > 0

    def of(self, micro: Micro, whole: Whole) -> tuple[Any, dict[str, Any]]:
        import torch

        apart = (micro.logprobs - micro.behaviour) * micro.mask
        ratio = torch.exp(apart)
        each = -ratio * micro.advantages[:, None]
        facts = {"ratio": (ratio * micro.mask).sum().detach(), "ratio_max": (ratio * micro.mask).max().detach()}
        if micro.proximal is not None:
            facts["step"] = ((micro.logprobs - micro.proximal).abs() * micro.mask).sum().detach()
        if micro.reference is not None:
            gap = micro.reference - micro.logprobs
            kl = (torch.exp(gap) - gap - 1) * micro.mask
            each = each + self.kl * kl
            facts["kl"] = kl.sum().detach()
        if micro.entropy is not None:
            each = each - self.bonus * micro.entropy
        return (each * micro.mask).sum() / whole.tokens, facts
