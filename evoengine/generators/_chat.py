"""Between messages and tokens: what the generators have in common that hold the model themselves, and some more."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

_T = TypeVar("_T")


class Told(NamedTuple):
    """A model's text, taken apart."""

    text: str
    thinking: str


def answer_of(text: str, marks: tuple[str, str], inside: bool | None = False) -> Told:
    """The answer, and what was thought before it.

    Thinking that never ends (the model was cut off) leaves an empty answer: half a thought must not be taken for a
    program.

    Args:
        text: what the model wrote.
        marks: what begins and what ends its thinking.
        inside: whether the text begins inside the thinking; None where that is not known, and a closing mark
            without an opening one is then taken to mean that it did.
    """
    begins, ends = marks
    before, found, after = text.partition(begins)
    if found and not before.strip():
        thought, closed, answer = after.partition(ends)
    elif inside or (inside is None and ends in text and begins not in text.partition(ends)[0]):
        thought, closed, answer = text.partition(ends)
    else:
        return Told(text=text, thinking="")
    return Told(text=answer.lstrip("\n") if closed else "", thinking=thought.strip())


def folded(messages: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """The messages with what the system says put before the first question, for models that know no such role."""
    system = "\n\n".join(message["content"] for message in messages if message["role"] == "system")
    rest = [dict(message) for message in messages if message["role"] != "system"]
    if system and rest:
        rest[0]["content"] = f"{system}\n\n{rest[0]['content']}"
    return rest or [{"role": "user", "content": system}]


def written(tokenizer: Any, messages: Sequence[Mapping[str, str]], variables: Mapping[str, Any], system: bool) -> str:
    """The messages as one text that the model goes on with.

    Args:
        tokenizer: of transformers. One without a chat template is a base model's: it gets the contents under
            headings.
        messages: of the prompt.
        variables: for the chat template.
        system: whether the model takes a system message.
    """
    if not getattr(tokenizer, "chat_template", None):
        parts = [f"### {message['role'].capitalize()}\n{message['content']}\n\n" for message in messages]
        return "".join(parts) + "### Assistant\n"
    plain = [dict(message) for message in messages] if system else folded(messages)
    text: str = tokenizer.apply_chat_template(plain, tokenize=False, add_generation_prompt=True, **variables)
    return text


def ids_of(tokenizer: Any, text: str) -> list[int]:
    """The token ids (T,) of a written prompt. A chat template writes the model's first token itself."""
    templated = bool(getattr(tokenizer, "chat_template", None))
    ids: list[int] = tokenizer(text, add_special_tokens=not templated)["input_ids"]
    return ids


async def together(work: Sequence[Coroutine[Any, Any, _T]]) -> list[_T]:
    """What all of them return; when one fails or the caller is cancelled, the others are cancelled too."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        for task in tasks:
            task.cancel()
