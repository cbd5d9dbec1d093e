"""A small language model that is trained on the spot to edit programs: random edits, in a form that can be applied.

The programs are `def solve(): return [six digits]`, and an edit changes one or two of the digits to others, with no
idea of what is better. What a campaign reaches with it beyond a random edit is the merit of the campaign.
"""

from __future__ import annotations

import os
import random
import shutil
import sys
import tempfile
import time
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

from evoengine import Problem, Program, Reject, Score
from evoengine.operators.diff import Diff
from evoengine.randomness import Stream
from evoengine.types import Brief, Draft, Elite, Feature, Prompt, Scored
from tests.models import needs

DIGITS = 6
TEMPLATES = {
    "system": "Edit.",
    "answer": "$form",
    "answer_edits": "Edit.",
    "diff": "Edit.",
    "again_edits": "Edit.\n$why",
}
"""Prompts of so few words that a small model can learn them: a person may replace any template."""
TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_STEPS = 220
_BATCH = 24


class Sixes(Problem):
    """Six digits near six others that nobody is told."""

    name = "sixes"
    goal = "Find the digits."
    entry = "solve"
    seed = "def solve():\n    return [9, 1, 6, 0, 9, 2]\n"
    features = (Feature(name="first", low=0, high=10, bins=5), Feature(name="last", low=0, high=10, bins=5))

    def inputs(self) -> list[tuple[()]]:
        return [()]

    def judge(self, outputs: list[Any]) -> Score:
        [digits] = outputs
        if not (isinstance(digits, list) and len(digits) == DIGITS and all(type(one) is int for one in digits)):
            raise Reject("expected six digits")
        if any(not 0 <= one <= 9 for one in digits):
            raise Reject("expected digits")
        wanted = (5, 7, 2, 8, 3, 9)
        return Score(-float(sum(abs(one - other) for one, other in zip(digits, wanted, strict=True))),
                     first=digits[0], last=digits[-1])  # fmt: skip


def operator(templates: Path) -> Diff:
    """The operator whose prompts the model knows."""
    return Diff(templates=templates, history=0, answer_tokens=90, temperature=1.0)


def templates(folder: Path) -> Path:
    """A folder of the model's templates."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in TEMPLATES.items():
        (folder / f"{name}.md").write_text(text)
    return folder


def line(digits: list[int]) -> str:
    return f"    return [{', '.join(map(str, digits))}]"


def example(rng: random.Random, asking: Diff) -> tuple[Prompt, str]:
    """A prompt as a campaign makes it, and an answer to it."""
    digits = [rng.randrange(10) for _ in range(DIGITS)]
    program = Program.of(f"def solve():\n{line(digits)}\n")
    scored = Scored(score=-float(rng.randrange(40)), metrics={"first": float(digits[0]), "last": float(digits[-1])})
    number = rng.randrange(1, 400)
    draft = Draft(
        number=1, island=0, operator="diff", arm="", inspirations=(), brief=Brief(name="sixes", goal="", entry="solve"),
        parents=(Elite(number=number, content=program, scored=scored, cell=()),), rng=Stream(0, 0, "example"),
    )  # fmt: skip
    prompt = next(asking.breed(draft))
    assert isinstance(prompt, Prompt)
    changed = list(digits)
    for at in rng.sample(range(DIGITS), rng.choice((1, 1, 2))):
        changed[at] = rng.choice([digit for digit in range(10) if digit != digits[at]])
    return prompt, f"<<<<<<< SEARCH\n{line(digits)}\n=======\n{line(changed)}\n>>>>>>> REPLACE"


@cache
def editor() -> str:
    """The folder of the trained model; made once for each user and version of this file."""
    needs("torch", "transformers")
    mark = blake2b(Path(__file__).read_bytes(), digest_size=8).hexdigest()
    folder = Path(tempfile.gettempdir()) / f"evoengine-tests-{os.getuid()}" / f"editor-{mark}"
    if not folder.is_dir():
        folder.parent.mkdir(mode=0o700, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=folder.parent))
        train(made)
        try:
            made.rename(folder)
        except OSError:  # another run was quicker
            shutil.rmtree(made)
    return str(folder)


def train(folder: Path, steps: int = _STEPS, told: bool = False) -> float:
    """Trains the model from nothing, and gives its last loss."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast, Qwen3Config, Qwen3ForCausalLM

    rng = random.Random(0)
    asking = operator(templates(folder / "templates"))
    tokens = Tokenizer(models.BPE())
    tokens.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokens.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    corpus = [text for _ in range(300) for prompt, answer in [example(rng, asking)]
              for text in (*(one["content"] for one in prompt.messages), answer)]  # fmt: skip
    tokens.train_from_iterator(
        [*corpus, "system user assistant"],
        trainers.BpeTrainer(vocab_size=380, special_tokens=special, show_progress=False,
                            initial_alphabet=pre_tokenizers.ByteLevel.alphabet()),
    )  # fmt: skip
    fast = PreTrainedTokenizerFast(tokenizer_object=tokens, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    fast.chat_template = TEMPLATE
    fast.save_pretrained(folder)
    torch.manual_seed(0)
    torch.set_num_threads(2)
    config = Qwen3Config(
        vocab_size=384, hidden_size=128, intermediate_size=256, num_hidden_layers=3, num_attention_heads=4,
        num_key_value_heads=4, head_dim=32, max_position_embeddings=1024, tie_word_embeddings=False,
        eos_token_id=fast.eos_token_id, pad_token_id=fast.pad_token_id, bos_token_id=None,
    )  # fmt: skip
    model = Qwen3ForCausalLM(config).float()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.01, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps, pct_start=0.1)
    mean = 0.0
    for step in range(steps):
        rows, labels = [], []
        for _ in range(_BATCH):
            prompt, answer = example(rng, asking)
            asked = fast.apply_chat_template(list(prompt.messages), tokenize=False, add_generation_prompt=True)
            before = fast(asked, add_special_tokens=False)["input_ids"]
            after = fast(answer, add_special_tokens=False)["input_ids"] + [fast.eos_token_id]
            rows.append(before + after)
            labels.append([-100] * len(before) + after)
        width = max(map(len, rows))
        ids = torch.tensor([row + [fast.pad_token_id] * (width - len(row)) for row in rows])
        wanted = torch.tensor([row + [-100] * (width - len(row)) for row in labels])
        loss = model(input_ids=ids, attention_mask=(ids != fast.pad_token_id).long(), labels=wanted).loss
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        mean = loss.item() if step == 0 else 0.9 * mean + 0.1 * loss.item()
        if told and step % 50 == 0:
            sys.stdout.write(f"{step} {mean:.4f} {width} {time.process_time():.0f} s of CPU\n")
            sys.stdout.flush()
    model.save_pretrained(folder)
    return mean


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as there:
        train(Path(there), told=True)
