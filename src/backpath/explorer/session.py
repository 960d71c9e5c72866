"""One user's session: a scene, the scenes before it, and its training. Sessions share nothing."""

from __future__ import annotations

import asyncio
import sys
import traceback
from collections import deque
from collections.abc import Callable
from typing import Any

from backpath.errors import DivergenceError, InputError
from backpath.explorer import commands, fields, limits
from backpath.explorer.outbox import Outbox, Send
from backpath.explorer.protocol import Message, choices, read, write
from backpath.explorer.scene import Scene
from backpath.explorer.settings import weight_count
from backpath.explorer.surface import Surface
from backpath.explorer.training import MOST_EPOCHS, Training
from backpath.explorer.turns import Run
from backpath.explorer.view import view
from backpath.explorer.workers import Workers
from backpath.files.wording import quoted

FAULT = "an internal error of the explorer; see the server's terminal"


class Session:
    """The state of one page, and its commands.

    Parameters
    ----------
    key : str
        The session's secret, known only to this page.
    scene : Scene
        The first scene.
    """

    def __init__(self, key: str, scene: Scene, workers: Workers, outbox: Outbox, note: str = "") -> None:
        self.key, self.scene = key, scene
        self._workers, self._outbox, self._note = workers, outbox, note
        self._before: deque[Scene] = deque(maxlen=limits.UNDO)
        self._training: Training | None = None
        self._task: asyncio.Task[None] | None = None
        self._resting: tuple[float | None, int, bool] | None = None  # arguments of `_go` for a run whose page is away
        self._surface: Surface | None = None
        self._lock = asyncio.Lock()  # an upload may arrive between two messages

    async def greet(self, resumed: bool = False) -> None:
        """The first message to the page. ``resumed``: it has reconnected, and a run continues."""
        async with self._lock:
            await self._rest()
            hello = {"event": "hello", "session": self.key, "choices": choices(), "resumed": resumed}
            await self._push_view(hello)
            if self._resting is not None:
                await self._go(*self._resting)
                self._resting = None
                await self._push({"event": "running"})
        if self._note:
            await self._push({"event": "note", "message": self._note})

    async def answer(self, text: str | None) -> None:
        """Run a message's command and answer it; the session survives any error."""
        number: int | None = None
        try:
            message = read(text)
            number = message.id
            await self._outbox.put(await self._done(message))
        except InputError as error:
            await self._outbox.put(
                write({"id": number, "error": " ".join(error.naming(lambda name: name.replace("_", " ")).split())})
            )
        except DivergenceError as error:
            await self._outbox.put(write({"id": number, "error": " ".join(str(error).split())}))
        except MemoryError:
            await self._outbox.put(write({"id": number, "error": "not enough memory for this"}))
        except Exception:
            traceback.print_exc(file=sys.stderr)
            await self._outbox.put(write({"id": number, "error": FAULT}))

    async def _done(self, message: Message) -> str:
        """The answer to a message, as text."""
        if message.do == "ping":
            return write({"id": message.id, "ok": {}})
        if message.do in commands.QUESTIONS:
            worker = self._workers.check if message.do == "check" else self._workers.ask
            return await worker(self._asked, message, self.now)
        async with self._lock:
            if message.do == "train":
                await self._train(message.fields)
                return write({"id": message.id, "ok": {}})
            if message.do == "pause":
                await self._halt()
            elif message.do == "undo":
                await self._halt()
                if not self._before:
                    raise InputError("there is nothing to undo")
                self.scene = self._before.pop()
            elif message.do in commands.EDITS:
                await self._edit(message)
            else:
                raise InputError(f"there is no command named {quoted(message.do)}")
            return await self._workers.ask(self._viewed, message)

    @property
    def now(self) -> Scene:
        """The current scene, also during training."""
        return self._training.scene if self._training is not None else self.scene

    def _asked(self, message: Message, scene: Scene) -> str:
        found = commands.QUESTIONS[message.do](scene, message.fields)
        if message.do == "surface":
            self._surface = commands.asked_surface(scene, message.fields)
            if self._training is not None:
                self._training.surface = self._surface
        return write({"id": message.id, "ok": found})

    def _viewed(self, message: Message) -> str:
        return write({"id": message.id, "ok": view(self.scene, self._training is not None)})

    async def _edit(self, message: Message) -> None:
        """Change the scene; a run continues with the changes, unless its network was redrawn."""
        running = self._training
        if running is not None:
            await self._halt(report=False)
        before = self.scene
        try:
            found = await self._workers.ask(commands.EDITS[message.do], before, message.fields)
            self.scene = found.owning(before)
            if message.do not in ("sample", "row"):
                self._keep(before)
        finally:  # a refused edit does not affect the run
            if running is not None:
                await self._go_on(running, message.do not in commands.PAUSING and self.scene.start is before.start)

    async def _go_on(self, running: Training, wanted: bool) -> None:
        """Continue training, or report that it has stopped."""
        try:
            if wanted:
                await self._go(running.speed, running.most - running.run.epochs, running.until_solved)
        except InputError as error:
            running.message = error.naming(lambda name: name.replace("_", " "))
        if self._training is None:
            await self._report_stop(running)

    def _keep(self, scene: Scene) -> None:
        """Keep the scene for Undo."""
        self._before.append(scene.put_away())
        most = max(limits.UNDO_LEAST, limits.UNDO_WEIGHTS // weight_count(scene.settings.sizes))
        while len(self._before) > most:
            self._before.popleft()

    async def _train(self, given: dict[str, Any]) -> None:
        speed = given.get("speed", "max")
        rate = None if speed == "max" else min(fields.number(speed, "speed"), limits.SPEED)
        if rate is not None and rate <= 0:
            raise InputError(f"speed must be a number of epochs a second above 0, or 'max', but is {quoted(speed)}")
        until_solved = fields.truth(given.get("until_solved", False), "until_solved")
        epochs = given.get("epochs")
        most = MOST_EPOCHS if epochs is None else fields.whole(epochs, "epochs", 1, MOST_EPOCHS)
        if self.scene.data.typed:
            raise InputError("there are no samples to train on yet: give the model its table under Data, or add points")
        if self._training is not None:
            self._training.go(rate, most)
            self._training.until_solved = until_solved
            return
        before = self.scene
        await self._go(rate, most, until_solved)
        self._keep(before)

    async def _go(self, speed: float | None, most: int, until_solved: bool) -> None:
        scene = self.scene.with_network(self.scene.network, self.scene.timeline.copy())
        run = await self._workers.ask(Run, scene)
        surface = self._surface if self._surface and self._surface.fits(scene.network) else None
        self._training = Training(scene, run, speed, most, surface, until_solved)
        self._task = asyncio.create_task(self._until_over(self._training))

    async def _until_over(self, training: Training) -> None:
        """Train; report if it stops automatically."""
        try:
            await training.until_stopped(self._workers, self._outbox)
        except Exception:
            traceback.print_exc(file=sys.stderr)
            training.why, training.message = "fault", FAULT
        self.scene = training.scene
        if self._training is training and not training.was_stopped:
            self._training = None
            await self._report_stop(training)

    async def _halt(self, report: bool = True) -> None:
        """Stop training, if there is any, and keep the result."""
        training, task = self._training, self._task
        if training is None or task is None:
            return
        training.stop()
        await task
        self._training = self._task = None
        if report:
            await self._report_stop(training)

    async def _report_stop(self, training: Training) -> None:
        await self._push_view(
            {"event": "stopped", "why": training.why, "message": training.message, "tries": training.tries}
        )

    async def follow(self, run: Scene) -> None:
        """Show the new state of a run that is trained elsewhere, unless the user has changed something."""
        async with self._lock:
            mine = self.scene
            if self._training is None and mine.follows and mine.timeline is not run.timeline:
                self.scene = mine.following(run)
                await self._push_view({"event": "view"})

    async def take(self, make: Callable[[], Scene]) -> None:
        """Show another scene after an upload."""
        async with self._lock:
            await self._halt()
            scene = await self._workers.ask(make)
            self._keep(self.scene)
            self.scene = scene.owning(self.scene)
            await self._push_view({"event": "view"})

    async def _push(self, event: dict[str, Any]) -> None:
        await self._outbox.put(write(event))

    async def _push_view(self, event: dict[str, Any]) -> None:
        """Send an event with the current view, while nothing is trained."""
        scene = self.scene
        await self._outbox.put(await self._workers.ask(lambda: write(event | {"view": view(scene, False)})))

    async def rest(self) -> None:
        """Pause the run until the page is back."""
        async with self._lock:
            await self._rest()

    async def _rest(self) -> None:
        running = self._training
        if running is not None:
            await self._halt(report=False)
            self._resting = running.speed, running.most - running.run.epochs, running.until_solved

    def attach(self, send: Send | None) -> None:
        """Send to another socket of the same page, or to none while it is away."""
        self._outbox.attach(send)

    @property
    def speed(self) -> float | str | None:
        """The speed of the run, if there is one: epochs a second, or "max"."""
        if self._training is None:
            return None
        return "max" if self._training.speed is None else self._training.speed

    async def close(self) -> None:
        """End the session: stop training and release everything."""
        async with self._lock:
            await self._halt(report=False)
        self._outbox.close()
        self._before.clear()
