"""Operators: how a new candidate is made from old ones."""

from evoengine.operators.base import Conversation, NoChild, Operator

__all__ = ["Conversation", "NoChild", "Operator"]
