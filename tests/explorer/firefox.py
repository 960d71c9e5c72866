"""A Firefox that is controlled over WebDriver BiDi, the browser's own protocol: no driver is needed.

Source: https://w3c.github.io/webdriver-bidi/
"""

from __future__ import annotations

import json
import subprocess
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from websockets.sync.client import connect

STARTED = "WebDriver BiDi listening on "


class Firefox:
    """One tab of a separate Firefox.

    Attributes
    ----------
    complaints : list of str
        Errors on the console.
    """

    def __init__(self, path: str, profile: Path, width: int = 1366, height: int = 768) -> None:
        profile.mkdir(parents=True, exist_ok=True)
        command = [path, "--headless", "--no-remote", "--remote-debugging-port", "0", "--profile", str(profile)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr is not None
        address = next(line for line in self.process.stderr if STARTED in line).partition(STARTED)[2].strip()
        self._drain = threading.Thread(target=self.process.stderr.read, daemon=True)
        self._drain.start()
        self._open = ExitStack()
        self._socket = self._open.enter_context(connect(f"{address}/session", max_size=None, compression=None))
        self._number = 0
        self.complaints: list[str] = []
        self.ask("session.new", capabilities={})
        self.ask("session.subscribe", events=["log.entryAdded"])
        self.tab = self.ask("browsingContext.getTree")["contexts"][0]["context"]
        self.ask("browsingContext.setViewport", context=self.tab, viewport={"width": width, "height": height})

    def ask(self, method: str, **given: Any) -> Any:
        self._number += 1
        self._socket.send(json.dumps({"id": self._number, "method": method, "params": given}))
        while True:
            message = json.loads(self._socket.recv(60))
            if message.get("method") == "log.entryAdded" and message["params"]["level"] == "error":
                self.complaints.append(str(message["params"].get("text")))
            if message.get("id") == self._number:
                assert message["type"] == "success", message
                return message["result"]

    def open(self, url: str) -> None:
        self.ask("browsingContext.navigate", context=self.tab, url=url, wait="complete")

    def reload(self) -> None:
        self.ask("browsingContext.reload", context=self.tab, wait="complete")

    def run(self, expression: str) -> Any:
        """The value of an expression, by JSON."""
        found = self.ask(
            "script.evaluate",
            expression=f"JSON.stringify({expression})",
            target={"context": self.tab},
            awaitPromise=False,
        )
        assert found["type"] == "success", found
        return json.loads(found["result"]["value"]) if "value" in found["result"] else None

    def until(self, condition: str, seconds: float = 40) -> None:
        end = time.monotonic() + seconds
        while not self.run(condition):
            assert time.monotonic() < end, f"still not: {condition}"
            time.sleep(0.05)

    def click(self, selector: str) -> None:
        """A real click in the middle of an element."""
        middle = self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)}); "
            "e.scrollIntoView({ block: 'nearest' }); "
            "const { x, y, width, height } = e.getBoundingClientRect(); "
            "return [Math.round(x + width / 2), Math.round(y + height / 2)] })()"
        )
        x, y = middle
        moves = [
            {"type": "pointerMove", "x": x, "y": y},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        source = {"type": "pointer", "id": "mouse", "actions": moves}
        self.ask("input.performActions", context=self.tab, actions=[source])

    def press(self, key: str) -> None:
        keys = [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
        self.ask("input.performActions", context=self.tab, actions=[{"type": "key", "id": "keys", "actions": keys}])

    def close(self) -> None:
        self._open.close()
        self.process.terminate()
        self.process.wait(20)
        self._drain.join(5)
        if self.process.stderr is not None:
            self.process.stderr.close()
