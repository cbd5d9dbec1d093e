"""A policy loss that gets the second of several processes into trouble, when a batch asks for it."""

from __future__ import annotations

import os
import signal
from typing import Any

from evoengine.rl.loss import Micro, Whole
from tests.rl.plain import Plain

RAISES, DIES, ALONE = 1001, 1002, 1003
"""Longest answers of batches: what a loss is told of them."""


class Troubled(Plain):
    @property
    def needs_reference(self) -> bool:
        if _met.get("trouble"):
            raise MemoryError("no memory in one process")
        return super().needs_reference

    def of(self, micro: Micro, whole: Whole) -> tuple[Any, dict[str, Any]]:
        import torch.distributed as together

        if together.is_initialized() and together.get_rank() == 1:
            if whole.longest == RAISES:
                raise ZeroDivisionError("in one process")
            if whole.longest == DIES:
                os.kill(os.getpid(), signal.SIGKILL)
            _met["trouble"] = whole.longest == ALONE
        return super().of(micro, whole)


_met: dict[str, bool] = {}
