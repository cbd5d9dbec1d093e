"""Where the things that ship beside the package lie, in a checkout and in an installed wheel."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_ELSEWHERE = {"attacks": "tests/attacks"}


def checkout() -> Path | None:
    """The root of the git checkout that the package lies in; None for an installed one."""
    return _PACKAGE.parent if (_PACKAGE.parent / ".git").exists() else None


def bundled(name: str) -> Path:
    """The folder `name` ("plugins", "problems", "sandbox" or "attacks") that ships with evoengine.

    A wheel carries it under `evoengine/_bundled/`; in a checkout it lies beside the package, or in its tests.
    """
    inside = _PACKAGE / "_bundled" / name
    return inside if inside.is_dir() else _PACKAGE.parent / _ELSEWHERE.get(name, name)
