"""The explorer under load: the time of a click while other pages train, and the memory after all have left.

    python -m bench.explorer_load [--seconds 300]

1. One page trains: the time of ``derive`` (median), and frames a second.
2. Thirty pages train at once: the time of ``derive`` (95th percentile).
3. A hundred pages, thirty of which train, for some minutes: errors, and the server's memory before and after.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect

WEIGHTS = ("W11_1", "W12_1", "W1~_1", "W11_2")
BETWEEN_CLICKS = 1.0  # seconds between the clicks of one user


class Learner:
    """A page that sends requests, and counts the frames between the answers."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket, self.number, self.frames = socket, 0, 0
        self.waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.reader = asyncio.create_task(self._read())

    @classmethod
    async def arrived(cls, url: str) -> Learner:
        parts = urlsplit(url)
        address, origin = f"ws://{parts.netloc}/ws?{parts.query}", f"http://{parts.netloc}"
        return cls(await connect(address, origin=origin, compression=None, max_size=None))  # type: ignore[arg-type]

    async def _read(self) -> None:
        async for text in self.socket:
            message = json.loads(text)
            if "event" in message:
                self.frames += message["event"] == "frame"
            else:
                self.waiting.pop(message["id"]).set_result(message)

    async def ask(self, do: str, **given: Any) -> float:
        """The seconds until the answer; an error ends the measurement."""
        self.number += 1
        answer = self.waiting[self.number] = asyncio.get_running_loop().create_future()
        began = time.perf_counter()
        await self.socket.send(json.dumps({"id": self.number, "do": do, **given}))
        found = await asyncio.wait_for(answer, 30)
        if "error" in found:
            raise RuntimeError(found["error"])
        return time.perf_counter() - began

    async def leave(self) -> None:
        await self.socket.close()
        await self.reader


async def click(learner: Learner, seconds: float, pause: float, offset: float = 0.0) -> list[float]:
    """Clicks on weights for some time; returns the time of each."""
    await asyncio.sleep(offset)
    until, found = time.perf_counter() + seconds, []
    while time.perf_counter() < until:
        found.append(await learner.ask("derive", weight=WEIGHTS[len(found) % len(WEIGHTS)]))
        await asyncio.sleep(pause)
    return found


async def arrive(url: str, count: int, training: int) -> list[Learner]:
    learners = [await Learner.arrived(url) for _ in range(count)]
    for place, learner in enumerate(learners[:training]):
        await learner.ask("set", dataset=("xor", "circle", "spiral")[place % 3])
        await learner.ask("surface", resolution=48)
        await learner.ask("train", speed="max")
    return learners


async def one(url: str, seconds: float) -> str:
    (learner,) = await arrive(url, 1, 1)
    await asyncio.sleep(2)
    learner.frames = 0
    times = await click(learner, seconds, 0.05)
    rate = learner.frames / seconds
    await learner.leave()
    return f"1 training: derive {1000 * statistics.median(times):.1f} ms at the median, {rate:.0f} frames a second"


async def many(url: str, count: int, training: int, seconds: float) -> str:
    learners = await arrive(url, count, training)
    offsets = [BETWEEN_CLICKS * k / count for k in range(count)]
    clicks = (
        click(learner, seconds, BETWEEN_CLICKS, offset) for learner, offset in zip(learners, offsets, strict=True)
    )
    times = [time for some in await asyncio.gather(*clicks) for time in some]
    frames = sum(learner.frames for learner in learners) / training / seconds
    await asyncio.gather(*(learner.leave() for learner in learners))
    p95, median = (1000 * value for value in (statistics.quantiles(times, n=20)[-1], statistics.median(times)))
    return (
        f"{count} pages, {training} training: {len(times):,} clicks, none in error; derive {median:.0f} ms at the "
        f"median, {p95:.0f} ms at the 95th percentile, {1000 * max(times):.0f} ms at most; {frames:.1f} frames a second"
    )


def memory(process: int) -> float:
    """The memory of a process, in MiB."""
    lines = Path(f"/proc/{process}/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


async def measured(url: str, process: int, seconds: float) -> None:
    print(await one(url, 5), flush=True)
    print(await many(url, 30, 30, min(seconds, 20)), flush=True)
    for _ in range(2):  # the first time, threads and libraries allocate memory that they keep
        before = memory(process)
        served = await many(url, 100, 30, seconds / 2)
        most = memory(process)
        await asyncio.sleep(2)
        print(
            f"{served}; memory {before:.0f} MiB, then {most:.0f}, and {memory(process):.0f} after they left", flush=True
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=300, help="duration of the third measurement")
    seconds = parser.parse_args().seconds
    command = [sys.executable, "-m", "backpath", "explore", "--no-browser", "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"}
    ) as server:
        try:
            url = server.stdout.readline().strip() if server.stdout else ""
            time.sleep(5)  # until the kernels are loaded
            asyncio.run(measured(url, server.pid, seconds))
        finally:
            server.terminate()


if __name__ == "__main__":
    main()
