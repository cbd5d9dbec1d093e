"""Running a coroutine from code that is not async, wherever that code runs."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

_T = TypeVar("_T")


def in_fresh_loop(work: Coroutine[Any, Any, _T], halt: Callable[[], None]) -> _T:
    """Runs a coroutine to its end in a loop of its own, also from code that runs in a loop (a notebook).

    The first Ctrl-C calls `halt` and waits; the second cancels the work.
    """
    loop = asyncio.new_event_loop()
    interrupts = 0
    task: asyncio.Task[_T] | None = None

    def interrupted() -> None:
        nonlocal interrupts
        interrupts += 1
        halt()
        if interrupts > 1 and task is not None:
            task.cancel()

    def runs() -> _T:
        nonlocal task
        asyncio.set_event_loop(loop)
        try:
            task = loop.create_task(work)
            return loop.run_until_complete(task)
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None
        finally:
            _cancel_all(loop)
            asyncio.set_event_loop(None)
            loop.close()

    try:
        asyncio.get_running_loop()
        nested = True
    except RuntimeError:
        nested = False
    if not nested and threading.current_thread() is threading.main_thread():
        loop.add_signal_handler(signal.SIGINT, interrupted)
        return runs()
    with ThreadPoolExecutor(max_workers=1) as pool:
        future = pool.submit(runs)
        while True:
            try:
                return future.result()
            except KeyboardInterrupt:
                if future.done():
                    raise
                with suppress(RuntimeError):  # the loop has just closed: the next round tells how it ended
                    loop.call_soon_threadsafe(interrupted)


def _cancel_all(loop: asyncio.AbstractEventLoop) -> None:
    """Ends what a failed run left behind, so that nothing outlives its loop."""
    left = asyncio.all_tasks(loop)
    for one in left:
        one.cancel()
    loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    loop.run_until_complete(loop.shutdown_asyncgens())
