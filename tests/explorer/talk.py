"""A server in a separate process, and a page that talks to it like the browser."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from websockets.sync.client import connect

import backpath as bp


@dataclass
class Server:
    """A running server.

    Attributes
    ----------
    url : str
        What it printed; ``base`` is it without path and token.
    errors : list of str
        The lines of its standard error.
    """

    process: subprocess.Popen[str]
    url: str
    errors: list[str] = field(default_factory=list)
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=60, trust_env=False))

    @property
    def base(self) -> str:
        return f"http://{urlsplit(self.url).netloc}"

    @property
    def token(self) -> str:
        return urlsplit(self.url).query.removeprefix("token=")

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.http.get(f"{self.base}{path}", params={"token": self.token} | options.pop("params", {}), **options)

    def post(self, path: str, session: str, raw: bytes, name: str = "table.csv", **params: str) -> httpx.Response:
        headers = {"Origin": self.base, "X-Name": name}
        asked = {"token": self.token, "session": session} | params
        return self.http.post(f"{self.base}{path}", params=asked, content=raw, headers=headers)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM if sys.platform == "win32" else signal.SIGINT)
        return self.process.wait(20)


@contextmanager
def served(*arguments: str | Path) -> Iterator[Server]:
    """``backpath explore`` on a free port."""
    command = [sys.executable, "-m", "backpath", "explore", "--no-browser", "--port", "0", *map(str, arguments)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"}
    )
    assert process.stdout is not None
    assert process.stderr is not None
    server = Server(process, process.stdout.readline().strip())
    reader = threading.Thread(target=lambda: server.errors.extend(process.stderr or ()), daemon=True)
    reader.start()
    try:
        assert server.url, process.stderr.read()
        yield server
    finally:
        if process.poll() is None:
            server.stop()
        reader.join(5)
        server.http.close()
        process.stdout.close()
        process.stderr.close()


class Page:
    """A page's websocket: asks, and keeps the events that come in between."""

    def __init__(self, server: Server, resume: str = "") -> None:
        address = f"ws://{urlsplit(server.url).netloc}/ws?token={server.token}&resume={resume}"
        self._open = ExitStack()
        self.socket = self._open.enter_context(connect(address, origin=server.base, max_size=None, compression=None))
        self.events: list[dict[str, Any]] = []
        self.number = 0
        hello = self.read()
        assert hello["event"] == "hello"
        self.session: str = hello["session"]
        self.choices, self.view = hello["choices"], hello["view"]

    def read(self, timeout: float = 20) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.socket.recv(timeout))
        return found

    def ask(self, do: str, **given: Any) -> dict[str, Any]:
        """The whole answer."""
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "do": do, **given}))
        while True:
            message = self.read()
            if "event" not in message:
                assert message["id"] == self.number
                return message
            self.events.append(message)

    def ok(self, do: str, **given: Any) -> Any:
        answer = self.ask(do, **given)
        assert "ok" in answer, answer
        return answer["ok"]

    def error(self, do: str, **given: Any) -> str:
        answer = self.ask(do, **given)
        assert "error" in answer, answer
        return str(answer["error"])

    def event_or_answer(self) -> dict[str, Any]:
        """The next answer to something that was sent by hand."""
        while True:
            message = self.read()
            if "event" not in message:
                return message
            self.events.append(message)

    def event(self, kind: str) -> dict[str, Any]:
        """The next event of a kind; others before it are kept in ``events``."""
        for place, message in enumerate(self.events):
            if message["event"] == kind:
                return self.events.pop(place)
        while True:
            message = self.read()
            if message.get("event") == kind:
                return message
            self.events.append(message)

    def close(self) -> None:
        self._open.close()

    def __enter__(self) -> Page:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()


def network_of(view: dict[str, Any]) -> bp.Network:
    """The network that a view shows."""
    sizes, values = view["state"]["sizes"], iter([weight["value"] for weight in view["weights"]])
    shapes = [(n, before + 1) for before, n in itertools.pairwise(sizes)]
    weights = [[[next(values) for _ in range(columns)] for _ in range(rows)] for rows, columns in shapes]
    return bp.Network.from_weights(weights, view["state"]["activations"])
