"""A folder in which a run saves its state, to resume after an interruption.

A run is a sequence of training runs, its parts, whose order depends only on the call: for a table, each candidate on
each division of the rows; for an estimator, each start. Each part saves its state to its own file now and then, and at
its end; the last two are kept. The same call goes through the same parts again: finished ones are restored, and the
next one resumes.

The files are described in ``training.run_folder``.
"""

from __future__ import annotations

import json
import os
import re
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Protocol

from backpath.errors import DivergenceError, InputError
from backpath.files.atomic import write_atomically
from backpath.files.checkpoint_format import decode, encode
from backpath.files.file_paths import PathLike
from backpath.files.locks import Lock
from backpath.files.wording import shown_path
from backpath.interrupts import HeldBack
from backpath.maths.checks import as_given
from backpath.training.fingerprints import differences, versions
from backpath.training.run_folder import numbers_of, read_run, states_of, write_run

Tell = Callable[[str], object]

_KEPT = 2  # checkpoints to keep of each part
_MAY_CHANGE = ("epochs", "learning_rate")
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_EVERY = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([smh]?)\s*")


class Saved(Protocol):
    """Training whose state can be saved."""

    epochs: int

    def state(self) -> dict[str, Any]: ...
    def restore(self, state: dict[str, Any]) -> None: ...

    def is_good(self) -> bool:
        """Whether the state is good enough to save: it has not diverged."""

    def standing(self) -> dict[str, Any]:
        """Epochs done, cost and so on."""

    def shown(self) -> dict[str, Any] | None:
        """The network and curve for views (see `training.run_views`); None if there is not a single network."""


def check_every(every: object) -> tuple[int | None, float]:
    """The number of epochs, or seconds, between two checkpoints.

    >>> check_every(100), check_every("60s"), check_every("1.5m")
    ((100, inf), (None, 60.0), (None, 90.0))
    """
    text = as_given(every) if isinstance(every, int) else every
    found = _EVERY.fullmatch(text) if isinstance(text, str) else None
    number = float(found[1]) if found else 0.0
    if found and found[2] and number > 0:
        return None, number * _UNITS[found[2]]
    if found and 1 <= number < 2**53 and number.is_integer():
        return int(number), float("inf")
    raise InputError(
        f"every must be a number of epochs, or a time such as '60s', '5m' or '1h', but is {as_given(every)}", "every"
    )


def _warn(text: str) -> None:
    warnings.warn(text, UserWarning, stacklevel=2)


