"""What the policy losses that ship have in common. Only methods of tensors are used, so torch is not imported."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from evoengine.rl.loss import Loss, Micro, Whole

_FARTHEST = 20.0
"""Log ratios are cut to this, up and down: e^20 is 5e8, and float32 ends at e^88. Beyond it no gradient flows."""


class Surrogate(Loss):
    """A loss of each token by its importance ratio, and what may be added to it.

    The loss of a batch is the sum of -objective(ratio, advantage) times the truncated weight, plus `beta` times the
    divergence from the frozen base, over all tokens as the subclass divides it, less `entropy_coef` times the entropy.

    Attributes:
        importance_sampling_level: what the ratio is of: "token"; "sequence", the geometric mean over the answer's
            tokens (GSPO, Zheng et al. 2025, arXiv:2507.18071, eq. 7); or "min_prefix", that of the token times the
            smallest of those before it, where that is below 1 and as a constant (MinPRO, Lei, Cheng & Tao 2026,
            arXiv:2601.22718).
        beta: the weight of the divergence from the base, KL(policy, base).
        kl_estimator: how it is estimated from the sampled tokens, with d = log policy - log base (Schulman 2020,
            "Approximating KL divergence"): "k1", d; "k2", d^2 / 2; "k3", exp(-d) - 1 + d. As a term of the loss k1
            only measures, since its gradient is 0 on average; that of k2 is that of the divergence.
        entropy_coef: the weight of the entropy, as a mean over answers of the mean over their tokens.
        entropy_floor: an answer's entropy is worth nothing beyond this (nats), so that the bonus acts where the
            policy is about to collapse and nowhere else; None for no such end.
        tis_clip: with it, ratios are those to the policy that the update began with, and how far that one was from
            the one that sampled is made up for by a constant weight, cut to this (truncated importance sampling);
            None for ratios to the policy that sampled.
        tis_level: whether that weight is of the "token" or of the "sequence", the product over its tokens (VCPO,
            2026, arXiv:2602.17616, with 8).
    """

    importance_sampling_level: Literal["token", "sequence", "min_prefix"] = "token"
    beta: float = Field(default=0.0, ge=0.0, allow_inf_nan=False)
    kl_estimator: Literal["k1", "k2", "k3"] = "k3"
    entropy_coef: float = Field(default=0.0, ge=0.0, allow_inf_nan=False)
    entropy_floor: float | None = Field(default=None, gt=0.0, allow_inf_nan=False)
    tis_clip: float | None = Field(default=None, gt=0.0, allow_inf_nan=False)
    tis_level: Literal["token", "sequence"] = "token"

    @model_validator(mode="after")
    def _means_something(self) -> Self:
        if self.entropy_floor is not None and self.entropy_coef == 0.0:
            raise ValueError("entropy_floor says where the bonus ends; give entropy_coef, too, to have one")
        if self.tis_level == "sequence" and self.tis_clip is None:
            raise ValueError("tis_level says what tis_clip cuts; give tis_clip, too")
        return self

    @property
    def needs_reference(self) -> bool:
        return self.beta > 0.0

    @property
    def needs_entropy(self) -> bool:
        return self.entropy_coef > 0.0

    @abstractmethod
    def objective(self, ratios: Any, advantages: Any, logprobs: Any) -> Any:
        """What is to be made large, (B, T), from ratios and log-probabilities (B, T) and advantages (B, 1)."""

    @abstractmethod
    def divided(self, losses: Any, mask: Any, whole: Whole) -> Any:
        """The sum of the tokens' losses (B, T), 0 where the mask (B, T) is, as a share of the whole batch."""

    def is_clipped(self, ratios: Any, advantages: Any) -> tuple[Any, Any]:  # noqa: ARG002
        """Where the objective does not grow any more because the ratio is too low, and because it is too high."""
        never = ratios < 0.0
        return never, never

    def of(self, micro: Micro, whole: Whole) -> tuple[Any, dict[str, Any]]:
        if self.needs_reference and micro.reference is None:
            raise ValueError(f"{type(self).__name__}: beta is {self.beta}, and Micro.reference is None; give it")
        if self.needs_entropy and micro.entropy is None:
            raise ValueError(
                f"{type(self).__name__}: entropy_coef is {self.entropy_coef}, and Micro.entropy is None; give it"
            )
        padding = micro.mask == 0
        mask = (~padding).to(micro.logprobs.dtype)
        lengths = mask.sum(1, keepdim=True).clamp(min=1.0)

        def filled(values: Any) -> Any:
            return values.masked_fill(padding, 0.0)  # times 0 would leave NaN as it is

        logprobs, behaviour = filled(micro.logprobs), filled(micro.behaviour)
        advantages = micro.advantages.unsqueeze(1)
        now = logprobs.detach()
        began = behaviour
        if self.tis_clip is not None:
            began = now if micro.proximal is None else filled(micro.proximal)
        log_ratios = logprobs - began
        if self.importance_sampling_level == "sequence":
            log_ratios = (log_ratios.sum(1, keepdim=True) / lengths).expand_as(logprobs)
        ratios = log_ratios.clamp(-_FARTHEST, _FARTHEST).exp()
        losses = -self.objective(ratios, advantages, logprobs)
        if self.importance_sampling_level == "min_prefix":
            losses = losses * _least_before(log_ratios.detach()).exp()
        facts = {}
        if self.tis_clip is not None:
            gaps = began.detach() - behaviour
            if self.tis_level == "sequence":
                gaps = gaps.sum(1, keepdim=True).expand_as(gaps)
            weights = gaps.exp().clamp(max=self.tis_clip)
            losses = losses * weights
            facts["sampling/importance_sampling_ratio"] = (weights * mask).sum()
        if micro.reference is not None:
            divergence = self._divergence(logprobs - filled(micro.reference))
            facts["kl"] = (divergence.detach() * mask).sum()
            if self.needs_reference:
                losses = losses + self.beta * divergence
        loss = self.divided(losses * mask, mask, whole)
        if micro.entropy is not None:
            entropy = filled(micro.entropy)
            facts["entropy"] = entropy.detach().sum()
            if self.needs_entropy:
                means = entropy.sum(1) / lengths.squeeze(1)
                if self.entropy_floor is not None:
                    means = means.clamp(max=self.entropy_floor)
                loss = loss - self.entropy_coef * means.sum() / max(1, whole.sequences)
        return loss, facts | self._facts(ratios.detach(), advantages, (now - behaviour).abs(), mask)

    def _divergence(self, above: Any) -> Any:
        """The estimate of each token, from the log-probabilities (B, T) less those of the base."""
        match self.kl_estimator:
            case "k1":
                return above
            case "k2":
                return 0.5 * above**2
            case "k3":
                return (-above).clamp(-_FARTHEST, _FARTHEST).exp() - 1.0 + above

    def _facts(self, ratios: Any, advantages: Any, gaps: Any, mask: Any) -> dict[str, Any]:
        low, high = ((clipped * mask).sum() for clipped in self.is_clipped(ratios, advantages))
        return {
            "clip_ratio/low": low,
            "clip_ratio/high": high,
            "clip_ratio/region": low + high,
            "ratio": (ratios * mask).sum(),
            "ratio_max": (ratios * mask).max(),
            "sampling/sampling_logp_difference": (gaps * mask).sum(),
            "sampling/sampling_logp_difference_max": (gaps * mask).max(),
        }


