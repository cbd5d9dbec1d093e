"""Exponential weights at a given divergence from the uniform distribution."""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import numpy as np

from evoengine.rl.reward import Array

_MARGIN = 1e-3
"""Nats by which a divergence has to be within reach: the sharpness runs to infinity as it is approached."""

_TIE = 1e-12
"""Share of the range within which rewards are equal: rounding must not decide who is best."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tilt:
    """Exponential weights, and how sharp they are.

    Attributes:
        weights: (n,), exp(beta (r - max r)): 1 for the best.
        beta: in units of 1 over those of the reward.
    """

    weights: Array
    beta: float


def tilted(rewards: Array, divergence: float) -> Tilt | None:
    """The weights whose shares lie `divergence` nats (KL) from the uniform distribution over the rewards (n,).

    None where no finite `beta` does it with something to spare: with m best ones the divergence stays below
    ln(n / m).
    """
    below = rewards - rewards.max()
    reach = float(-below.min())
    if reach == 0.0:
        return None
    below = below / reach  # so that the search does not depend on the scale
    below[below > -_TIE] = 0.0
    if log(len(rewards) / np.count_nonzero(below == 0.0)) <= divergence + _MARGIN:
        return None
    low, high = 0.0, 1.0
    while _divergence(np.exp(high * below)) < divergence:
        low, high = high, 2.0 * high
    for _ in range(80):
        middle = 0.5 * (low + high)
        if _divergence(np.exp(middle * below)) < divergence:
            low = middle
        else:
            high = middle
    with np.errstate(over="ignore"):
        beta = float(np.nan_to_num(np.float64(high) / reach))
    return Tilt(weights=np.exp(high * below), beta=beta)


def _divergence(weights: Array) -> float:
    """KL(q, uniform), q the shares of the weights; a share of 0 adds nothing."""
    shares = weights / weights.sum()
    some = shares[shares > 0.0]
    return float((some * np.log(some * len(shares))).sum())
