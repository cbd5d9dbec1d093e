"""A campaign that trains and kills itself in the middle of an update, as a power cut would.

python -m tests.rl.killed KIND FOLDER STEPS [UPDATE PLACE]
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from evoengine import Campaign
from evoengine.plugins import build
from evoengine.rl.trainer import Batch, Trainer
from tests.motif import Motif, SetBlock, novice
from tests.rl.dial import Dial, Turn, campaign_of, turn

PLACES = ("before", "step", "save", "load", "told")
"""Before the weights change, after that, while they are written, before they are served, after all that."""


class Killing:
    """Kills the process at a place of an update."""

    def __init__(self, update: int, place: str) -> None:
        self._update, self._place, self._now = update, place, 0

    def into(self, trainer: Trainer, generator: Any) -> None:
        """Wraps what is called on the way."""
        step, save, load = trainer.step, trainer.save, generator.load

        def stepped(batch: Batch) -> dict[str, float]:
            self._now = batch.number
            self._here("before")
            facts = step(batch)
            self._here("step")
            return facts

        def saved(folder: Path) -> None:
            save(folder)
            if self._is("save"):
                for path in sorted(folder.rglob("*")):
                    if path.is_file():
                        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
                        break
            self._here("save")

        async def loaded(policy: str, path: str) -> None:
            self._here("load")
            await load(policy, path)

        for part, name, wrapped in ((trainer, "step", stepped), (trainer, "save", saved), (generator, "load", loaded)):
            object.__setattr__(part, name, wrapped)

    def told(self, _: object) -> None:
        """A watcher."""
        self._here("told")

    def _is(self, place: str) -> bool:
        return self._now == self._update and place == self._place

    def _here(self, place: str) -> None:
        if self._is(place):
            os.kill(os.getpid(), signal.SIGKILL)


def dial(folder: Path) -> tuple[Campaign, Trainer, Any]:
    trainer, generator = turn(max_staleness=1, guard={"probes": 1, "every": 2}), Dial()
    assert isinstance(trainer, Turn)
    return campaign_of(folder, trainer, generator, snapshot_every=10), trainer, generator


def motif(folder: Path) -> tuple[Campaign, Trainer, Any]:
    import torch

    torch.set_num_threads(1)
    trainer = build("trainers", {"use": "lora", "rank": 8, "learning_rate": 1e-2, "group": 4, "groups": 3,
                                 "advantage": "grpo", "guard": {"probes": 4, "every": 2}})  # fmt: skip
    generator = build("generators", {"use": "transformers", "model": novice(), "dtype": "float32"})
    campaign = Campaign(
        Motif(), store=f"sqlite:///{folder}/motif.db", operators=[SetBlock()], generator=generator, trainer=trainer,
        islands=1, inspirations=0, gates=[], guidance=False, lessons=False, selector="uniform",
    )  # fmt: skip
    return campaign, trainer, generator


KINDS = {"dial": dial, "motif": motif}


def main(kind: str, folder: str, steps: str, update: str = "0", place: str = "") -> None:
    """Runs the campaign on, to its end or to its own."""
    campaign, trainer, generator = KINDS[kind](Path(folder))
    killing = Killing(int(update), place)
    killing.into(trainer, generator)
    campaign.watchers.append(killing.told)
    with campaign:
        campaign.run(evaluations=1 + 12 * int(steps))
        sys.stdout.write(f"{campaign.digest()}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
