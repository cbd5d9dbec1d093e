"""The transformers generator against plain forward passes of the same model."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from math import exp
from pathlib import Path
from typing import Any

import pytest

from evoengine import Campaign
from evoengine.errors import GeneratorError, NoAnswer
from evoengine.operators.base import Conversation, Operator
from evoengine.types import Completion, Draft, Program, Prompt
from plugins.generators.replay import Replay
from plugins.generators.transformers import Transformers
from tests.models import CONTEXT, Reference, Tiny, tiny

pytestmark = [pytest.mark.timeout(120), pytest.mark.slow]


def prompt(text: str, **settings: Any) -> Prompt:
    return Prompt(messages=({"role": "user", "content": text},), **{"max_tokens": 16, **settings})


@pytest.fixture(scope="module")
def made() -> Tiny:
    return tiny()


@pytest.fixture(scope="module")
def reference(made: Tiny) -> Reference:
    return Reference(made)


def generator(made: Tiny, **settings: Any) -> Transformers:
    given = {"model": made.model, "dtype": "float32", "device": "cpu", "logprobs": True}
    return Transformers(**{**given, **settings})


def within(opened: Transformers, work: Callable[[Transformers], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        async with asyncio.timeout(90), opened:
            return await work(opened)

    return asyncio.run(run())


def asked(opened: Transformers, *prompts: Prompt, n: int = 1) -> list[Completion]:
    async def work(model: Transformers) -> list[Completion]:
        found = await asyncio.gather(*(model.sample(one, n) for one in prompts))
        return [one for several in found for one in several]

    found: list[Completion] = within(opened, work)
    return found


def test_greedy_tokens_and_log_probabilities_are_those_of_a_plain_forward_pass(
    made: Tiny, reference: Reference
) -> None:
    texts = ["a", "a rather longer question than the others", "bb b", "print(1)"]
    found = asked(generator(made), *(prompt(text, temperature=0.0) for text in texts))
    for text, one in zip(texts, found, strict=True):
        assert list(one.token_ids) == reference.greedy(text, 16)
        assert one.logprobs == pytest.approx(reference.logprobs(text, list(one.token_ids)), abs=1e-3)
        assert (one.policy, one.prompt_tokens, one.tokens) == (made.model, len(reference.ids(text)), len(one.token_ids))


def test_a_completion_does_not_depend_on_its_company(made: Tiny) -> None:
    prompts = [prompt(f"question {'x' * k}", seed=k, temperature=1.0, max_tokens=4 + k) for k in range(12)]
    together = asked(generator(made, batch=12), *prompts)
    alone = asked(generator(made, batch=1), *prompts)
    assert [one.token_ids for one in together] == [one.token_ids for one in alone]
    assert [one.tokens for one in together] == [min(4 + k, one.tokens) for k, one in enumerate(together)]


def test_completion_k_of_several_is_that_of_seed_plus_k(made: Tiny) -> None:
    several = asked(generator(made), prompt("hello", seed=7, temperature=1.0), n=4)
    alone = asked(generator(made), *(prompt("hello", seed=7 + k, temperature=1.0) for k in range(4)))
    assert [one.token_ids for one in several] == [one.token_ids for one in alone]
    assert len({one.token_ids for one in several}) == 4


def test_tokens_are_drawn_as_often_as_the_model_says(made: Tiny, reference: Reference) -> None:
    count = 800
    prompts = [prompt("draw", seed=seed, temperature=0.5, max_tokens=1) for seed in range(count)]
    found = Counter(one.token_ids[0] for one in asked(generator(made, batch=200, top_k=3), *prompts))
    first = [(token, exp(2 * reference.logprobs("draw", [token])[0])) for token in range(1024)]
    best = sorted(first, key=lambda one: -one[1])[:3]
    total = sum(share for _, share in best)
    assert set(found) <= {token for token, _ in best}
    for token, share in best:
        assert found[token] / count == pytest.approx(share / total, abs=0.07)  # four standard deviations


@pytest.mark.parametrize("settings", [{"top_p": 1e-6}, {"min_p": 1.0}, {"top_k": 1}, {"temperature": 0.0}])
def test_each_filter_leaves_the_likeliest_token(made: Tiny, reference: Reference, settings: dict[str, Any]) -> None:
    [found] = asked(generator(made, **{"temperature": 1.0, **settings}), prompt("narrow", seed=1))
    assert list(found.token_ids) == reference.greedy("narrow", 16)


def test_adapters_answer_by_name_and_a_loaded_one_takes_over(made: Tiny, reference: Reference) -> None:
    async def work(model: Transformers) -> None:
        policies = (None, "upper", made.model, "lower")
        found = await asyncio.gather(
            *(model.sample(prompt("mixed", policy=policy, temperature=0.0)) for policy in policies)
        )
        expected = [reference.greedy("mixed", 16, adapter) for adapter in ("upper", "upper", None, "lower")]
        assert [list(one.token_ids) for [one] in found] == expected
        assert [one.policy for [one] in found] == ["upper", "upper", made.model, "lower"]
        for step, adapter in enumerate(("lower", "upper", "lower")):
            await model.load(f"step-{step}", made.adapters[adapter])
            [one] = await model.sample(prompt("mixed", temperature=0.0))
            assert (one.policy, list(one.token_ids)) == (f"step-{step}", reference.greedy("mixed", 16, adapter))
        with pytest.raises(GeneratorError, match=r"'step-0'; there are: .*upper, lower, step-1, step-2"):
            await model.sample(prompt("mixed", policy="step-0"))
        with pytest.raises(GeneratorError, match="loaded before"):
            await model.load("step-2", made.adapters["upper"])
        assert model.policy == "step-2"

    within(generator(made, policies=made.adapters, initial="upper"), work)


def test_the_first_adapter_may_come_late(made: Tiny, reference: Reference) -> None:
    async def work(model: Transformers) -> None:
        await model.load("late", made.adapters["lower"])
        [late] = await model.sample(prompt("mixed", temperature=0.0))
        [base] = await model.sample(prompt("mixed", temperature=0.0, policy=made.model))
        assert list(late.token_ids) == reference.greedy("mixed", 16, "lower")
        assert list(base.token_ids) == reference.greedy("mixed", 16)

    within(generator(made), work)


def test_stop_strings_end_an_answer_before_themselves(made: Tiny) -> None:
    [whole] = asked(generator(made), prompt("stop", seed=1, temperature=1.0))
    stop = whole.text[5:8]
    [cut, default] = [
        *asked(generator(made), prompt("stop", seed=1, temperature=1.0, stop=("never seen", stop))),
        *asked(generator(made, stop=(stop,)), prompt("stop", seed=1, temperature=1.0)),
    ]
    assert (cut.text, cut.finish) == (whole.text[: whole.text.index(stop)], "stop")
    assert cut.tokens < whole.tokens
    assert default.text == cut.text


def test_cancelled_prompts_leave_the_batch(made: Tiny) -> None:
    async def work(model: Transformers) -> None:
        endless = [asyncio.create_task(model.sample(prompt("on", seed=k, max_tokens=900))) for k in range(4)]
        await asyncio.sleep(0.2)
        for task in endless:
            task.cancel()
        ends = await asyncio.gather(*endless, return_exceptions=True)
        assert all(isinstance(end, asyncio.CancelledError) for end in ends)
        await model.sample(prompt("next", max_tokens=2))
        assert not model._weights.asking.total()
        assert not model._waiting

    within(generator(made), work)


def test_closing_does_not_wait_for_long_answers(made: Tiny) -> None:
    async def work(model: Transformers) -> asyncio.Task[list[Completion]]:
        task = asyncio.create_task(model.sample(prompt("on", max_tokens=900), n=8))
        await asyncio.sleep(0.1)
        return task

    async def run() -> None:
        async with generator(made) as model:
            task = await work(model)
        assert task.cancelled() or await asyncio.wait({task}, timeout=5)
        assert task.done()

    asyncio.run(run())


def test_a_prompt_that_is_too_long_costs_only_itself(made: Tiny) -> None:
    async def work(model: Transformers) -> None:
        with pytest.raises(NoAnswer, match=rf"has \d+ tokens, and the model takes {CONTEXT}"):
            await model.sample(prompt("long " * CONTEXT))
        assert (await model.sample(prompt("short")))[0].tokens

    within(generator(made), work)


def test_an_answer_ends_where_the_context_does(made: Tiny) -> None:
    [one] = asked(generator(made, max_model_len=64), prompt("on and on", max_tokens=None, seed=3))
    assert (one.prompt_tokens + one.tokens, one.finish) == (64, "length")


def test_thinking_that_is_cut_off_is_no_answer(made: Tiny) -> None:
    [one] = asked(generator(made, thinking=True), prompt("think", seed=0))
    assert (one.text, one.finish) == ("", "length")
    assert one.thinking


def test_the_models_own_sampling_is_used_where_nothing_is_set(made: Tiny, reference: Reference, tmp_path: Any) -> None:
    import json
    import shutil

    folder = tmp_path / "model"
    shutil.copytree(made.model, folder)
    told = folder / "generation_config.json"
    told.write_text(json.dumps({**json.loads(told.read_text()), "do_sample": True, "top_k": 1}))
    [one] = asked(generator(Tiny(model=str(folder), adapters={})), prompt("own", seed=1, temperature=1.0))
    assert list(one.token_ids) == reference.greedy("own", 16)
    [other] = asked(generator(Tiny(model=str(folder), adapters={}), top_k=0), prompt("own", seed=1, temperature=1.0))
    assert other.token_ids != one.token_ids


def test_a_preset_is_found_by_the_folders_name(made: Tiny, reference: Reference, tmp_path: Any) -> None:
    (tmp_path / "Qwen3-8B").symlink_to(made.model)
    model = generator(Tiny(model=str(tmp_path / "Qwen3-8B"), adapters={}), thinking=False)
    assert model.preset.family == "Qwen3"
    sampling = model._sampling(prompt("x"), {})
    assert (sampling.temperature, sampling.top_p, sampling.top_k) == (0.7, 0.8, 20)
    [one] = asked(model, prompt("x", temperature=0.0))
    assert list(one.token_ids) == reference.greedy("x", 16)


class Ask(Operator):
    """Takes the model's answer for a program."""

    def breed(self, draft: Draft) -> Conversation:
        answer = yield prompt(f"change\n{draft.parents[0].number}", temperature=1.0)
        assert isinstance(answer, Completion)
        return Program.of(answer.text or "pass")


def test_a_campaign_with_a_model_is_played_again_without_it(made: Tiny, folder: Path) -> None:
    def digest(name: str, model: Any) -> str:
        with Campaign(
            "peak", store=f"{folder}/{name}.db", operators=[Ask()], generator=model, workers=1, sandbox="none"
        ) as campaign:
            campaign.run(evaluations=12)
            return campaign.digest()

    told = digest("first", {"use": "transformers", "model": made.model, "dtype": "float32", "device": "cpu"})
    assert digest("second", Replay(store=f"{folder}/first.db")) == told


def test_what_is_missing_is_told(made: Tiny, tmp_path: Any) -> None:
    for wrong, told in (
        (generator(Tiny(model=str(tmp_path / "none"), adapters={})), "could not load"),
        (generator(made, policies={"a": str(tmp_path)}), "no LoRA adapter"),
    ):
        with pytest.raises(GeneratorError, match=told):
            asked(wrong, prompt("x"))
    with pytest.raises(GeneratorError, match="not open"):
        asyncio.run(generator(made).sample(prompt("x")))
