"""What SQLite's errors mean to a person, and what to do next."""

from __future__ import annotations

import sqlite3


def meaning_of(error: sqlite3.Error) -> str:
    """One line on an error, with SQLite's own words."""
    text = str(error)
    for signs, meaning in _MEANINGS.items():
        if any(sign in text for sign in signs):
            return f"{meaning} (SQLite: {text})."
    return f"SQLite says: {text}."


_MEANINGS = {
    ("not a database", "malformed"): (
        "the file is damaged or no SQLite database; restore a copy, or name another file with --store"
    ),
    ("full", "disk I/O"): (
        "the disk takes no more; all acknowledged records are safe: free space and run the same command again"
    ),
    ("locked", "busy"): "another process holds it locked; wait for it or end it, then run the same command again",
    ("readonly", "unable to open"): "it cannot be opened for writing; check the path and its permissions",
}
