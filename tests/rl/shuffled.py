"""An advantage estimator for a control: every rollout is given the credit of another one of its group."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from evoengine.rl.advantage import Advantage, Advantages, Returns
from plugins.advantages.grpo import Grpo


class Shuffled(Advantage):
    """GRPO on rewards that were shuffled within their group."""

    def estimated(self, groups: Sequence[Returns]) -> list[Advantages]:
        rng = random.Random(repr([group.rewards.tolist() for group in groups]))
        shuffled = []
        for group in groups:
            places = list(range(len(group.rewards)))
            rng.shuffle(places)
            shuffled.append(replace(group, rewards=group.rewards[places]))
        return Grpo().estimated(shuffled)
