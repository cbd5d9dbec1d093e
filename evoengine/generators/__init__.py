"""Generators: language models that answer operators' prompts."""

from evoengine.generators.base import Generator

__all__ = ["Generator"]
