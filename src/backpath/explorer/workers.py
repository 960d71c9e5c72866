"""The threads that compute, so that the event loop stays free for messages."""

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
TURN, LEAST_TURN = 0.012, 0.004  # seconds that a session trains at a time


def _stand_back() -> None:
    """Lower this thread's priority, so that clicks and other programs come first."""
    if sys.platform == "linux":  # elsewhere only processes have priorities
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


class Workers:
    """One pool for training, which leaves a core free, and one for questions and edits.

    The pool works in order of submission, and a session submits its next turn after the previous one returns, so all
    sessions get equal time.
    """

    def __init__(self) -> None:
        self.trainers = max(1, (os.cpu_count() or 2) - 1)
        self.training = 0  # sessions in training
        self._training = ThreadPoolExecutor(self.trainers, "training", _stand_back)
        self._asking = ThreadPoolExecutor(4, "asking")
        self._checking = ThreadPoolExecutor(1, "checking")

    @property
    def turn_seconds(self) -> float:
        """The length of a turn, which is shorter if many sessions train."""
        return max(LEAST_TURN, TURN * self.trainers / max(1, self.training, self.trainers))

    async def train(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._training, lambda: function(*args, **kwargs))

    async def ask(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._asking, lambda: function(*args, **kwargs))

    async def check(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run work that may take seconds, one piece at a time, so that quick questions need not wait."""
        return await asyncio.get_running_loop().run_in_executor(self._checking, lambda: function(*args, **kwargs))

    def close(self) -> None:
        for pool in (self._training, self._asking, self._checking):
            pool.shutdown(wait=False, cancel_futures=True)
