"""One session's training: turns in a worker's thread, and frames to the page, at the chosen speed."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import Any

from backpath.explorer import limits
from backpath.explorer.answer_quality import quality_lines
from backpath.explorer.live import live
from backpath.explorer.outbox import Outbox
from backpath.explorer.outcome import Outcome, diverged, outcome
from backpath.explorer.protocol import write
from backpath.explorer.scene import Scene
from backpath.explorer.settings import drawn, weight_count
from backpath.explorer.surface import Surface
from backpath.explorer.turns import Run, Turn
from backpath.explorer.view import finite, summary, weight_values
from backpath.explorer.workers import Workers
from backpath.maths.network import Network

MOST_EPOCHS = 10**9
AT_ONCE = 1_000_000  # epochs in a turn
MEASURED_EVERY, LIVE_EVERY = 0.25, 0.08  # seconds
AT_EVERY_FRAME = 100_000  # samples times weights whose cost is computed for each frame
SPEED_OVER = 0.5  # seconds over which the speed is measured


class Training:
    """Trains a scene until stopped.

    Attributes
    ----------
    scene : Scene
        The current scene.
    speed : float | None
        Epochs a second; None: as many as possible.
    until_solved : bool
        Stop automatically when solved or on a plateau.
    why, message, tries : str, str, list
        Why it ended, and remedies.
    """

    def __init__(
        self, scene: Scene, run: Run, speed: float | None, most: int, surface: Surface | None, until_solved: bool
    ) -> None:
        self.scene, self.run, self.most, self.surface, self.until_solved = scene, run, most, surface, until_solved
        self.why, self.message = "paused", ""
        self.tries: list[dict[str, Any]] = []
        self._from = scene.timeline.epoch
        self._stop = asyncio.Event()
        self._sent, self._thinned = len(scene.timeline.epochs), False
        self._next_frame = self._next_measure = self._next_live = 0.0
        self._measured = deque([(time.monotonic(), 0)])
        self.speed: float | None = None
        self.go(speed, most)

    def go(self, speed: float | None, most: int) -> None:
        """Set another speed, and the number of further epochs."""
        self.speed, self.most = speed, self.run.epochs + most
        self._began, self._before = time.monotonic(), self.run.epochs

    def stop(self) -> None:
        self._stop.set()

    @property
    def was_stopped(self) -> bool:
        return self._stop.is_set()

    async def until_stopped(self, workers: Workers, outbox: Outbox) -> None:
        """Train in turns; ``why`` then says why it ended."""
        workers.training += 1
        try:
            while not self._stop.is_set() and not self._is_over():
                due = min(self._due(), self.most - self.run.epochs, AT_ONCE)
                if due < 1:
                    await self._wait()
                    continue
                text = await workers.train(self._turn, workers.turn_seconds, due, outbox)
                if text is not None:
                    outbox.offer(text)
        finally:
            workers.training -= 1
            self.scene.timeline.settle(self.scene.network)

    def _due(self) -> int:
        """Epochs due by now."""
        if self.speed is None:
            return AT_ONCE
        return int((time.monotonic() - self._began) * self.speed) + 1 + self._before - self.run.epochs

    async def _wait(self) -> None:
        """Wait until the next epoch is due, or training is stopped."""
        ahead = (self.run.epochs - self._before) / (self.speed or 1) - (time.monotonic() - self._began)
        try:
            await asyncio.wait_for(self._stop.wait(), max(0.005, min(ahead, 0.25)))
        except TimeoutError:
            return

    def _turn(self, seconds: float, most: int, outbox: Outbox) -> str | None:
        """In a worker's thread: a turn, and a frame if one is due and the previous one has been sent."""
        turn = self.run.turn(seconds, most)
        timeline = self.scene.timeline
        self._thinned |= timeline.add(turn.costs, turn.network)
        self.scene = self.scene.with_network(turn.network, timeline)
        if turn.diverged is not None:
            self._end(diverged(self.scene, str(turn.diverged)))
            return None
        if self.until_solved and self.run.epochs >= self.most:  # the last epochs may all fall between two frames
            self._end(outcome(self.scene, self._from))
        if time.monotonic() < self._next_frame or not outbox.is_free:
            return None
        if self.until_solved:
            self._end(outcome(self.scene, self._from))
        self._next_frame = time.monotonic() + 1 / limits.FRAMES - seconds / 2
        return write(self._frame(turn))

    def _end(self, found: Outcome | None) -> None:
        if found is not None:
            self.why, self.message, self.tries = found.why, found.message, list(found.tries)

    def _frame(self, turn: Turn) -> dict[str, Any]:
        timeline = self.scene.timeline
        found: dict[str, Any] = {
            "event": "frame",
            "epoch": timeline.epoch,
            "epochs_per_second": self._speed(),
            "cost": self._cost(turn),
            "weights": weight_values(turn.network),
            "running": True,
        }
        if time.monotonic() >= self._next_live:
            self._next_live = time.monotonic() + LIVE_EVERY
            found["live"] = live(self.scene, turn.network)
        self._measure(found, turn.network)
        if not any(drawn(turn.network.sizes)):
            found["summary"] = summary(turn.network)
        start = 0 if self._thinned else self._sent
        points = list(zip(timeline.epochs[start:], timeline.costs[start:], strict=True))
        found["costs" if self._thinned else "new_costs"] = points
        self._sent, self._thinned = len(timeline.epochs), False
        if self.surface is not None:
            found["surface"] = self.surface.of(self.scene, turn.network)
        return found

    def _cost(self, turn: Turn) -> float | None:
        """The mean cost with the weights of the frame, or, if that takes long, of the last epoch before its update."""
        if len(self.scene.data.X) * weight_count(turn.network.sizes) <= AT_EVERY_FRAME:
            return finite(self.scene.cost)
        return finite(float(turn.costs[-1])) if len(turn.costs) else None

    def _measure(self, frame: dict[str, Any], network: Network) -> None:
        """At intervals: the quality of the answers, and the cost of the held-out rows."""
        now, data = time.monotonic(), self.scene.data
        if now < self._next_measure:
            return
        self._next_measure = now + MEASURED_EVERY
        frame["quality"] = quality_lines(data, network)
        if data.held_out is not None:
            cost = network.cost(data.held_out.X, data.held_out.y, self.scene.settings.cost)
            self.scene.timeline.measure(cost)
            frame["held_out"] = (self.scene.timeline.epoch, finite(cost))

    def _speed(self) -> float:
        """Epochs a second over about the last ``SPEED_OVER`` seconds."""
        now = time.monotonic()
        self._measured.append((now, self.run.epochs))
        while len(self._measured) > 2 and now - self._measured[1][0] > SPEED_OVER:
            self._measured.popleft()
        since, before = self._measured[0]
        return (self.run.epochs - before) / max(now - since, 0.1)

    def _is_over(self) -> bool:
        if self.why in ("diverged", "solved", "plateau"):
            return True
        if self.run.epochs >= self.most:
            self.why = "limit" if self.most >= MOST_EPOCHS else "epochs"
            return True
        return False
