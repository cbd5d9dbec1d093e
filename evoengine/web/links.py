"""Where the pages link to: addresses on the server, or places inside one frozen file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from base64 import b64encode
from collections.abc import Collection
from typing import Any
from urllib.parse import urlencode

from evoengine.pictures import Picture


class Links(ABC):
    """Addresses of the pages of one campaign; None for a page that there is not."""

    @abstractmethod
    def page(self, name: str, **query: Any) -> str | None:
        """A page of the campaign by name; "" is its overview. Entries of the query that are None are left out."""

    @abstractmethod
    def record(self, number: int, **query: Any) -> str | None:
        """The page of a record."""

    @abstractmethod
    def lineage(self, number: int) -> str | None:
        """The page of a record's lineage."""

    @abstractmethod
    def picture(self, number: int, picture: Picture) -> str | None:
        """Where an `img` has the picture of a record from."""


class Served(Links):
    """Addresses on the server.

    Args:
        campaign: the campaign's id.
    """

    def __init__(self, campaign: int) -> None:
        self._base = f"/campaigns/{campaign}"

    def page(self, name: str, **query: Any) -> str:
        return address(f"{self._base}/{name}" if name else self._base, **query)

    def record(self, number: int, **query: Any) -> str:
        return address(f"{self._base}/records/{number}", **query)

    def lineage(self, number: int) -> str:
        return address(f"{self._base}/records/{number}/lineage")

    def picture(self, number: int, picture: Picture) -> str:  # noqa: ARG002  # it is drawn anew when it is asked for
        return address(f"{self._base}/records/{number}/picture.svg")


class Frozen(Links):
    """Places inside one file, which holds some of the records.

    Args:
        pages: which it holds, by name.
        records: which it holds, by number.
    """

    def __init__(self, pages: Collection[str], records: Collection[int]) -> None:
        self._pages, self._records = frozenset(pages), frozenset(records)

    def page(self, name: str, **query: Any) -> str | None:
        wanted = {key for key, value in query.items() if value is not None}
        return f"#{name or 'overview'}" if (name or "overview") in self._pages and not wanted else None

    def record(self, number: int, **query: Any) -> str | None:
        return f"#record-{number}" if number in self._records and not query else None

    def lineage(self, number: int) -> str | None:  # noqa: ARG002  # the graphs of lineages are not frozen
        return None

    def picture(self, number: int, picture: Picture) -> str:  # noqa: ARG002  # it is in the file itself
        return f"data:image/svg+xml;base64,{b64encode(picture.svg.encode()).decode()}"


def address(path: str, **query: Any) -> str:
    """A path with a query; what has no UTF-8 form is replaced."""
    given = {key: value for key, value in query.items() if value is not None}
    return f"{path}?{urlencode(given, errors='replace')}" if given else path
