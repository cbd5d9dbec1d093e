"""Campaigns read in the background while someone looks at them."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field

from evoengine.chronicle import Chronicle
from evoengine.errors import CampaignError, EvoengineError
from evoengine.stores.base import CampaignRow, Store

_BATCH = 100
"""Records that are taken in before whoever waits for a page has a turn."""
_FAR = 5000
"""Records that cannot be read while somebody waits for a page."""
_MOST_CAMPAIGNS = 4
"""Chronicles that are kept; the one that was looked at longest ago goes first."""
_MOST_SEARCHES = 8


@dataclass(slots=True)
class _Followed:
    chronicle: Chronicle
    wanted: int = 0
    error: EvoengineError | None = None


@dataclass(slots=True)
class _Searches:
    asked: OrderedDict[tuple[str, int], Future[list[tuple[str, int, str]]]] = field(default_factory=OrderedDict)


class Following:
    """The store, with a chronicle of each campaign that is looked at.

    A page is made under `lock`, from what has been read by then: nobody waits longer than `patience` for the rest,
    which a thread goes on to read.

    Args:
        store: opened; for pages alone.
        patience: seconds.
    """

    def __init__(self, store: Store, patience: float) -> None:
        self.store, self.patience = store, patience
        self.lock = threading.RLock()
        self._turned = threading.Condition(self.lock)
        self._followed: OrderedDict[int, _Followed] = OrderedDict()
        self._closing = False
        self._reader = threading.Thread(target=self._read, name="evoengine-view", daemon=True)
        self._searching = ThreadPoolExecutor(max_workers=1, thread_name_prefix="evoengine-search")
        self._searches = _Searches()

    def __enter__(self) -> Following:
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._turned:
            self._closing = True
            self._turned.notify_all()
        self._reader.join()
        self._searching.shutdown(cancel_futures=True)

    def chronicle(self, row: CampaignRow) -> Chronicle:
        """The chronicle of a campaign, as far as it could be read.

        Raises:
            EvoengineError: it cannot be read.
        """
        with self._turned:
            followed = self._followed.get(row.id)
            if followed is None or followed.error is not None:
                followed = self._followed[row.id] = _Followed(_begun(row))
            self._followed.move_to_end(row.id)
            while len(self._followed) > _MOST_CAMPAIGNS:
                self._followed.popitem(last=False)
            followed.wanted = self.store.last(row)
            self._turned.notify_all()
            far = followed.wanted - followed.chronicle.count > _FAR  # it would be waited for in vain
            until = time.monotonic() + (0.0 if far else self.patience)
            while followed.error is None and followed.chronicle.count < followed.wanted:
                left = until - time.monotonic()
                if left <= 0:
                    break
                self._turned.wait(left)
            if followed.error is not None:
                raise followed.error
            return followed.chronicle

    def known(self, row: CampaignRow) -> Chronicle | None:
        """The chronicle of a campaign that has been looked at before."""
        with self.lock:
            followed = self._followed.get(row.id)
            return None if followed is None else followed.chronicle

    def search(self, text: str, limit: int) -> list[tuple[str, int, str]] | None:
        """Records whose source holds these words; None while the index of a large store is being made.

        Raises:
            StoreError: the store cannot be searched.
        """
        with self.lock:
            asked = self._searches.asked
            found = asked.get((text, limit))
            if found is None:
                found = asked[text, limit] = self._searching.submit(self._search, text, limit)
            while len(asked) > _MOST_SEARCHES:
                asked.popitem(last=False)[1].cancel()
        try:
            result = found.result(timeout=self.patience)
        except TimeoutError:
            return None
        finally:
            if found.done():
                with self.lock:
                    self._searches.asked.pop((text, limit), None)
        return result

    def _search(self, text: str, limit: int) -> list[tuple[str, int, str]]:
        store = self.store.fresh()
        store.open(create=False)
        try:
            return store.search(text, limit)
        finally:
            store.close()

    def _read(self) -> None:
        """Reads on, in its own thread, with a connection of its own."""
        store = self.store.fresh()
        try:
            while True:
                with self._turned:
                    while not self._closing and not self._behind():
                        self._turned.wait()
                    if self._closing:
                        return
                    followed = self._behind()[-1]
                    row, count = followed.chronicle.row, followed.chronicle.count
                try:
                    store.open(create=False)
                    outlines = list(store.outlines(row, after=count, until=count + _BATCH))
                    with self._turned:
                        followed.chronicle.take(outlines)
                        self._turned.notify_all()
                except Exception as error:  # a plugin's archive, or a store that went away: the page says so
                    with self._turned:
                        followed.error = _explained(row, error)
                        self._turned.notify_all()
                time.sleep(0.0005)  # a lock that is taken again at once leaves nobody else a turn
        finally:
            with suppress(EvoengineError):
                store.close()

    def _behind(self) -> list[_Followed]:
        """Those that have records left to read, the one that was looked at last at the end."""
        return [one for one in self._followed.values() if one.error is None and one.chronicle.count < one.wanted]


def _begun(row: CampaignRow) -> Chronicle:
    try:
        return Chronicle(row)
    except Exception as error:  # settings that another version, or another program, has written
        raise _explained(row, error) from error


def _explained(row: CampaignRow, error: Exception) -> EvoengineError:
    if isinstance(error, EvoengineError):
        return error
    return CampaignError(f"campaign {row.name!r} cannot be read here ({type(error).__name__}: {error}).")
