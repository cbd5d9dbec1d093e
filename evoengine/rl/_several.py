"""Trainers whose weights are divided among several devices."""

from __future__ import annotations

from abc import ABC
from collections.abc import Sequence
from pathlib import Path

from pydantic import Field, PrivateAttr

from evoengine.errors import TrainerError
from evoengine.rl._gradient import GradientTrainer
from evoengine.rl._ranks import Ranks, Seat, Setup
from evoengine.rl.rollouts import Exchange
from evoengine.rl.trainer import Batch


class SeveralDevices(GradientTrainer, ABC):
    """A trainer that starts a process for each device when it has several, and otherwise does its work itself.

    Weights, gradients and the optimizer's state are divided among the processes (torch's FSDP2), and so are the
    sequences of a batch. An update is that of one device but for rounding. Each process reads the whole model into the
    machine's memory before it lets go of what is not its part.

    Attributes:
        devices: how many; with more than one, `device` is the first of them.
    """

    devices: int = Field(default=1, ge=1)

    _ranks: Ranks | None = PrivateAttr(default=None)

    def join(self, seat: Seat) -> None:
        """Makes this one of several trainers with the same settings, each in its process; before `open`."""
        import torch
        import torch.distributed as together
        from torch.distributed.device_mesh import init_device_mesh

        torch.set_num_threads(seat.threads)
        device = self._placed_on()
        if device.type == "cuda":
            torch.cuda.set_device((device.index or 0) + seat.rank)
            torch.cuda.init()
        together.init_process_group(
            "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo",  # the first for what is not a tensor
            init_method=f"file://{seat.meeting}",
            rank=seat.rank,
            world_size=seat.count,
        )
        self._mesh = init_device_mesh(device.type, (seat.count,))

    def open(self, model: str, initial: str | None) -> None:
        if self.devices == 1 or self._mesh is not None:
            super().open(model, initial)
            return
        self._prepare()
        import torch

        device = self._placed_on()
        there = torch.cuda.device_count() - (device.index or 0) if device.type == "cuda" else self.devices
        if device.type not in ("cuda", "cpu"):
            raise TrainerError(f"devices is {self.devices}: of {device.type!r} one alone can be used; leave it at 1.")
        if there < self.devices:
            raise TrainerError(f"devices is {self.devices}, and from {str(device)!r} on there are {there} GPUs.")
        threads = max(1, torch.get_num_threads() // self.devices)
        self._ranks = Ranks(self.devices, Setup.of(self), threads)
        try:
            self._ranks.ask("open", model, initial)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._ranks is not None:
            self._ranks.end()
            self._ranks = None
        super().close()

    def step(self, batch: Batch) -> dict[str, float]:
        if self._ranks is None:
            return super().step(batch)
        found: dict[str, float] = self._ranks.ask("step", batch)
        return found

    def save(self, folder: Path) -> None:
        if self._ranks is None:
            super().save(folder)
        else:
            self._ranks.ask("save", folder.absolute())

    def restore(self, folder: Path) -> None:
        if self._ranks is None:
            super().restore(folder)
        else:
            self._ranks.ask("restore", folder.absolute())

    def revert(self, folder: Path | None, rate: float) -> None:
        if self._ranks is None:
            super().revert(folder, rate)
        else:
            self._ranks.ask("revert", folder and folder.absolute(), rate)

    def logprobs(self, exchanges: Sequence[Exchange]) -> list[list[float]]:
        if self._ranks is None:
            return super().logprobs(exchanges)
        found: list[list[float]] = self._ranks.ask("logprobs", list(exchanges))
        return found
