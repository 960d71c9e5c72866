"""Delays requests to stop until they do no harm: between two epochs, or when an import is complete."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class HeldBack:
    """While entered, the first signal waits for `let_through`; the second one is handled at once.

    Only the main thread receives signals; in other threads there is nothing to hold back.
    """

    def __init__(self) -> None:
        self._handlers: dict[int, Any] = {}
        self._came: tuple[int, FrameType | None] | None = None
        self.broke_in = False  # whether a second one interrupted training at any place

    def __enter__(self) -> HeldBack:
        if threading.current_thread() is threading.main_thread():
            found = {number: signal.getsignal(number) for number in SIGNALS}
            self._handlers = {number: handler for number, handler in found.items() if callable(handler)}
            for number in self._handlers:
                signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        self.let_through()

    def let_through(self) -> None:
        """Handle the waiting signal, if there is one."""
        came, self._came = self._came, None
        if came:
            self._handlers[came[0]](*came)

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._came is None:
            self._came = number, frame
        else:
            self._came, self.broke_in = None, True  # both are handled now
            self._handlers[number](number, frame)
