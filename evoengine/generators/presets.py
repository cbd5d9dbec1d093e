"""What is known of widely used open code models, so that a model's name is all that a person has to say.

`preset_of` finds a model's preset by its name. What the user sets wins over the preset, and the preset over the
`generation_config.json` that comes with the model. The figures are those that the models' own makers publish; where
none was found the preset leaves it open, and the model's own file or the server's default holds. Repetition penalties
that some cards advise are left out on purpose: they punish every token of the prompt, and what an operator asks for
is most often the prompt's program with a few changes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How the next token is drawn; None where it is left open."""

    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None

    def over(self, other: Sampling) -> Sampling:
        """These settings, and the other's where these leave something open."""
        return Sampling(
            temperature=other.temperature if self.temperature is None else self.temperature,
            top_p=other.top_p if self.top_p is None else self.top_p,
            top_k=other.top_k if self.top_k is None else self.top_k,
            min_p=other.min_p if self.min_p is None else self.min_p,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A family of models.

    Attributes:
        family: its name, for people.
        pattern: a regular expression that is searched in the last part of a model's name, in lower case.
        source: where the figures are from.
        context: the longest prompt and answer together that the model was made for, in tokens.
        thinks: whether it thinks before it answers, unless told otherwise; None where it never does.
        switch: the chat template's variable that turns thinking on and off, where it has one.
        plain: sampling where it does not think.
        thinking: sampling where it thinks.
        marks: what begins and what ends its thinking.
        opens: whether the chat template itself writes the first of the marks, so that the answer lacks it.
        special: whether the marks are made of special tokens, which decoding otherwise leaves out.
        system: whether it takes a message of the role "system"; where not, its text is put before the first question.
        stop: strings that end its answer, beside its end-of-sequence tokens.
        effort: the chat template's variable for how long it thinks, and its words for off and on; for models
            whose thinking can only be shortened.
    """

    family: str
    pattern: str
    source: str
    context: int | None = None
    thinks: bool | None = None
    switch: str | None = None
    plain: Sampling = field(default_factory=Sampling)
    thinking: Sampling = field(default_factory=Sampling)
    marks: tuple[str, str] = ("<think>", "</think>")
    opens: bool = False
    special: bool = False
    system: bool = True
    stop: tuple[str, ...] = ()
    effort: tuple[str, str, str] | None = None

    def sampling(self, thinking: bool | None) -> Sampling:
        """How it is sampled when thinking is turned on, off, or left as it is (None)."""
        return self.thinking if self._thinks(thinking) else self.plain

    def template(self, thinking: bool | None) -> dict[str, bool | str]:
        """Variables for its chat template."""
        if thinking is None:
            return {}
        if self.effort is not None:
            name, off, on = self.effort
            return {name: on if thinking else off}
        return {} if self.switch is None else {self.switch: thinking}

    def begins_inside(self, thinking: bool | None) -> bool:
        """Whether an answer begins inside its thinking, without the mark that opens it."""
        return self.opens and self._thinks(thinking)

    def _thinks(self, thinking: bool | None) -> bool:
        if self.thinks is None:
            return False
        can_be_told = self.switch is not None
        return thinking if thinking is not None and can_be_told else self.thinks


OTHER = Preset(family="other", pattern="", source="nothing is known of it", switch="enable_thinking")
"""For a model that no preset names. Its thinking is recognised by the usual marks, and turned on and off by the
variable that most templates use; templates ignore variables that they do not know."""

_QWEN3 = Sampling(temperature=0.7, top_p=0.8, top_k=20, min_p=0.0)
_QWEN3_THINKING = Sampling(temperature=0.6, top_p=0.95, top_k=20, min_p=0.0)

PRESETS: tuple[Preset, ...] = (
    Preset(
        family="Qwen3-Coder",
        pattern=r"qwen3-coder",
        source="https://huggingface.co/Qwen/Qwen3-Coder-30B-A3B-Instruct, Best Practices",
        context=262144,
        plain=Sampling(temperature=0.7, top_p=0.8, top_k=20),
    ),
    Preset(
        family="Qwen3 2507, instruct",
        pattern=r"qwen3-.*instruct-2507",
        source="https://huggingface.co/Qwen/Qwen3-30B-A3B-Instruct-2507, Best Practices",
        context=262144,
        plain=_QWEN3,
    ),
    Preset(
        family="Qwen3 2507, thinking",
        pattern=r"qwen3-.*thinking-2507",
        source="https://huggingface.co/Qwen/Qwen3-30B-A3B-Thinking-2507, Best Practices",
        context=262144,
        thinks=True,
        thinking=_QWEN3_THINKING,
        opens=True,
    ),
    Preset(
        family="Qwen3, base",
        pattern=r"qwen3-.*base",
        source="https://huggingface.co/Qwen/Qwen3-8B-Base: no advice on sampling",
    ),
    Preset(
        family="Qwen3",
        pattern=r"qwen3-[0-9.]+b",
        source="https://huggingface.co/Qwen/Qwen3-8B, Best Practices",
        context=32768,
        thinks=True,
        switch="enable_thinking",
        plain=_QWEN3,
        thinking=_QWEN3_THINKING,
    ),
    Preset(
        family="Qwen2.5-Coder, instruct",
        pattern=r"qwen2\.5-coder-.*instruct",
        source="generation_config.json of https://huggingface.co/Qwen/Qwen2.5-Coder-32B-Instruct",
        plain=Sampling(temperature=0.7, top_p=0.8, top_k=20),
    ),
    Preset(
        family="DeepSeek-R1 and its distillates",
        pattern=r"deepseek-r1",
        source="https://github.com/deepseek-ai/DeepSeek-R1, Usage Recommendations: temperature 0.5 to 0.7, no system "
        "prompt",
        thinks=True,
        thinking=Sampling(temperature=0.6),
        opens=True,
        system=False,
    ),
    Preset(
        family="DeepSeek-Coder-V2",
        pattern=r"deepseek-coder-v2",
        source="https://github.com/deepseek-ai/DeepSeek-Coder-V2, Model Downloads: no advice on sampling",
        context=131072,
    ),
    Preset(
        family="gpt-oss",
        pattern=r"gpt-oss",
        source="https://github.com/openai/gpt-oss, Recommended sampling parameters; context: "
        "https://developer.mittwald.de/docs/v2/platform/aihosting/models/gpt-oss-120b",
        context=131072,
        thinks=True,
        effort=("reasoning_effort", "low", "high"),
        thinking=Sampling(temperature=1.0, top_p=1.0),
        marks=("<|channel|>analysis<|message|>", "<|channel|>final<|message|>"),
        special=True,
    ),
    Preset(
        family="Devstral 2",
        pattern=r"devstral-small-2-|devstral-2",
        source="https://developer.mittwald.de/docs/v2/platform/aihosting/models/devstral-small-2-24b-instruct-2512: "
        "the context; its sampling is that of a host, not of the maker, and left out",
        context=262144,
    ),
    Preset(
        family="Devstral Small 1",
        pattern=r"devstral-small",
        source="https://routerai.ru/models/mistralai/devstral-small: the context; no advice on sampling found",
        context=131072,
    ),
    Preset(
        family="Gemma 3",
        pattern=r"gemma-3-(4|12|27)b",
        source="the Gemma team, as told by Unsloth's guide 'Gemma 3: how to run'",
        plain=Sampling(temperature=1.0, top_p=0.95, top_k=64, min_p=0.0),
    ),
    Preset(
        family="Llama 3.1 to 3.3",
        pattern=r"llama-3\.[1-3]-",
        source="model card of https://huggingface.co/meta-llama/Llama-3.1-8B-Instruct: context 128k, no advice on "
        "sampling",
        context=131072,
    ),
    Preset(
        family="GLM-4.6",
        pattern=r"glm-4\.6",
        source="https://huggingface.co/zai-org/GLM-4.6: temperature 1.0, for code top_p 0.95 and top_k 40; "
        "context 200K",
        context=200_000,
        thinks=True,
        switch="enable_thinking",
        plain=Sampling(temperature=1.0, top_p=0.95, top_k=40),
        thinking=Sampling(temperature=1.0, top_p=0.95, top_k=40),
    ),
    Preset(
        family="GLM-4.5",
        pattern=r"glm-4\.5",
        source="https://huggingface.co/zai-org/GLM-4.6: context of its predecessor 128K; no advice on sampling found",
        context=131072,
        thinks=True,
        switch="enable_thinking",
    ),
    Preset(
        family="Seed-Coder, reasoning",
        pattern=r"seed-coder-.*reasoning",
        source="https://github.com/ByteDance-Seed/Seed-Coder, Model Downloads: 64K; no advice on sampling found",
        context=65536,
        thinks=True,
    ),
    Preset(
        family="Seed-Coder, instruct",
        pattern=r"seed-coder-.*instruct",
        source="https://github.com/ByteDance-Seed/Seed-Coder, Model Downloads: 32K; no advice on sampling found",
        context=32768,
    ),
    Preset(
        family="StarCoder2, instruct",
        pattern=r"starcoder2-.*instruct",
        source="model card of https://huggingface.co/bigcode/starcoder2-15b-instruct-v0.1: single turn, ends at ###; "
        "the stop here is longer, as three hashes may begin a comment",
        system=False,
        stop=("\n### Instruction",),
    ),
)


def preset_of(model: str) -> Preset:
    """The first preset whose pattern is in a model's name (or the name of its folder); else `OTHER`."""
    name = model.rstrip("/").rpartition("/")[2].lower()
    return next((preset for preset in PRESETS if re.search(preset.pattern, name)), OTHER)
