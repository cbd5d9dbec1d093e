"""Two-player poker games in sequence form (Koller, Megiddo and von Stengel 1996), small enough to be solved exactly."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

WIDTH = 3
"""Rows of an information set, one for each action that there may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """A poker game with an ante of 1 from both players.

    Attributes:
        ranks: how many different cards there are.
        suits: how many there are of each.
        bets: what a bet or a raise adds, by round; a public card is dealt before the second round.
        raises: the most bets and raises of a round.
    """

    ranks: int
    suits: int = 1
    bets: tuple[float, ...] = (1.0,)
    raises: int = 1


KUHN = Rules(ranks=3)
"""Kuhn 1950."""
LEDUC = Rules(ranks=3, suits=2, bets=(2.0, 4.0), raises=2)
"""Southey et al. 2005."""


@dataclass(frozen=True, slots=True)
class _Leaf:
    sequences: tuple[int, int]
    won: float
    """By the first player, times the chance of the cards."""


class Game:
    """A game as arrays. A row is an action of an information set: set i has the rows `WIDTH * i` and the next ones.

    Args:
        rules: what is played.
    """

    def __init__(self, rules: Rules) -> None:
        self._sets: tuple[dict[object, int], dict[object, int]] = ({}, {})
        self._parents: tuple[list[int], list[int]] = ([], [])
        self._legal: tuple[list[int], list[int]] = ([], [])
        leaves = list(self._played(rules))
        sizes = [WIDTH * len(sets) for sets in self._sets]
        self.payoff = np.zeros((sizes[0] + 1, sizes[1] + 1))
        """What the first player wins (R1 + 1, R2 + 1), by the last row of each; the last entry is "none yet"."""
        for leaf in leaves:
            self.payoff[leaf.sequences] += leaf.won
        self.sides = (
            Side(self._parents[0], self._legal[0], self.payoff),
            Side(self._parents[1], self._legal[1], -self.payoff.T),
        )
        """Of the first and the second player."""

    def exploitability(self, policies: tuple[Array, Array]) -> float:
        """What best responses win on average over both seats, in antes a hand; 0 for an equilibrium.

        Args:
            policies: the probability of each row, for each player.
        """
        first, second = self.sides
        one, two = (side.reach(policy) for side, policy in zip(self.sides, policies, strict=True))
        return max(0.0, (first.best_response(two) + second.best_response(one)) / 2.0)

    def _played(self, rules: Rules) -> Iterator[_Leaf]:
        cards = [rank for rank in range(rules.ranks) for _ in range(rules.suits)]
        deals: dict[tuple[int, ...], float] = defaultdict(float)
        for a, one in enumerate(cards):
            for b, two in enumerate(cards):
                publics = range(len(cards)) if len(rules.bets) > 1 else (-1,)
                for c in publics:
                    if a != b and c not in (a, b):
                        deals[(one, two, cards[c] if c >= 0 else -1)] += 1.0
        total = sum(deals.values())
        for deal, times in sorted(deals.items()):
            yield from self._betting(rules, deal, times / total, "", 0, (1.0, 1.0), (-1, -1))

    def _betting(
        self,
        rules: Rules,
        deal: tuple[int, ...],
        chance: float,
        said: str,
        turn: int,
        paid: tuple[float, float],
        at: tuple[int, int],
    ) -> Iterator[_Leaf]:
        """The leaves below a decision.

        Args:
            rules: of the game.
            deal: the cards of both, and the public one.
            chance: of the deal.
            said: the actions of both rounds, split by "/".
            turn: whose it is.
            paid: by each.
            at: the last row of each.
        """
        now = said.rpartition("/")[2]
        stage, raised = said.count("/"), now.count("r")
        owes = paid[1 - turn] > paid[turn]
        actions = ["c", *("r" if raised < rules.raises else ""), *("f" if owes else "")]
        public = deal[2] if stage else -1
        rows = self._rows(turn, (deal[turn], public, said), at[turn], len(actions))
        for row, action in zip(rows, actions, strict=False):
            after = (row, at[1]) if turn == 0 else (at[0], row)
            level = max(paid)
            match action:
                case "f":
                    yield _Leaf(after, chance * (paid[1] if turn == 1 else -paid[0]))
                case "r":
                    more = level + rules.bets[stage]
                    spent = (more, paid[1]) if turn == 0 else (paid[0], more)
                    yield from self._betting(rules, deal, chance, said + "r", 1 - turn, spent, after)
                case _ if not now:
                    yield from self._betting(rules, deal, chance, said + "c", 1 - turn, paid, after)
                case _ if stage + 1 < len(rules.bets):
                    yield from self._betting(rules, deal, chance, said + "c/", 0, (level, level), after)
                case _:
                    yield _Leaf(after, chance * level * _winner(deal))

    def _rows(self, player: int, known: object, parent: int, actions: int) -> range:
        sets = self._sets[player]
        if known not in sets:
            sets[known] = len(sets)
            self._parents[player].append(parent)
            self._legal[player].append(actions)
        return range(WIDTH * sets[known], WIDTH * sets[known] + WIDTH)


