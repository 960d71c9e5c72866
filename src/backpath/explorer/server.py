"""Serves the explorer: the socket, the address, and uvicorn with limits."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
from collections import Counter
from typing import Any, ClassVar

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from backpath.errors import InputError
from backpath.explorer import limits
from backpath.explorer.app import Explorer
from backpath.explorer.security import Rules

LOOPBACK = ("127.0.0.1", "localhost", "::1")
EVERY_ADDRESS = ("0.0.0.0", "::")
HEADER_BYTES = 16 * 1024
HEADER_SECONDS = limits.BODY_SECONDS / 6
CONNECTIONS = 4 * limits.SESSIONS
MOST_WAITING = limits.SESSIONS  # connections without a request
NO_NEWS = ("without completing handshake", "Invalid HTTP request", "graceful shutdown exceeded")


def bind(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises
    ------
    InputError
        If the port is in use or not permitted, or the host is not an address of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError):
        raise InputError(
            f"--host {host} is not an address of this machine; leave it out for this machine only"
        ) from None
    # with an explicit protocol, asyncio turns off Nagle's algorithm, which would delay small parts by 40 ms
    found = socket.socket(family, kind, protocol)
    if os.name == "posix":  # a port is free as soon as its server has ended; elsewhere two servers could share it
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        found.bind(address)
        found.listen(128)
    except OSError as error:
        found.close()
        raise InputError(
            f"cannot listen on {host}, port {port}: {error.strerror}; try another --port, or 0 for any"
        ) from None
    return found


def is_loopback(host: str) -> bool:
    return host in LOOPBACK or host.startswith("127.")


def names_of(host: str) -> list[str]:
    """The host names under which a page may reach this server.

    >>> names_of("127.0.0.1")
    ['127.0.0.1', 'localhost', '::1']
    """
    if is_loopback(host):
        return list(dict.fromkeys((host, *LOOPBACK)))
    if host not in EVERY_ADDRESS:
        return [host]
    own = socket.gethostname()
    try:
        addresses = [str(found[4][0]) for found in socket.getaddrinfo(own, None, type=socket.SOCK_STREAM)]
    except OSError:
        addresses = []
    return list(dict.fromkeys((*addresses, own, *LOOPBACK)))


class Address:
    """Where a server listens, and the URL that opens its page."""

    def __init__(self, host: str, port: int, token: str | None = None) -> None:
        self.socket = bind(host, port)
        names = names_of(host)
        self.rules = Rules.of(token or secrets.token_urlsafe(24), names, self.socket.getsockname()[1])
        self.url = f"http://{self.rules.hosts[0]}/?token={self.rules.token}"


def server(explorer: Explorer) -> uvicorn.Server:
    """A server; its ``run([address.socket])`` serves until it is interrupted."""
    config = uvicorn.Config(
        explorer.app(),
        http=PatientProtocol,
        ws="websockets-sansio",
        ws_max_size=limits.FRAME_BYTES,
        ws_per_message_deflate=False,  # costs time and memory per page, and most pages are on this machine
        access_log=False,  # its lines would contain the token
        log_level="warning",
        server_header=False,
        proxy_headers=False,
        limit_concurrency=CONNECTIONS,
        timeout_graceful_shutdown=1,
        h11_max_incomplete_event_size=HEADER_BYTES,
    )
    logging.getLogger("uvicorn.error").addFilter(_is_news)
    logging.getLogger("asyncio").addFilter(Counted())
    return uvicorn.Server(config)


def _is_news(record: logging.LogRecord) -> bool:
    """Drops uvicorn's errors about invalid requests, refused websockets, and requests that Ctrl-C ends."""
    ended = record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError)
    return not ended and not any(text in record.getMessage() for text in NO_NEWS)


class Counted(logging.Filter):
    """Passes a message the first time, and the 10th, 100th … time with its count, because at the limit of open files
    the event loop logs one for each connection."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: Counter[str] = Counter()

    def filter(self, record: logging.LogRecord) -> bool:
        said = str(record.msg).partition("\n")[0]
        self._seen[said] += 1
        count = self._seen[said]
        if count > 1:
            record.msg, record.args, record.exc_info = f"{said} ({count:,} times)", (), None
        return str(count).strip("0") == "1"


class PatientProtocol(H11Protocol):
    """Limits the time for a request's headers, so that clients that send nothing or byte by byte are disconnected. If
    too many connections are waiting, the oldest ones are closed."""

    waiting: ClassVar[dict[PatientProtocol, None]] = {}  # for a request, the longest first

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        self.waiting.pop(self, None)
        super().connection_lost(exc)

    def handle_events(self) -> None:
        super().handle_events()
        if self.cycle is not None and not self.cycle.response_complete:
            self.waiting.pop(self, None)

    def handle_websocket_upgrade(self, event: Any) -> None:
        self.waiting.pop(self, None)
        super().handle_websocket_upgrade(event)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._expect()

    def _expect(self) -> None:
        """Start the time limit for the next request."""
        self.waiting.pop(self, None)
        if len(self.waiting) >= MOST_WAITING:
            first = next(iter(self.waiting))
            del self.waiting[first]
            first.transport.close()
        if not self.transport.is_closing():
            self.waiting[self] = None
        asyncio.get_running_loop().call_later(HEADER_SECONDS, self._late, self.cycle)

    def _late(self, cycle: object) -> None:
        if self.cycle is cycle and self.transport.get_protocol() is self and not self.transport.is_closing():
            self.transport.close()
