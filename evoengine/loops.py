"""Running a coroutine from code that is not async, wherever that code runs."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, ThreadPoolExecutor
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
        finally:
            asyncio.set_event_loop(None)
            loop.close()

    try:
        asyncio.get_running_loop()
        nested = True
    except RuntimeError:
        nested = False
    if not nested and threading.current_thread() is threading.main_thread():
        loop.add_signal_handler(signal.SIGINT, interrupted)
        try:
            return runs()
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None
    with ThreadPoolExecutor(max_workers=1) as pool:
        future = pool.submit(runs)
        while True:
            try:
                return future.result()
            except KeyboardInterrupt:
                loop.call_soon_threadsafe(interrupted)
            except CancelledError:
                raise KeyboardInterrupt from None
