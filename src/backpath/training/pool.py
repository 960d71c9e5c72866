"""Runs calls on several threads, so that Ctrl-C ends them soon."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

from backpath.interrupts import HeldBack

T = TypeVar("T")

LOOK_SECONDS = 0.1


def run_on_threads(
    calls: Iterable[Callable[[], T]],
    threads: int,
    *,
    stop: Callable[[], object] = lambda: None,
    look: Callable[[], object] = lambda: None,
) -> tuple[list[T], bool]:
    """The results of these calls, and whether Ctrl-C was pressed meanwhile.

    After Ctrl-C, or an exception of ``look``, ``stop`` has to make the calls return soon. ``look`` is called about ten
    times a second, and at the end.
    """
    interrupted = False
    # Signals are held back, because Ctrl-C within `wait` can leave it with locks that the threads wait for
    with HeldBack() as signals, ThreadPoolExecutor(threads) as pool:
        futures = [pool.submit(call) for call in calls]
        pending = set(futures)
        while pending:
            try:
                pending = wait(pending, timeout=LOOK_SECONDS).not_done
                look()
                signals.let_through()
            except KeyboardInterrupt:
                interrupted = True
                stop()
            except BaseException:
                stop()
                raise
        return [future.result() for future in futures], interrupted
