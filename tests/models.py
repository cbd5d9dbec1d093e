"""A tiny language model that is made on the spot, with two LoRA adapters: real enough for real engines."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and enable_thinking %}<think>\n{% endif %}{% endif %}"
)
CONTEXT = 1024
"""The longest prompt and answer together, in tokens."""


@dataclass(frozen=True, kw_only=True)
class Tiny:
    """Folders of a model and of its adapters."""

    model: str
    adapters: Mapping[str, str]


def needs(*modules: str) -> None:
    """Skips a test where a module is not installed (in CI that is a failure)."""
    for module in modules:
        if find_spec(module) is None:
            pytest.skip(f"{module} is not installed; `make models` installs it")


@cache
def tiny(context: int = CONTEXT, tied: bool = False) -> Tiny:
    """The model, made once for each user and version of this file: random, with a real tokenizer."""
    needs("torch", "transformers", "peft")
    mark = f"{blake2b(Path(__file__).read_bytes(), digest_size=8).hexdigest()}-{context}{'-tied' * tied}"
    user = os.getuid() if hasattr(os, "getuid") else 0
    folder = Path(tempfile.gettempdir()) / f"evoengine-tests-{user}" / mark
    if not folder.is_dir():
        folder.parent.mkdir(mode=0o700, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=folder.parent))
        _make(made, context, tied)
        try:
            made.rename(folder)
        except OSError:  # another run was quicker
            shutil.rmtree(made)
    return Tiny(model=str(folder / "base"), adapters={name: str(folder / name) for name in ("upper", "lower")})


def _make(folder: Path, context: int, tied: bool) -> None:
    import torch
    from peft import LoraConfig, get_peft_model
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

    tokens = Tokenizer(models.BPE())
    tokens.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokens.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=1022, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    tokens.train_from_iterator([Path(__file__).read_text(), Path(os.__file__).read_text()], trainer)
    tokens.add_tokens([AddedToken("<think>", special=False), AddedToken("</think>", special=False)])
    fast = PreTrainedTokenizerFast(tokenizer_object=tokens, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    fast.chat_template = TEMPLATE
    fast.save_pretrained(folder / "base")

    torch.manual_seed(0)
    config = Qwen3Config(
        vocab_size=1024,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=32,
        max_position_embeddings=context,
        tie_word_embeddings=tied,
        initializer_range=0.3,  # far from uniform, so that greedy choices are no matter of rounding
        eos_token_id=fast.eos_token_id,
        pad_token_id=fast.pad_token_id,
        bos_token_id=None,
    )
    model = Qwen3ForCausalLM(config).float()
    with torch.no_grad():
        model.lm_head.weight *= 0.5
        model.lm_head.weight[fast.eos_token_id] = 0  # answers are long enough to look at
    model.save_pretrained(folder / "base")
    for seed, name in enumerate(("upper", "lower"), 1):
        torch.manual_seed(seed)
        base = AutoModelForCausalLM.from_pretrained(folder / "base", dtype=torch.float32)
        lora = LoraConfig(r=8, lora_alpha=32, target_modules=["q_proj", "v_proj", "o_proj"], init_lora_weights=False)
        get_peft_model(base, lora).save_pretrained(folder / name)


class Reference:
    """The same model through transformers and peft alone, one prompt at a time and without a cache."""

    def __init__(self, made: Tiny) -> None:
        import torch
        from peft import PeftModel
        from transformers import AutoModelForCausalLM, AutoTokenizer

        torch.set_num_threads(1)  # a second thread would wait in a busy loop, which an engine beside it pays for
        self._torch = torch
        self.tokenizer = AutoTokenizer.from_pretrained(made.model)
        base = AutoModelForCausalLM.from_pretrained(made.model, dtype=torch.float32).eval()
        [first, *others] = made.adapters
        self._model = PeftModel.from_pretrained(base, made.adapters[first], adapter_name=first).eval()
        for name in others:
            self._model.load_adapter(made.adapters[name], adapter_name=name)

    def ids(self, text: str) -> list[int]:
        """The prompt that the chat template makes of one question."""
        asked = f"<|im_start|>user\n{text}<|im_end|>\n<|im_start|>assistant\n"
        found: list[int] = self.tokenizer(asked)["input_ids"]
        return found

    @contextmanager
    def _adapted(self, adapter: str | None) -> Iterator[Any]:
        if adapter is not None:
            self._model.set_adapter(adapter)
        with self._torch.no_grad(), self._model.disable_adapter() if adapter is None else nullcontext():
            yield self._model

    def greedy(self, text: str, count: int, adapter: str | None = None) -> list[int]:
        """The likeliest tokens (T,), one after the other."""
        ids = self.ids(text)
        start = len(ids)
        with self._adapted(adapter) as model:
            while len(ids) - start < count:
                ids.append(int(model(self._torch.tensor([ids])).logits[0, -1].argmax()))
                if ids[-1] == self.tokenizer.eos_token_id:
                    break
        return ids[start:]

    def logprobs(self, text: str, answer: list[int], adapter: str | None = None) -> list[float]:
        """The log-probabilities (T,) of an answer's tokens."""
        ids = self.ids(text)
        with self._adapted(adapter) as model:
            rows = self._torch.log_softmax(model(self._torch.tensor([ids + answer])).logits[0].double(), -1)
        return [float(rows[len(ids) - 1 + at, token]) for at, token in enumerate(answer)]


if __name__ == "__main__":
    sys.stdout.write(f"{tiny()}\n")
