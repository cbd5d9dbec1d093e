"""How long a policy that was just trained takes to answer in the running generator, and how true it is there.

    python -m benchmarks.sync [--hidden 512] [--layers 8] [--swaps 5] [--dtype float32] [--generators vllm transformers]
        [--format json]

Needs vLLM, transformers and peft (`make models` installs them for a CPU). Run it from the repository's root. A Qwen3 of
random weights and the given size is trained, by an adapter of rank 32 and then by all its weights, and each policy is
loaded into the open generator. Seconds are those of `Generator.load` alone, when nobody is being answered; the gap is
the largest difference of a token's log-probability between generator and trainer, over answers to a prompt that is
longer than a block of the prefix cache and was asked before the swap too.
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

from evoengine.plugins import build
from evoengine.rl.rollouts import Exchange
from evoengine.rl.trainer import Batch, Example
from evoengine.types import Prompt
from tests.models import tiny

_LOSS = str(Path(__file__).parents[1] / "tests" / "rl" / "plain.py")
_LONG = " ".join(f"word{number}" for number in range(60))


def model(folder: Path, hidden: int, layers: int) -> tuple[str, float]:
    """A model of random weights with the tests' tokenizer; its folder, and its size in millions of weights."""
    import torch
    from transformers import AutoTokenizer, Qwen3Config, Qwen3ForCausalLM

    torch.manual_seed(0)
    config = Qwen3Config(
        vocab_size=1024, hidden_size=hidden, intermediate_size=3 * hidden, num_hidden_layers=layers, head_dim=64,
        num_attention_heads=hidden // 64, num_key_value_heads=max(1, hidden // 128), max_position_embeddings=1024,
        tie_word_embeddings=False, initializer_range=0.05, eos_token_id=2, pad_token_id=0, bos_token_id=None,
    )  # fmt: skip
    made = Qwen3ForCausalLM(config)
    made.save_pretrained(folder)
    AutoTokenizer.from_pretrained(tiny().model).save_pretrained(folder)
    return str(folder), sum(one.numel() for one in made.parameters()) / 1e6


async def swaps(generator: Any, trainer: Any, folder: Path, count: int, name: str) -> dict[str, Any]:
    """Trains, saves, loads and compares, `count` times."""
    prompt = Prompt(messages=({"role": "user", "content": _LONG},), max_tokens=32, temperature=1.0, seed=1)
    seconds, gaps, moved = [], [], []

    async def asked() -> Exchange:
        [one] = await generator.sample(prompt)
        return Exchange(prompt_ids=one.prompt_ids, token_ids=one.token_ids, logprobs=one.logprobs, policy=one.policy)

    def gap(one: Exchange) -> float:
        [expected] = trainer.logprobs([one])
        return max(abs(a - b) for a, b in zip(one.logprobs, expected, strict=True))

    for number in range(1, count + 1):
        one = await asked()
        example = Example(exchange=one, advantage=1.0)
        await asyncio.to_thread(trainer.step, Batch(number=number, examples=[example], longest=32, seed=number))
        moved.append(gap(one))
        trainer.save(folder / f"{name}-{number}")
        began = time.perf_counter()
        await generator.load(f"{name}-{number}", str(folder / f"{name}-{number}" / "policy"))
        seconds.append(time.perf_counter() - began)
        gaps.append(gap(await asked()))
    return {
        "seconds_median": statistics.median(seconds),
        "seconds_max": max(seconds),
        "gap_max": max(gaps),
        "gap_to_old_min": min(moved),
    }


async def measured(given: argparse.Namespace, folder: Path) -> list[dict[str, Any]]:
    """One row for each generator and trainer."""
    path, millions = model(folder / "model", given.hidden, given.layers)
    rows = []
    for name in given.generators:
        settings: dict[str, Any] = {"use": name, "model": path, "dtype": given.dtype, "logprobs": True}
        if name == "vllm":
            settings |= {"max_lora_rank": 32, "max_model_len": 1024, "kv_cache_memory_bytes": 256_000_000}
        async with build("generators", settings) as generator:
            for kind, rate in (("lora", 1e-3), ("full", 1e-4)):
                trainer = build("trainers", {"use": kind, "loss": _LOSS, "learning_rate": rate, "dtype": given.dtype})
                trainer.open(path, None)
                found = await swaps(generator, trainer, folder, given.swaps, f"{name}-{kind}")
                trainer.close()
                rows.append({"generator": name, "trainer": kind, "million_weights": round(millions, 1), **found})
    return rows


def main() -> None:
    """Prints what was measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sync")
    parser.add_argument("--hidden", type=int, default=512)
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--swaps", type=int, default=5)
    parser.add_argument("--dtype", default="float32", choices=("float32", "bfloat16"))
    parser.add_argument("--generators", nargs="+", default=["vllm", "transformers"])
    parser.add_argument("--format", default="table", choices=("table", "json"))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = asyncio.run(measured(given, Path(folder)))
    if given.format == "json":
        sys.stdout.write(json.dumps(rows, indent=1) + "\n")
        return
    names = list(rows[0])
    print("| " + " | ".join(names) + " |")
    print("|" + "---|" * len(names))
    for row in rows:
        print("| " + " | ".join(f"{one:.4g}" if isinstance(one, float) else str(one) for one in row.values()) + " |")


if __name__ == "__main__":
    main()