class Checkpoints:
    """A run's folder, while this process uses it.

    Parameters
    ----------
    folder : created if it does not exist; a run that it contains must be the same
    every : int or str
        Epochs, or seconds as ``"60s"``, between two checkpoints.
    call : dict
        The call, as JSON data.
    usual : dict
        Further data for resuming, which may change.
    resume : str
        The command to resume, for messages.
    tell : callable
        Receives the messages for the user, line by line; by default they become warnings.
    """

    def __init__(
        self,
        folder: PathLike,
        every: int | str = "60s",
        *,
        call: dict[str, Any],
        usual: dict[str, Any] | None = None,
        resume: str = "",
        tell: Tell = _warn,
    ):
        self.folder, self.shown = Path(folder), shown_path(folder)
        self.every, self.seconds = check_every(every)
        self.call, self.usual, self.resume, self.tell = json.loads(json.dumps(call)), usual or {}, resume, tell
        self.interrupted = self.is_to_be_resumed = False
        self._parts = 0

    def __enter__(self) -> Checkpoints:
        self._is_new = not self.folder.exists()
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise InputError(f"cannot make the folder {self.shown}: {error.strerror}; give another path") from None
        if (
            any(self.folder.iterdir())
            and not (self.folder / "run.json").exists()
            and not (self.folder / "lock").exists()
        ):
            raise InputError(f"{self.shown} is not empty, and does not contain a run; give a new folder")
        self._lock = Lock(self.folder / "lock", f"the run in {self.shown}")
        self._before = None
        try:
            if (self.folder / "run.json").exists():
                self._before = (self.folder / "run.json").read_bytes()
                changed = differences(read_run(self.folder)["call"], self.call, _MAY_CHANGE)
                self._check(changed, "another run")
            self._note("running")
        except BaseException:
            self._leave_as_it_was()
            self._lock.release()
            raise
        self._writer = ThreadPoolExecutor(1, "checkpoints")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        self._writer.shutdown()
        state = "interrupted" if self.interrupted else "finished"
        if error is not None:
            ended = {KeyboardInterrupt: "interrupted", DivergenceError: "diverged"}
            state = next((word for cause, word in ended.items() if isinstance(error, cause)), "failed")
        self.is_to_be_resumed = state in ("interrupted", "failed") and bool(states_of(self.folder))
        with suppress(OSError):  # the disk is full; the run is listed as stopped
            if isinstance(error, InputError):
                self._leave_as_it_was()
            else:
                self._note(state)
        self._lock.release()

    def _leave_as_it_was(self) -> None:
        """Restore the folder after the call was refused."""
        if self._before is not None:
            write_atomically(self.folder / "run.json", self._before)
        elif not states_of(self.folder):
            (self.folder / "run.json").unlink(missing_ok=True)
            self._lock.remove()
            if self._is_new:
                self.folder.rmdir()

    def _note(self, state: str) -> None:
        record = {"state": state, "call": self.call, "usual": self.usual, "process": os.getpid()}
        write_run(self.folder, record | {"versions": versions()})

    def _check(self, changed: list[str], what: str) -> None:
        if changed:
            raise InputError(
                f"{self.shown} holds {what}: {'; '.join(changed)}; give another folder, or the same call and data"
            )

    @contextmanager
    def part(self, training: Saved, settings: dict[str, Any]) -> Iterator[RunPart]:
        """The next part: restored, saved now and then, and saved at its end."""
        self._parts += 1
        part = RunPart(self, self._parts, training, settings)
        with part.signals:
            part.go_on()
            try:
                yield part
            except DivergenceError as error:
                raise part.with_advice(error) from None
            except OSError:  # for example, the cluster is lost
                part.finish()
                raise
            part.finish()

    def task(self, training: Saved, settings: dict[str, Any]) -> RunPart:
        """The next part, trained elsewhere: restored if it was saved; call `finish` when its result arrives."""
        self._parts += 1
        part = RunPart(self, self._parts, training, settings)
        part.go_on()
        return part

    def write(self, path: Path, state: dict[str, Any], about: dict[str, Any]) -> Future[bool]:
        """Write a state next to the last one, in a separate thread."""
        return self._writer.submit(self._write, path, state, about)

    def _write(self, path: Path, state: dict[str, Any], about: dict[str, Any]) -> bool:
        parts = encode(state, about)

        def write(file: Any) -> None:
            for data in parts:
                file.write(data)

        try:
            write_atomically(path, write)
        except (OSError, InputError) as error:
            reason = getattr(error, "strerror", None) or error
            self.tell(f"no checkpoint of epoch {about['standing']['epochs']:,}: {reason}; the previous one is kept")
            return False
        for old in states_of(self.folder, int(path.name.partition("-")[0]))[_KEPT:]:
            with suppress(OSError):
                old.unlink()
        return True


