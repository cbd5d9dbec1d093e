"""A problem for a mutator that learns, and a tiny model that knows the form of an edit and not what is better.

A program is eight blocks of two numbers, 0 to 11. Each block has a target, which is one of two hidden pairs, the
*motifs*; a block is worth 1 if both numbers are right and 0.3 if one is. An edit sets one block. One edit in fourteen
or so is an improvement by chance; whoever learns the two motifs does far better, on programs it never saw as well.
"""

from __future__ import annotations

import inspect
import os
import random
import re
import shutil
import tempfile
from collections.abc import Sequence
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, ClassVar

from evoengine import Feature, Problem, Program, Reject, Score
from evoengine.operators.base import Conversation, NoChild, Operator
from evoengine.types import Answer, Cause, Completion, Draft, Prompt
from tests.models import needs

BLOCKS, VALUES = 8, 12
Blocks = tuple[tuple[int, int], ...]
PARTIAL = 0.3
_TEMPLATE = "{% for message in messages %}{{ message.content }}{% endfor %}"
_NUMBER = re.compile(r"\d+")


def target(seed: int) -> Blocks:
    """The hidden target of a problem."""
    rng = random.Random(f"target {seed}")
    motifs = [(rng.randrange(VALUES), rng.randrange(VALUES)) for _ in range(2)]
    return tuple(rng.choice(motifs) for _ in range(BLOCKS))


def worth(blocks: Blocks, wanted: Blocks) -> float:
    """The score of a program."""
    right = [sum(one == other for one, other in zip(*pair, strict=True)) for pair in zip(blocks, wanted, strict=True)]
    return sum((0.0, PARTIAL, 1.0)[count] for count in right) / BLOCKS


def program_of(blocks: Blocks) -> Program:
    return Program.of(f"def blocks():\n    return {[list(block) for block in blocks]}\n")


def blocks_of(program: Program) -> Blocks:
    numbers = [int(one) for one in _NUMBER.findall(program.text)]
    return tuple(zip(numbers[::2], numbers[1::2], strict=True))


def spoilt(rng: random.Random, wanted: Blocks) -> Blocks:
    """The target with some of its blocks drawn anew."""
    wrong = set(rng.sample(range(BLOCKS), rng.randint(1, BLOCKS)))
    return tuple(
        (rng.randrange(VALUES), rng.randrange(VALUES)) if place in wrong else block
        for place, block in enumerate(wanted)
    )


def parents(seed: int, purpose: str, count: int) -> list[Blocks]:
    """Programs to look at a policy with; those of different purposes have nothing to do with each other."""
    rng, wanted = random.Random(f"{purpose} {seed}"), target(seed)
    return [spoilt(rng, wanted) for _ in range(count)]


class Motif(Problem):
    """Eight blocks like eight others that nobody is told."""

    name = "motif"
    goal = "Find the blocks."
    entry = "blocks"
    seed = program_of(((3, 10), (7, 1), (0, 5), (11, 4), (8, 2), (6, 9), (1, 7), (5, 0)))
    features = (Feature(name="first", low=0, high=VALUES, bins=12), Feature(name="total", low=0, high=200, bins=20))
    preload = ()

    hidden: int = 0
    looks: int = 16

    def inputs(self) -> list[tuple[()]]:
        return [()]

    def judge(self, outputs: list[Any]) -> Score:
        [blocks] = outputs
        shape = isinstance(blocks, list) and len(blocks) == BLOCKS
        if not shape or not all(isinstance(one, list) and len(one) == 2 for one in blocks):
            raise Reject("expected eight pairs")
        if any(type(value) is not int or not 0 <= value < VALUES for one in blocks for value in one):
            raise Reject("expected numbers from 0 to 11")
        found = tuple((one[0], one[1]) for one in blocks)
        return Score(worth(found, target(self.hidden)), first=found[0][0], total=sum(map(sum, found)))

    def probes(self) -> Sequence[Program]:
        return [program_of(one) for one in parents(self.hidden, "probe", self.looks)]


class SetBlock(Operator):
    """Asks for a block's place and its two numbers."""

    speaks: ClassVar[bool] = True

    def most_tokens(self, arm: str) -> int:
        return 64

    def breed(self, draft: Draft) -> Conversation:
        parent = draft.parents[0].content
        assert isinstance(parent, Program)
        answer: Answer = yield asked(blocks_of(parent))
        assert isinstance(answer, Completion)
        return program_of(edited(blocks_of(parent), answer.text))


def asked(blocks: Blocks) -> Prompt:
    text = " ".join(f"v{value}" for block in blocks for value in block)
    return Prompt(messages=({"role": "user", "content": f"{text} edit"},), max_tokens=6)


