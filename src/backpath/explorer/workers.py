"""The threads that compute, so that the event loop always has time for the next message."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

NICENESS = 5
TURN, LEAST_TURN = 0.012, 0.004  # seconds that a session trains before the next one's turn


def _stand_back() -> None:
    """Let this thread's work wait where a click or another program needs the processor."""
    if sys.platform == "linux":  # elsewhere priorities are a whole process's
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


class Workers:
    """One pool for training, which leaves a processor free, and one for questions and edits.

    The pool takes its work in the order in which it came, and a session hands in its next turn when it has the last
    one back: so every session trains equally long.
    """

    def __init__(self) -> None:
        self.trainers = max(1, (os.cpu_count() or 2) - 1)
        self.training = 0  # sessions that train now
        self._training = ThreadPoolExecutor(self.trainers, "training", _stand_back)
        self._asking = ThreadPoolExecutor(4, "asking")
        self._checking = ThreadPoolExecutor(1, "checking")

    @property
    def turn_seconds(self) -> float:
        """Shorter turns where many train, so that none waits long for its own."""
        return max(LEAST_TURN, TURN * self.trainers / max(1, self.training, self.trainers))

    async def train(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._training, lambda: function(*args, **kwargs))

    async def ask(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._asking, lambda: function(*args, **kwargs))

    async def check(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What may take seconds, one after the other, so that quick questions need not wait for it."""
        return await asyncio.get_running_loop().run_in_executor(self._checking, lambda: function(*args, **kwargs))

    def close(self) -> None:
        for pool in (self._training, self._asking, self._checking):
            pool.shutdown(wait=False, cancel_futures=True)
