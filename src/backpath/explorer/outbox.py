"""Sends to a page: answers and events in order; a frame only if the previous one has been sent."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from starlette.websockets import WebSocketDisconnect

Send = Callable[[str], Awaitable[None]]
GONE = (WebSocketDisconnect, RuntimeError, OSError)  # raised while sending to a page that has disconnected


class Outbox:
    """Sends to one page, one message at a time, while the page is connected."""

    def __init__(self, send: Send) -> None:
        self._send: Send | None = send
        self._lock = asyncio.Lock()
        self._frame: asyncio.Task[None] | None = None

    @property
    def is_free(self) -> bool:
        """Whether a frame would be sent at once."""
        return not self._lock.locked() and (self._frame is None or self._frame.done())

    async def put(self, text: str) -> None:
        """Send a message after all earlier ones; a disconnected page gets nothing."""
        if self._frame is not None:
            await asyncio.wait([self._frame])
        await self._sent(text)

    def offer(self, text: str) -> None:
        """Send a frame without waiting for a slow page."""
        self._frame = asyncio.create_task(self._sent(text))

    async def _sent(self, text: str) -> None:
        async with self._lock:
            if self._send is not None:
                with suppress(*GONE):
                    await self._send(text)

    def attach(self, send: Send | None) -> None:
        """Send to another socket of the page, or to none."""
        self.close()
        self._send = send

    def close(self) -> None:
        if self._frame is not None:
            self._frame.cancel()
            self._frame = None
