"""Random streams keyed by what they decide, so that a decision does not depend on when it is made."""

from __future__ import annotations

import random
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


class Stream(random.Random):
    """The random numbers of one decision, determined by `(seed, number, purpose)` alone.

    A stream is created where it is needed and thrown away after the decision, as in counter-based
    generators (Salmon et al. 2011, doi:10.1145/2063384.2063405): no state is carried from one decision
    to the next, so nothing has to be saved for a resume and no order of execution can be seen in it.
    """

    def __new__(cls, *_: object) -> Stream:
        return super().__new__(cls)

    def __init__(self, seed: int, number: int, purpose: str) -> None:
        self._key = int.from_bytes(blake2b(f"{seed}/{number}/{purpose}".encode(), digest_size=16).digest(), "little")
        super().__init__(self._key)

    def seed_for(self, purpose: str) -> int:
        """A seed, 0 to 2^31 - 1, for a part that has random numbers of its own; it draws nothing from the stream."""
        hashed = blake2b(purpose.encode(), key=self._key.to_bytes(16, "little"), digest_size=4).digest()
        return int.from_bytes(hashed, "little") >> 1

    def arrays(self) -> np.random.Generator:
        """A numpy generator with this stream's key, for decisions that draw arrays."""
        import numpy as np

        return np.random.Generator(np.random.Philox(key=self._key))
