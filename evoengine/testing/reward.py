"""What every reward shaper must show."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from evoengine.rl.reward import Reward, Scores
from evoengine.testing._laws import INHERITED

_score = st.floats(allow_nan=False, allow_infinity=False) | st.floats(-2, 2) | st.sampled_from([0.0, 0.5, 1.0])


@st.composite
def scores(draw: st.DrawFn, size: int = 12) -> Scores:
    """The scores of a group; any finite floats."""
    parent = draw(_score)
    shown = [parent, *draw(st.lists(_score, max_size=4))]
    return scores_of(draw(st.lists(_score, min_size=1, max_size=size)), parent=parent, shown=shown)


def scores_of(children: Sequence[float], *, parent: float, shown: Sequence[float] = ()) -> Scores:
    """The scores of a group; the parent alone is shown where nothing else is said."""
    return Scores(children=np.array(children, dtype=float), parent=parent, shown=np.array(shown or [parent]))


class RewardContract:
    """What every reward shaper must show. Needs a fixture `reward`."""

    @settings(deadline=None, suppress_health_check=INHERITED)
    @given(one=scores())
    def test_finite_scores_have_finite_rewards(self, reward: Reward, one: Scores) -> None:
        found = reward.of(one)
        assert found.shape == one.children.shape
        assert found.dtype == np.float64
        assert np.isfinite(found).all()

    @settings(deadline=None, suppress_health_check=INHERITED)
    @given(one=scores())
    def test_a_higher_score_is_never_worth_less(self, reward: Reward, one: Scores) -> None:
        found = reward.of(one)
        for place, score in enumerate(one.children):
            assert (found[one.children >= score] >= found[place]).all()

    @settings(deadline=None, suppress_health_check=INHERITED)
    @given(one=scores(), random=st.randoms(use_true_random=False))
    def test_the_order_of_the_children_does_not_matter(self, reward: Reward, one: Scores, random: Random) -> None:
        order = np.array(random.sample(range(len(one.children)), len(one.children)))
        other = Scores(children=one.children[order], parent=one.parent, shown=one.shown)
        assert (reward.of(other) == reward.of(one)[order]).all()

    @settings(deadline=None, suppress_health_check=INHERITED)
    @given(one=scores())
    def test_the_scores_are_left_as_they_are(self, reward: Reward, one: Scores) -> None:
        children, shown = one.children.copy(), one.shown.copy()
        found = reward.of(one)
        found += 1.0  # what is given belongs to the caller
        assert (one.children == children).all()
        assert (one.shown == shown).all()
