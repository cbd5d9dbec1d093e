"""The interface of gates."""

from __future__ import annotations

from abc import ABC
from collections.abc import Generator
from typing import Any, TypeAlias

from evoengine.component import Component
from evoengine.types import Answer, Content, Draft, Failed, Record, Request

Examination: TypeAlias = Generator[Request, Answer, Failed | None]
"""Yields what it wants to know, is sent the answers, returns why the child is refused, or None."""


class Gate(Component, ABC):
    """Refuses children that are not worth an evaluation. Its state is a fold over the records of a campaign.

    A gate may look in two ways, and leaves out the one that it does not need. `refusal` follows from the records
    taken in and from nothing else, and must be *monotone*: what is refused after some records is refused after more.
    It is asked when the child is there, so that nothing is paid for, and once more when its record is made, so that
    the log does not depend on what happened to finish first. `examine` may look at the draft, at older records and
    at a model's opinion; it is asked once, after `refusal`.
    """

    def open(self) -> None:
        """Makes its state that of no records."""

    def take(self, record: Record) -> None:
        """Takes in the next record."""

    def refusal(self, child: Content) -> Failed | None:  # noqa: ARG002  # most gates have one of the two
        """Why a child is refused, by the records so far; under a millisecond at 100,000 of them."""
        return None

    def examine(self, child: Content, draft: Draft) -> Examination:  # noqa: ARG002
        """A conversation, without I/O, that returns why a child is refused, or None."""
        return None
        yield

    def most_tokens(self) -> int:
        """Tokens that an examination is paid with at most."""
        return 0

    def state(self) -> Any:
        """What a later `restore` needs, as a JSON value."""
        return None

    def restore(self, state: Any) -> None:
        """Takes up a `state`."""
