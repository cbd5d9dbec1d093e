"""What language models are asked: templates that a person can replace, filled within a budget of tokens."""

from evoengine.prompts.chat import Chat
from evoengine.prompts.parts import Part, fitted, tokens_of
from evoengine.prompts.subject import Subject
from evoengine.prompts.templates import Templates

__all__ = ["Chat", "Part", "Subject", "Templates", "fitted", "tokens_of"]
