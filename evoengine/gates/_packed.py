"""Arrays as JSON values."""

from __future__ import annotations

import sys
from base64 import b64decode, b64encode
from typing import Any

import numpy as np
from numpy.typing import NDArray


def packed(values: NDArray[Any]) -> str:
    """The bytes of an array, the low ones of each number first, in base64."""
    little = values.byteswap() if sys.byteorder == "big" and values.itemsize > 1 else values
    return b64encode(np.ascontiguousarray(little).tobytes()).decode("ascii")


def unpacked(text: str, kind: type[np.unsignedinteger[Any]]) -> NDArray[Any]:
    """The array that `packed` was given, as one row; the caller may write to it."""
    return np.frombuffer(b64decode(text), dtype=np.dtype(kind).newbyteorder("<")).astype(kind)
