"""What a request may ask for wrongly; each becomes a page of one clear line."""

from __future__ import annotations


class Unknown(Exception):
    """Asks for something that is not there: 404."""


class Wrong(Exception):
    """Asks with a value that cannot be meant: 400."""