def _winner(deal: tuple[int, ...]) -> int:
    one, two = ((card == deal[2], card) for card in deal[:2])
    return (one > two) - (one < two)


class Side:
    """What one player needs to know of a game.

    Args:
        parents: by information set, the player's own row that leads there; -1 for none.
        actions: how many each set has.
        payoff: of this player (R + 1, R' + 1).
    """

    def __init__(self, parents: list[int], actions: list[int], payoff: Array) -> None:
        self.sets = len(parents)
        self.legal = (np.arange(WIDTH) < np.array(actions)[:, None]).astype(np.float64)
        """(S, W), 1 for a row that is an action and 0 for one that is none."""
        self._payoff = payoff
        depths: list[int] = []
        for parent in parents:
            depths.append(0 if parent < 0 else depths[parent // WIDTH] + 1)
        levels = [[k for k, depth in enumerate(depths) if depth == level] for level in range(max(depths) + 1)]
        rows = WIDTH * self.sets
        self._levels = [(np.array(sets), np.array([parents[k] % (rows + 1) for k in sets])) for sets in levels]

    def uniform(self) -> Array:
        """The policy (S, W) that takes every action alike."""
        policy: Array = self.legal / self.legal.sum(axis=1, keepdims=True)
        return policy

    def normalised(self, weights: Array) -> Array:
        """The policy (S, W) of weights that are not negative; uniform where a set's are all 0."""
        weights = weights * self.legal
        # divided first by the largest one, so that no sum overflows
        top = weights.max(axis=1, keepdims=True)
        scaled = np.divide(weights, top, out=np.zeros_like(weights), where=top > 0.0)
        total = scaled.sum(axis=1, keepdims=True)
        return np.where(total > 0.0, scaled / np.where(total > 0.0, total, 1.0), self.uniform())

    def reach(self, policy: Array) -> Array:
        """How probably the player alone would get to each row and take it (R + 1,); the last entry is 1."""
        found = np.zeros(WIDTH * self.sets + 1)
        found[-1] = 1.0
        rows = found[:-1].reshape(self.sets, WIDTH)
        for sets, parents in self._levels:
            rows[sets] = policy[sets] * found[parents][:, None]
        return found

    def regrets(self, policy: Array, other: Array) -> Array:
        """The counterfactual regret (S, W) of each action (Zinkevich et al. 2007, eq. 7, before the sum over time).

        Args:
            policy: (S, W).
            other: the reach of the opponent's rows.
        """
        values = self._payoff @ other
        rows = values[:-1].reshape(self.sets, WIDTH)
        expected = np.zeros(self.sets)
        for sets, parents in reversed(self._levels):
            expected[sets] = (policy[sets] * rows[sets]).sum(axis=1)
            np.add.at(values, parents, expected[sets])
        regret: Array = (rows - expected[:, None]) * self.legal
        return regret

    def best_response(self, other: Array) -> float:
        """What the best policy wins on average.

        Args:
            other: the reach of the opponent's rows.
        """
        values = self._payoff @ other
        rows = values[:-1].reshape(self.sets, WIDTH)
        for sets, parents in reversed(self._levels):
            best = np.where(self.legal[sets] > 0.0, rows[sets], -np.inf).max(axis=1)
            np.add.at(values, parents, best)
        return float(values[-1])
