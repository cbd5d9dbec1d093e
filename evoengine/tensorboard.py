"""The figures of updates as TensorBoard reads them."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from evoengine.errors import MissingExtra
from evoengine.stores.base import Update


class Curves:
    """Writes event files into a folder, one curve for each figure, over the number of the update.

    Args:
        folder: of the campaign's curves; made with the first update.

    Raises:
        MissingExtra: tensorboard is not installed.
    """

    def __init__(self, folder: Path) -> None:
        if find_spec("tensorboard") is None:
            raise MissingExtra("the trainer's setting tensorboard", "tensorboard")
        self._folder = folder
        self._writer: Any = None

    def add(self, update: Update) -> None:
        """Writes an update's figures down, so that they are there whatever comes next."""
        if self._writer is None:
            from tensorboard.summary import Writer

            self._writer = Writer(str(self._folder))
        for name, value in update.facts.items():
            if value is not None:
                self._writer.add_scalar(name, value, update.number)
        self._writer.flush()

    def close(self) -> None:
        """Closes the file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
