"""What tables and plots are made from, however it is named."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, TypeAlias, runtime_checkable

from evoengine.assembly import store_of
from evoengine.chronicle import Chronicle
from evoengine.errors import CampaignError
from evoengine.reading import Reading
from evoengine.stores.base import Store


@runtime_checkable
class Recorded(Protocol):
    """A campaign, as far as it is needed to find its records: `Campaign` is one."""

    name: str
    store: Store


Source: TypeAlias = Recorded | Reading | Chronicle | Store | str


@contextmanager
def reading_of(source: Recorded | Reading | Store | str, name: str | None = None) -> Iterator[Reading]:
    """The reading of a campaign; a store that is given by its URL is closed again after use.

    Args:
        source: a `Campaign`, its reading, an opened store, or the URL (or the file) of one.
        name: of the campaign in a store, needed where it holds several.

    Raises:
        CampaignError: there is none of that name, or several and no name was given, or nothing is recorded yet.
        StoreError: there is no store.
    """
    match source:
        case Reading():
            yield source
        case Store():
            yield Reading.named(source, name)
        case str():
            store = store_of(source)
            store.open(create=False)
            try:
                yield Reading.named(store, name)
            finally:
                store.close()
        case _:
            source.store.open(create=False)
            row = source.store.campaign(source.name)
            if row is None:
                raise CampaignError(f"campaign {source.name!r} has no records yet; run it first.")
            yield Reading(source.store, row)


def chronicle_of(source: Source, name: str | None = None) -> Chronicle:
    """The course of a campaign up to its last record; a chronicle stands for itself as it is.

    Raises:
        CampaignError, StoreError: as `reading_of`.
    """
    if isinstance(source, Chronicle):
        return source
    with reading_of(source, name) as reading:
        chronicle = Chronicle(reading.row)
        chronicle.take(reading.store.outlines(reading.row))
    return chronicle