class RunPart:
    """One part of a run."""

    def __init__(self, run: Checkpoints, number: int, training: Saved, settings: dict[str, Any]):
        self.run, self.number, self.training, self.settings = run, number, training, settings
        self.signals = HeldBack()
        self.last: int | None = None  # epochs of the last good checkpoint
        self._saved_at, self._writing = time.monotonic(), _written(False)
        self._sequence = self._saved_epochs = 0
        self._has_gone_on = False  # since the last checkpoint

    def go_on(self) -> None:
        """Restore the training from its newest complete checkpoint, if there is one."""
        files = states_of(self.run.folder, self.number)
        self._sequence = max((numbers_of(file)[1] for file in files), default=0)
        for file in files:
            try:
                state, about = decode(file)
            except (InputError, OSError) as error:
                self.run.tell(f"{shown_path(file)} cannot be used: {error}")
                continue
            if file != files[0]:
                self.run.tell(f"resuming from the previous checkpoint, {shown_path(file)}")
            self._resume(file, state["training"], about)
            return
        if files:
            self.run.tell(f"no checkpoint of training {self.number} in {self.run.shown} can be used; it starts again")

    def _resume(self, file: Path, state: dict[str, Any], about: dict[str, Any]) -> None:
        changed = differences(about["settings"], self.settings, _MAY_CHANGE, self.run.tell)
        self.run._check(changed, "another run" if self.number == 1 else f"another run (its training {self.number})")
        if about["versions"] != versions():
            made = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
            self.run.tell(f"{self.run.shown} was made by {made}; resuming here may change the last digits")
        try:
            self.training.restore(state)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"{shown_path(file)} does not fit this training ({error}); give another folder") from None
        self.last = self._saved_epochs = int(about["standing"]["epochs"])
        if self.settings.get("epochs", self.last) < self.last:
            raise InputError(
                f"{self.run.shown} is at epoch {self.last:,} already, but epochs is {self.settings['epochs']:,}; "
                "give more epochs, or another folder",
                "epochs",
            )
        self._writing = _written(True)

    def most(self, done: int) -> int | None:
        """Epochs until the next checkpoint, if the interval is in epochs."""
        return None if self.run.every is None else self.run.every - done % self.run.every

    def look(self, done: int) -> None:
        """Between two epochs, or within a long one: handle Ctrl-C, and save if it is time."""
        self._has_gone_on = True
        try:
            self.signals.let_through()
        except KeyboardInterrupt:
            self.run.interrupted = True
            raise
        every = self.run.every
        if every is not None and done // every > self._saved_epochs // every:
            self._save()
            self._writing.result()  # at most that many epochs may be lost
        elif time.monotonic() - self._saved_at >= self.run.seconds and self._writing.done():
            self._save()

    def finish(self) -> None:
        """Save the final state, however training ended, and wait until it is on disk."""
        if self.signals.broke_in:  # perhaps during an update, so the last checkpoint stays
            return
        further = self._has_gone_on or self.training.standing()["epochs"] > self._saved_epochs
        if not self._writing.result() or further:
            self._save()
            self._writing.result()

    def _save(self) -> None:
        if not self.training.is_good():
            return
        standing = self.training.standing()
        self._sequence += 1
        about = {"settings": self.settings, "versions": versions(), "standing": standing}
        path = self.run.folder / f"{self.number}-{self._sequence}.checkpoint"
        state = {"training": self.training.state(), "shown": self.training.shown()}
        self._writing = self.run.write(path, state, about)
        self.last = self._saved_epochs = standing["epochs"]
        self._saved_at, self._has_gone_on = time.monotonic(), False

    def with_advice(self, error: DivergenceError) -> DivergenceError:
        """The error with advice on how to resume from the last good checkpoint."""
        if self.last is None:
            return error
        advice = f"{error.advice}; the last good checkpoint in {self.run.shown} is from epoch {self.last:,}"
        rate = self.settings.get("learning_rate")
        if rate:
            how = self.run.resume and f":\n{self.run.resume} --learning-rate {rate / 10:g}"
            advice += f": resume from it with a smaller learning rate{how or ''}"
        return error.but(advice=advice)


@contextmanager
def opened(checkpoint: PathLike | Checkpoints | None, every: int | str | None, function: str) -> Iterator[Checkpoints]:
    """The run in this folder, or the current one."""
    if checkpoint is None:
        raise InputError("every says how often to write checkpoints; give checkpoint too, or leave it out", "every")
    if isinstance(checkpoint, Checkpoints):
        yield checkpoint
    else:
        with Checkpoints(checkpoint, "60s" if every is None else every, call={"function": function}) as run:
            yield run


def _written(whole: bool) -> Future[bool]:
    """Skip the first write, as if a state had been written already."""
    future = Future[bool]()
    future.set_result(whole)
    return future
