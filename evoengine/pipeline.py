"""Proposals in flight: asked in order, worked on at once, committed in order."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Sequence

from evoengine.events import Progress
from evoengine.proposing import Proposal
from evoengine.types import Draft


class Pipeline:
    """Turns drafts into committed records.

    Every draft that is available is worked on at once. A result waits until all earlier ones are there, and
    is committed with its neighbours in one group. A commit makes new drafts available, as it may follow from
    the records alone; so the order in which work happens to finish cannot be seen in the log.

    Args:
        drafts: with the progress each was drafted from; `commit` adds to it.
        propose: makes and evaluates a candidate.
        commit: records finished proposals, in order.
        halted: why a draft and all later ones should not be begun, or None.
        waits: whether a draft should wait until more is known of those in flight. It may change when work is
            begun, and must not change what is begun.
        deadline: seconds from the start of `run` after which work in flight is given up, unrecorded.
    """

    def __init__(
        self,
        *,
        drafts: deque[tuple[Draft, Progress]],
        propose: Callable[[Draft, float | None], Awaitable[Proposal]],
        commit: Callable[[Sequence[Proposal]], None],
        halted: Callable[[Draft, Progress], str | None],
        waits: Callable[[Draft, Progress, Collection[Draft]], bool],
        deadline: float | None = None,
    ) -> None:
        self._drafts, self._propose, self._commit, self._halted = drafts, propose, commit, halted
        self._waits = waits
        self._deadline = deadline
        self.gave_up = False
        """Whether some work was given up, so that drafts are missing."""
        self._finished: dict[int, Proposal] = {}
        self._failures: list[BaseException] = []
        self._running: set[asyncio.Task[None]] = set()
        self._news = asyncio.Event()

    async def run(self) -> str:
        """Works until `halted` says why not, then finishes what is in flight; gives the reason.

        Raises:
            Exception: what `propose` or `commit` raised; nothing is left running.
        """
        awaited: deque[Draft] = deque()
        reason: str | None = None
        until = None if self._deadline is None else asyncio.get_running_loop().time() + self._deadline
        try:
            while True:
                while reason is None and self._drafts:
                    draft, progress = self._drafts[0]
                    reason = self._halted(draft, progress)
                    if reason is None:
                        if awaited and self._waits(draft, progress, awaited):
                            break
                        self._drafts.popleft()
                        awaited.append(draft)
                        self._begin(draft, progress.best)
                if not awaited:
                    return reason or "there is nothing left to do"
                try:
                    async with asyncio.timeout_at(until):
                        await self._news.wait()
                except TimeoutError:
                    self.gave_up = True
                    return reason or "the time is over"
                self._news.clear()
                if self._failures:
                    raise self._failures[0]
                ready: list[Proposal] = []
                while awaited and awaited[0].number in self._finished:
                    ready.append(self._finished.pop(awaited.popleft().number))
                self._commit(ready)
        finally:
            unfinished = list(self._running)
            for task in unfinished:
                task.cancel()
            await asyncio.gather(*unfinished, return_exceptions=True)

    def _begin(self, draft: Draft, best: float | None) -> None:
        task = asyncio.get_running_loop().create_task(self._work(draft, best))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _work(self, draft: Draft, best: float | None) -> None:
        try:
            self._finished[draft.number] = await self._propose(draft, best)
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # whatever it is, `run` raises it again
            self._failures.append(error)
        self._news.set()
