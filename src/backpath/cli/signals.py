"""A request to stop (SIGTERM), a closed terminal (SIGHUP) and Ctrl-C end a command the same way: the result so far
is saved, and the exit status is 128 + the signal's number."""

from __future__ import annotations

import os
import signal
import stat
import sys
from types import FrameType
from typing import Any

_received = 0


def listen() -> None:
    """Treat each of them like Ctrl-C, unless it is ignored, as under ``nohup``."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)  # Windows has no SIGHUP
        if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)


def end_quietly_at_hang_up(server: Any) -> None:
    """Let uvicorn end at SIGHUP as it does at Ctrl-C and SIGTERM, which it handles itself."""
    number = getattr(signal, "SIGHUP", None)
    if number is not None and signal.getsignal(number) is not signal.SIG_IGN:
        signal.signal(number, lambda *_: setattr(server, "should_exit", True))


def exit_status(usual: int = 0) -> int:
    """128 + the number of the received signal, as in shells; the usual status if there was none."""
    return 128 + _received if _received else usual


def _stop(number: int, frame: FrameType | None) -> None:
    global _received  # noqa: PLW0603 - a process stops once
    _received = number
    if number == getattr(signal, "SIGHUP", None):
        sink = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            if stat.S_ISCHR(os.fstat(stream.fileno()).st_mode):  # the closed terminal, where a write would fail
                os.dup2(sink, stream.fileno())
    raise KeyboardInterrupt