class Clipped(Surrogate):
    """The pessimistic objective of PPO: min(ratio A, clip(ratio, 1 - epsilon, 1 + epsilon_high) A).

    Attributes:
        epsilon, epsilon_high: how far the ratio may fall and rise before it gains nothing any more.
        delta: the ratio is cut to this where the advantage is negative, too, which bounds the gradient there
            (two-sided clipping, INTELLECT-2, 2025, arXiv:2505.07291); None for no bound. Above 1 + `epsilon_high`.
    """

    epsilon: float = Field(default=0.2, gt=0.0, lt=1.0)
    epsilon_high: float = Field(default=0.2, gt=0.0, allow_inf_nan=False)
    delta: float | None = Field(default=None, allow_inf_nan=False)

    @model_validator(mode="after")
    def _cuts_beyond_the_clip(self) -> Self:
        if self.delta is not None and self.delta <= 1.0 + self.epsilon_high:
            raise ValueError(f"expected delta above 1 + epsilon_high = {1.0 + self.epsilon_high:g}, got {self.delta:g}")
        return self

    def objective(self, ratios: Any, advantages: Any, logprobs: Any) -> Any:  # noqa: ARG002
        clipped = ratios.clamp(1.0 - self.epsilon, 1.0 + self.epsilon_high)
        if self.delta is not None:
            ratios = ratios.clamp(max=self.delta)
        return (ratios * advantages).minimum(clipped * advantages)

    def is_clipped(self, ratios: Any, advantages: Any) -> tuple[Any, Any]:
        low = (ratios < 1.0 - self.epsilon) & (advantages < 0.0)
        return low, (ratios > 1.0 + self.epsilon_high) & (advantages > 0.0)


def _least_before(values: Any) -> Any:
    """Of each row (B, T), the smallest of 0 and the values before each one."""
    shifted = values.roll(1, 1)
    shifted[:, 0] = 0.0
    return shifted.cummin(1).values


def by_sequence(losses: Any, mask: Any, whole: Whole) -> Any:
    """The mean over the sequences of the mean over each one's tokens."""
    return (losses.sum(1) / mask.sum(1).clamp(min=1.0)).sum() / max(1, whole.sequences)


def by_token(losses: Any, whole: Whole) -> Any:
    """The mean over all tokens."""
    return losses.sum() / max(1, whole.tokens)
