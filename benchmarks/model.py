"""What a campaign keeps of a language model's speed, and how much of its prompts the prefix cache knows.

    python -m benchmarks.model [--evaluations 400] [--rounds 3] [--sequences 16] [--ahead 2] [--layers 0]
        [--format json]

Needs vLLM (`make models` installs its CPU build). Run it from the repository's root. Two measurements:

- `throughput`: a campaign on real vLLM with a small model that was trained to edit programs (`tests/trained.py`), every
  child of which is judged in the jail; and beside it, in the same process and engine, the very same prompts with the
  same seeds: once through the generator, which writes, tokenizes and reads them ("bare"), and once as tokens that are
  ready, straight to vLLM with nothing around ("raw"). In all of them vLLM works on `--sequences` answers at once, and
  `--ahead` times as many are asked for: a campaign's window, that is, and its results wait for the oldest, so that
  with 2 some places are empty while a second question about the oldest is answered. Tokens that were sampled, over the
  time from the first question to the last answer. Rounds alternate, each begins with an empty prefix cache; a ratio is
  the median of each round's own ratio. `--layers` gives the model so many more layers that add nothing to its answers
  and cost what layers cost: the trained one alone answers far faster than any model of use.
- `prefix`: a campaign on circle packing with the shipped operators and templates, guidance and lessons, whose
  archive is moved by the `idioms` operator, as the model writes nothing of sense. The share of prompt tokens that
  vLLM had computed before, from the second prompt on. On a CPU vLLM keeps them in blocks of 128 tokens.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from evoengine import Campaign
from evoengine.generators.base import Generator
from evoengine.plugins import build
from evoengine.types import Completion, Prompt, Turn
from tests.models import tiny
from tests.trained import Sixes, editor, operator, templates

_ANSWER = 16


class Kept(Generator):
    """An engine that stays open from one campaign to the next, and remembers what it was asked and when."""

    inner: Any
    turns: list[Turn] = []
    began: float = 0.0
    ended: float = 0.0

    @property
    def policy(self) -> str:
        return str(self.inner.policy)

    @property
    def cores(self) -> int:
        return int(self.inner.cores)

    def settings(self) -> dict[str, Any]:
        return {}

    async def sample(self, prompt: Prompt, n: int = 1) -> list[Completion]:
        self.began = self.began or time.perf_counter()
        found: list[Completion] = await self.inner.sample(prompt, n)
        self.ended = time.perf_counter()
        self.turns += [Turn(prompt=prompt, completion=one) for one in found]
        return found

    async def fresh(self) -> None:
        """Forgets all, the engine's prefix cache included."""
        await self.inner._engine.reset_prefix_cache()
        self.turns, self.began, self.ended = [], 0.0, 0.0

    @property
    def rate(self) -> float:
        """Sampled tokens a second."""
        return sum(turn.completion.tokens for turn in self.turns) / (self.ended - self.began)


def heavier(model: str, layers: int, folder: Path) -> str:
    """A model with more layers, whose answers are the same: what they add to the residual stream is nothing."""
    if not layers:
        return model
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    light = AutoModelForCausalLM.from_pretrained(model)
    config = light.config
    had = config.num_hidden_layers
    config.num_hidden_layers, config.layer_types = had + layers, None
    config.max_window_layers = had + layers
    heavy = type(light)(type(config)(**{**config.to_dict(), "layer_types": None}))
    heavy.load_state_dict(light.state_dict(), strict=False)
    with torch.no_grad():
        for layer in heavy.model.layers[had:]:
            layer.self_attn.o_proj.weight.zero_()
            layer.mlp.down_proj.weight.zero_()
    place = str(folder / "heavier")
    heavy.save_pretrained(place)
    AutoTokenizer.from_pretrained(model).save_pretrained(place)
    return place


async def throughput(
    folder: Path, evaluations: int, rounds: int, sequences: int, layers: int, ahead: int
) -> dict[str, Any]:
    """Rates of campaigns, of bare requests and of raw ones, in turns on one engine."""
    window = ahead * sequences
    settings = {
        "use": "vllm",
        "model": heavier(editor(), layers, folder),
        "dtype": "float32",
        "max_model_len": 512,
        "engine": {"max_num_seqs": sequences},
    }
    campaigns, bare, straight, judged = [], [], [], 0
    async with build("generators", settings) as engine:
        kept = Kept(inner=engine)
        for number in range(rounds):
            await kept.fresh()
            campaign = Campaign(
                Sixes(),
                store=f"{folder}/{number}.db",
                seed=number,
                operators=[operator(templates(folder / "templates"))],
                generator=kept,
                gates=["syntax"],
                guidance=False,
                lessons=False,
                inspirations=0,
                islands=2,
                window=window,
            )
            with campaign:
                await campaign.arun(evaluations=evaluations)
                judged += campaign.progress.evaluations
            campaigns.append(kept.rate)
            turns = kept.turns
            asked = [turn.prompt for turn in turns]
            await kept.fresh()
            await at_a_time(kept, asked, window)
            bare.append(kept.rate)
            await kept.fresh()
            straight.append(await raw_rate(engine, turns, window))
    ratios = [one / other for one, other in zip(campaigns, bare, strict=True)]
    of_raw = [one / other for one, other in zip(campaigns, straight, strict=True)]
    return {
        "campaign_tokens_per_second": statistics.median(campaigns),
        "bare_tokens_per_second": statistics.median(bare),
        "raw_tokens_per_second": statistics.median(straight),
        "kept": statistics.median(ratios),
        "kept_by_round": ratios,
        "kept_of_raw": statistics.median(of_raw),
        "kept_of_raw_by_round": of_raw,
        "sequences": sequences,
        "ahead": ahead,
        "layers_more": layers,
        "evaluations": judged,
    }


