"""The interface of operators: a conversation without I/O."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator
from typing import ClassVar, TypeAlias

from evoengine.component import Component
from evoengine.types import Answer, Cause, Child, Content, Draft, Request

Conversation: TypeAlias = Generator[Request, Answer, Content | Child]
"""Yields what it wants to know, is sent the answers, returns the child."""


class NoChild(Exception):
    """Raised by `breed` when it ends without a child.

    Args:
        why: for people.
        cause: NO_CHANGE (nothing to change, or nothing changed) or UNDECODABLE (an answer without code).
    """

    def __init__(self, why: str, cause: Cause = Cause.NO_CHANGE) -> None:
        super().__init__(why)
        self.cause = cause


class Operator(Component, ABC):
    """Makes a child from a draft's parents. Has settings, no state, and does no I/O of its own.

    Attributes:
        speaks: whether it asks a language model, so that its drafts carry guidance, lessons and siblings.
    """

    speaks: ClassVar[bool] = False

    def arms(self) -> tuple[str, ...]:
        """Names of the ways in which it can work; the campaign's bandit chooses among them."""
        return ("",)

    def most_calls(self, arm: str) -> int:  # noqa: ARG002  # most have one answer for all their arms
        """Judged calls that a conversation under an arm is paid with at most; the child's own are not counted."""
        return 0

    def most_tokens(self, arm: str) -> int:  # noqa: ARG002
        """Tokens that a conversation under an arm is paid with at most, read and written."""
        return 0

    @abstractmethod
    def breed(self, draft: Draft) -> Conversation:
        """A conversation that returns the child's content.

        Everything random is drawn from `draft.rng`.

        Raises:
            NoChild: there is none.
        """
