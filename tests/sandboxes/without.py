"""The jail with layers taken out, for tests of what each is for."""

from __future__ import annotations

from typing import Any

from evoengine.sandboxes.jail import Jail


class Without(Jail):
    """A jail that leaves layers out."""

    without: tuple[str, ...] = ()

    def model_post_init(self, context: Any, /) -> None:
        super().model_post_init(context)
        self._without = self.without