async def at_a_time(generator: Generator, prompts: list[Prompt], many: int) -> None:
    """Asks all prompts in order, so many of them at once."""
    waiting = iter(prompts)

    async def one_after_the_other() -> None:
        for prompt in waiting:
            await generator.sample(prompt)

    await asyncio.gather(*(one_after_the_other() for _ in range(many)))


async def raw_rate(generator: Any, turns: list[Turn], many: int) -> float:
    """Tokens a second of vLLM's own engine, asked in order, so many at once, with all made ready before.

    Raises:
        RuntimeError: it samples another number of tokens than the campaign did, so that the rates do not compare.
    """
    from vllm import SamplingParams
    from vllm.sampling_params import RequestOutputKind

    engine, longest = generator._engine, generator.max_model_len
    ready = [
        (
            generator._written(engine.get_tokenizer(), prompt, longest).ids,
            SamplingParams(
                temperature=prompt.temperature,
                seed=prompt.seed,
                stop=generator._stops(prompt),
                max_tokens=prompt.max_tokens,
                output_kind=RequestOutputKind.FINAL_ONLY,
            ),
        )
        for prompt in (turn.prompt for turn in turns)
    ]
    waiting = iter(enumerate(ready))
    tokens = 0

    async def one_after_the_other() -> None:
        nonlocal tokens
        for number, (ids, parameters) in waiting:
            async for output in engine.generate({"prompt_token_ids": ids}, parameters, request_id=f"raw-{number}"):
                tokens += len(output.outputs[0].token_ids)

    began = time.perf_counter()
    await asyncio.gather(*(one_after_the_other() for _ in range(many)))
    seconds = time.perf_counter() - began
    expected = sum(turn.completion.tokens for turn in turns)
    if tokens != expected:
        raise RuntimeError(f"vLLM sampled {tokens} tokens where the campaign got {expected}; see their settings.")
    return tokens / seconds


async def prefix(folder: Path, evaluations: int) -> dict[str, Any]:
    """The share of prompt tokens that were computed before."""
    settings = {"use": "vllm", "model": tiny(16_384).model, "dtype": "float32", "max_model_len": 16_384}
    asking = [{"use": name, "answer_tokens": _ANSWER} for name in ("diff", "rewrite", "crossover", "repair", "explore")]
    async with build("generators", settings) as engine:
        kept = Kept(inner=engine)
        campaign = Campaign(
            "circle_packing",
            store=f"{folder}/prefix.db",
            operators=["idioms", *asking],
            bandit={"explore": 1.0},
            generator=kept,
            gates=[],
        )
        with campaign:
            await campaign.arun(evaluations=evaluations)
    turns = kept.turns[1:]
    tokens = [turn.completion.prompt_tokens for turn in turns]
    return {
        "known": sum(turn.completion.cached_tokens for turn in turns) / sum(tokens),
        "prompts": len(turns),
        "tokens_each": statistics.median(tokens),
    }


def main() -> None:
    """Measures both, and prints them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--evaluations", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sequences", type=int, default=16)
    parser.add_argument("--ahead", type=int, default=2)
    parser.add_argument("--layers", type=int, default=0)
    parser.add_argument("--format", choices=["table", "json"], default="table")
    given = parser.parse_args()

    async def both() -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as place:
            first = await throughput(
                Path(place), given.evaluations, given.rounds, given.sequences, given.layers, given.ahead
            )
            return {"throughput": first, "prefix": await prefix(Path(place), given.evaluations)}

    found = asyncio.run(both())
    if given.format == "json":
        sys.stdout.write(json.dumps(found) + "\n")
        return
    for name, values in found.items():
        sys.stdout.write(name + "\n")
        for key, value in values.items():
            shown = [f"{one:.3f}" for one in value] if isinstance(value, list) else value
            sys.stdout.write(f"  {key:28} {shown if not isinstance(shown, float) else format(shown, '.4g')}\n")


if __name__ == "__main__":
    main()