def edited(blocks: Blocks, answer: str) -> Blocks:
    """The blocks after an edit.

    Raises:
        NoChild: the answer is none.
    """
    found = re.fullmatch(r"\s*b(\d+)\s*v(\d+)\s*v(\d+)\s*", answer)
    if found is None:
        raise NoChild(f"expected a block and two numbers, got {answer!r}", Cause.UNDECODABLE)
    place, *values = (int(one) for one in found.groups())
    return (*blocks[:place], (values[0], values[1]), *blocks[place + 1 :])


@cache
def novice(layers: int = 2) -> str:
    """The folder of the model; made once for each user and way of training."""
    needs("torch", "transformers")
    mark = blake2b(inspect.getsource(train).encode(), digest_size=8).hexdigest()
    folder = Path(tempfile.gettempdir()) / f"evoengine-tests-{os.getuid()}" / f"novice-{layers}-{mark}"
    if not folder.is_dir():
        folder.parent.mkdir(mode=0o700, exist_ok=True)
        made = Path(tempfile.mkdtemp(dir=folder.parent))
        train(made, layers)
        try:
            made.rename(folder)
        except OSError:  # another run was quicker
            shutil.rmtree(made)
    return str(folder)


def train(folder: Path, layers: int = 2, steps: int = 80) -> float:
    """Trains a model from nothing on random edits, and gives its last loss."""
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    words = ["<pad>", "<end>", "edit", *(f"b{one}" for one in range(BLOCKS)), *(f"v{one}" for one in range(VALUES))]
    tokens = Tokenizer(models.WordLevel({word: place for place, word in enumerate(words)}, unk_token="<pad>"))
    tokens.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokens, eos_token="<end>", pad_token="<pad>")
    fast.chat_template = _TEMPLATE
    fast.save_pretrained(folder)
    config = LlamaConfig(
        vocab_size=len(words), hidden_size=128, intermediate_size=256, num_hidden_layers=layers,
        num_attention_heads=4, num_key_value_heads=4, max_position_embeddings=64, tie_word_embeddings=False,
        eos_token_id=1, pad_token_id=0, bos_token_id=None,
    )  # fmt: skip
    rng = random.Random(0)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        torch.set_num_threads(1)  # more wait for each other longer than they work
        model = LlamaForCausalLM(config).float()
        optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3)
        first, value = words.index("b0"), words.index("v0")
        mean = 0.0
        for _ in range(steps):
            rows = [
                [*(value + rng.randrange(VALUES) for _ in range(2 * BLOCKS)), 2, first + rng.randrange(BLOCKS),
                 value + rng.randrange(VALUES), value + rng.randrange(VALUES), 1]
                for _ in range(64)
            ]  # fmt: skip
            ids = torch.tensor(rows)
            labels = ids.clone()
            labels[:, : 2 * BLOCKS + 1] = -100
            loss = model(input_ids=ids, labels=labels).loss
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            mean = loss.item()
    model.save_pretrained(folder)
    return mean


def improvement(policy: Path | None, hidden: int, count: int = 256) -> tuple[float, float]:
    """How often a policy improves parents that no campaign saw, and how often its edits are valid.

    Args:
        policy: a folder with an adapter or a whole model; None for the novice itself.
        hidden: of the problem.
        count: of parents, each asked once.
    """
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    adapter = policy is not None and (policy / "adapter_config.json").is_file()
    tokens = AutoTokenizer.from_pretrained(novice())
    whole = policy if policy is not None and not adapter else novice()
    model = AutoModelForCausalLM.from_pretrained(whole, dtype=torch.float32).eval()
    if adapter:
        model = PeftModel.from_pretrained(model, policy).eval()
    held_out = parents(hidden, "held out", count)
    texts = [asked(one).messages[0]["content"] for one in held_out]
    ids = torch.tensor([tokens(text)["input_ids"] for text in texts])
    start = ids.shape[1]
    numbers = torch.Generator().manual_seed(hidden)
    with torch.no_grad():
        for _ in range(5):
            share = model(input_ids=ids).logits[:, -1].softmax(-1)
            ids = torch.cat([ids, torch.multinomial(share, 1, generator=numbers)], dim=1)
    improved = valid = 0
    for before, row in zip(held_out, ids[:, start:].tolist(), strict=True):
        answer = row[: row.index(tokens.eos_token_id)] if tokens.eos_token_id in row else row
        try:
            after = edited(before, tokens.decode(answer))
        except NoChild:
            continue
        valid += 1
        improved += worth(after, target(hidden)) > worth(before, target(hidden))
    return improved / count, valid / count
