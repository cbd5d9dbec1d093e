"""What is known of models by their names, and how their thinking is told from their answers."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evoengine.generators._chat import answer_of, folded, written
from evoengine.generators.presets import OTHER, PRESETS, Sampling, preset_of
from evoengine.plugins import plugins

MARKS = ("<think>", "</think>")
plain = st.text(alphabet="ab <>/\n")


@pytest.mark.parametrize(
    ("model", "family"),
    [
        ("Qwen/Qwen3-8B", "Qwen3"),
        ("Qwen/Qwen3-30B-A3B-FP8", "Qwen3"),
        ("/models/Qwen3-0.6B/", "Qwen3"),
        ("Qwen/Qwen3-8B-Base", "Qwen3, base"),
        ("Qwen/Qwen3-Coder-30B-A3B-Instruct", "Qwen3-Coder"),
        ("Qwen/Qwen3-4B-Instruct-2507", "Qwen3 2507, instruct"),
        ("Qwen/Qwen3-4B-Thinking-2507", "Qwen3 2507, thinking"),
        ("Qwen/Qwen2.5-Coder-7B-Instruct-AWQ", "Qwen2.5-Coder, instruct"),
        ("deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", "DeepSeek-R1 and its distillates"),
        ("deepseek-ai/DeepSeek-Coder-V2-Lite-Instruct", "DeepSeek-Coder-V2"),
        ("openai/gpt-oss-20b", "gpt-oss"),
        ("mistralai/Devstral-Small-2507", "Devstral Small 1"),
        ("mistralai/Devstral-Small-2-24B-Instruct-2512", "Devstral 2"),
        ("google/gemma-3-27b-it", "Gemma 3"),
        ("meta-llama/Llama-3.1-8B-Instruct", "Llama 3.1 to 3.3"),
        ("meta-llama/Llama-3.3-70B-Instruct", "Llama 3.1 to 3.3"),
        ("zai-org/GLM-4.6-FP8", "GLM-4.6"),
        ("zai-org/GLM-4.5-Air", "GLM-4.5"),
        ("ByteDance-Seed/Seed-Coder-8B-Instruct", "Seed-Coder, instruct"),
        ("ByteDance-Seed/Seed-Coder-8B-Reasoning", "Seed-Coder, reasoning"),
        ("bigcode/starcoder2-15b-instruct-v0.1", "StarCoder2, instruct"),
        ("gpt-4o", "other"),
        ("Qwen3-8B/checkpoint-7", "other"),
    ],
)
def test_a_model_is_known_by_its_name(model: str, family: str) -> None:
    assert preset_of(model).family == family


def test_every_preset_says_where_its_figures_are_from_and_can_be_found() -> None:
    assert len({preset.family for preset in PRESETS}) == len(PRESETS)
    for preset in PRESETS:
        assert preset.source
        re.compile(preset.pattern)
        assert preset.thinks is not None or preset.thinking == Sampling()


def test_thinking_is_switched_where_the_model_can_be_told_and_sampled_accordingly() -> None:
    qwen = preset_of("Qwen/Qwen3-8B")
    assert (qwen.template(None), qwen.template(False)) == ({}, {"enable_thinking": False})
    assert qwen.sampling(None) == qwen.sampling(True) == qwen.thinking != qwen.plain == qwen.sampling(False)
    always = preset_of("Qwen3-4B-Thinking-2507")
    assert always.template(False) == {}
    assert always.sampling(False) == always.thinking
    assert (always.begins_inside(False), qwen.begins_inside(True)) == (True, False)
    assert preset_of("gpt-oss-20b").template(False) == {"reasoning_effort": "low"}
    assert preset_of("Qwen3-Coder-30B-A3B-Instruct").template(True) == {}
    assert OTHER.template(True) == {"enable_thinking": True}


def test_what_is_set_wins_and_what_is_open_is_filled_in() -> None:
    mine, theirs = Sampling(temperature=0.0, top_k=0), Sampling(temperature=0.6, top_p=0.9, top_k=20)
    assert mine.over(theirs) == Sampling(temperature=0.0, top_p=0.9, top_k=0)


def test_presets_are_no_plugin() -> None:
    names = {plugin.name for plugin in plugins("generators")}
    assert "presets" not in names
    assert {"vllm", "transformers", "openai"} <= names


@given(plain, plain)
def test_thinking_is_kept_apart_from_the_answer(thought: str, answer: str) -> None:
    told = answer_of(f"\n<think>{thought}</think>\n\n{answer}", MARKS)
    assert (told.thinking, told.text) == (thought.strip(), answer.lstrip("\n"))
    assert answer_of(f"{thought}</think>{answer}", MARKS, inside=True) == told


@given(plain)
def test_thinking_that_never_ends_leaves_no_answer(thought: str) -> None:
    assert answer_of(f"<think>{thought}", MARKS) == ("", thought.strip())
    assert answer_of(thought, MARKS, inside=True) == ("", thought.strip())


@given(plain)
def test_an_answer_without_thinking_stays_as_it_is(answer: str) -> None:
    assert answer_of(answer, MARKS) == (answer, "")
    assert answer_of(f"x = '</think>'{answer}", MARKS).text == f"x = '</think>'{answer}"


def test_where_it_is_not_known_a_closing_mark_alone_ends_a_thought() -> None:
    assert answer_of("hm</think>\nyes", MARKS, inside=None) == ("yes", "hm")
    assert answer_of("no marks", MARKS, inside=None) == ("no marks", "")
    code = "print('<think>')  # and </think>"
    assert answer_of(code, MARKS, inside=None) == (code, "")


def test_channels_are_marks_too() -> None:
    marks = preset_of("gpt-oss-20b").marks
    text = "<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>yes"
    assert answer_of(text, marks).text == "yes"
    assert answer_of("<|channel|>final<|message|>yes", marks, inside=None) == ("yes", "")
    assert answer_of("<|channel|>analysis<|message|>hm", marks).text == ""


class Templated:
    """A tokenizer as far as templates go."""

    chat_template = "a template"

    def apply_chat_template(self, messages: list[dict[str, str]], **variables: object) -> str:
        return f"{[message['role'] for message in messages]} {messages[0]['content']} {variables}"


class Plain:
    chat_template = None


TALK = ({"role": "system", "content": "S"}, {"role": "user", "content": "Q"})


def test_a_system_message_is_put_before_the_question_of_models_that_know_none() -> None:
    assert folded(TALK) == [{"role": "user", "content": "S\n\nQ"}]
    assert folded(TALK[:1]) == [{"role": "user", "content": "S"}]
    assert folded(TALK[1:]) == [{"role": "user", "content": "Q"}]
    assert written(Templated(), TALK, {}, system=False).startswith("['user'] S\n\nQ")


def test_the_template_is_told_its_variables_and_writes_the_beginning_of_the_answer() -> None:
    text = written(Templated(), TALK, {"enable_thinking": False}, system=True)
    assert text == "['system', 'user'] S {'tokenize': False, 'add_generation_prompt': True, 'enable_thinking': False}"


def test_a_base_model_gets_headings() -> None:
    assert written(Plain(), TALK, {}, system=True) == "### System\nS\n\n### User\nQ\n\n### Assistant\n"
