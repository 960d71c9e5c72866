"""Callbacks, which receive the state of training about ten times a second, and classes that write logs.

A callback of your own is any function of a `Moment`:

>>> import backpath as bp
>>> seen = []
>>> net = bp.Network((2, 2, 1), seed=0)
>>> _ = bp.train(net, [[0, 0], [0, 1]], [0, 1], epochs=5, callbacks=lambda moment: seen.append(moment.epochs))
>>> seen[-1]
5
"""

from __future__ import annotations

import math
import os
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from backpath.errors import InputError


@dataclass(frozen=True)
class Moment:
    """The state of training.

    Attributes
    ----------
    epochs : int
        The epochs done.
    of : int
        The most epochs to be done.
    cost : float or None
        The cost of the last epoch; for a population, the best network's, measured only at the end.
    validation_cost : float or None
        The cost on the held-out samples, if there are any.
    solved : float or None
        For a population, the share that solves the task.
    learning_rate : float or None
        η; None if the networks of a population have different ones.
    epochs_per_second : float
        The speed since the previous moment; unchanged if no epoch was done since then.
    seconds : float
        The training time, without pauses.
    stopped : "epochs", "converged", "interrupted", "diverged" or None
        Why training ended; None during training. The last moment is the only one of its epoch.
    """

    epochs: int
    of: int
    cost: float | None
    validation_cost: float | None
    solved: float | None
    learning_rate: float | None
    epochs_per_second: float
    seconds: float
    stopped: str | None = None


Callback = Callable[[Moment], object]
Callbacks = Callback | Iterable[Callback] | None


class Watched:
    """Calls callbacks with the state of training."""

    def __init__(self, callbacks: Callbacks, learning_rate: float | None):
        found = [] if callbacks is None else [callbacks] if callable(callbacks) else list(callbacks)
        if not all(callable(callback) for callback in found):
            raise InputError(f"callbacks must be a callable, or several, but is {callbacks!r}", "callbacks")
        self._callbacks: list[Callback] = found
        self._rate, self._last, self._speed = learning_rate or None, (0, 0.0), 0.0

    def __bool__(self) -> bool:
        return bool(self._callbacks)

    def __call__(self, standing: Callable[[], dict[str, Any]], stopped: str | None = None) -> None:
        if not self._callbacks:
            return
        now: dict[str, Any] = {"cost": None, "validation_cost": None, "solved": None, **standing()}
        epochs, seconds = now["epochs"] - self._last[0], now["seconds"] - self._last[1]
        self._last = now["epochs"], now["seconds"]
        if epochs > 0 and seconds > 0:
            self._speed = epochs / seconds
        moment = Moment(**now, learning_rate=self._rate, epochs_per_second=self._speed, stopped=stopped)
        for callback in self._callbacks:
            callback(moment)


class JsonLines:
    """Appends a line of JSON to a file every second, or every epoch if that takes longer, and at the end.

    Parameters
    ----------
    path : path
        The file, which is created if it does not exist.
    seconds : float
        The time between two lines.

    Raises
    ------
    InputError
        If the file cannot be written.

    Examples
    --------
    >>> import json, pathlib, tempfile, backpath as bp
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     log = JsonLines(folder + "/log.jsonl")
    ...     _ = bp.train(bp.Network((1, 1), seed=0), [[0.0], [1.0]], [0, 1], epochs=5, callbacks=log)
    ...     json.loads(pathlib.Path(folder, "log.jsonl").read_text().splitlines()[-1])["epochs"]
    5
    """

    def __init__(self, path: str | os.PathLike[str], seconds: float = 1.0):
        from pathlib import Path  # imported late, here and below, to start the process fast

        self._path, self._seconds, self._next, self._trainings = Path(path), seconds, -math.inf, 1
        try:
            self._path.open("a").close()
        except OSError as error:
            from backpath.files.wording import shown_path

            raise InputError(f"cannot write {shown_path(path)}: {error.strerror}; give another path") from None

    def __call__(self, moment: Moment) -> None:
        now = time.monotonic()
        if now < self._next and moment.stopped is None:
            return
        import json

        self._next = now + self._seconds
        line = {"time": round(time.time(), 3), "training": self._trainings, **asdict(moment)}
        finite = {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in line.items()}
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(finite) + "\n")
        except OSError as error:  # a broken log must not end training
            warnings.warn(f"the log stops here: {error.strerror}", UserWarning, stacklevel=2)
            self._next = math.inf
        self._trainings += moment.stopped is not None


class TensorBoard:
    """Writes event files for TensorBoard (needs tensorboardX, in the extra ``log``).

    With several trainings, as for a table, each has a file, and its steps follow those of the previous one.

    Parameters
    ----------
    folder : path
        The folder of the event files.

    Raises
    ------
    InputError
        If tensorboardX is not installed.
    """

    def __init__(self, folder: str | os.PathLike[str]):
        try:
            from tensorboardX import SummaryWriter
        except ImportError:
            raise InputError("TensorBoard's event files need tensorboardX: pip install 'backpath[log]'") from None
        self._folder, self._open = os.fspath(folder), SummaryWriter
        self._writer: Any = None
        self._trainings = self._before = 0

    def __call__(self, moment: Moment) -> None:
        if self._writer is None:
            self._trainings += 1  # files of the same second need different names
            self._writer = self._open(self._folder, filename_suffix=f".{self._trainings:06}", flush_secs=10)
        for name, value in numbers_of(moment).items():
            self._writer.add_scalar(name, value, self._before + moment.epochs)
        if moment.stopped is not None:
            self._before += moment.epochs
            self._writer.close()  # `flush` would not wait for its thread
            self._writer = None


class MLflow:
    """Logs the numbers to MLflow's active run, or to a new one (needs mlflow-skinny, in the extra ``log``).

    With several trainings, the steps of each follow those of the previous one.

    Raises
    ------
    InputError
        If mlflow is not installed.
    """

    def __init__(self) -> None:
        try:
            import mlflow
        except ImportError:
            raise InputError("logging to MLflow needs mlflow: pip install 'backpath[log]'") from None
        self._mlflow, self._before, self._is_over = mlflow, 0, False

    def __call__(self, moment: Moment) -> None:
        if self._is_over:
            return
        try:
            self._mlflow.log_metrics(numbers_of(moment), step=self._before + moment.epochs)
        except (OSError, self._mlflow.MlflowException) as error:  # training is worth more than its log
            warnings.warn(f"logging to MLflow stops here: {error}", UserWarning, stacklevel=2)
            self._is_over = True
        if moment.stopped is not None:
            self._before += moment.epochs


def numbers_of(moment: Moment) -> dict[str, float]:
    """The numbers of a moment to plot over the epochs."""
    names = ("cost", "validation_cost", "solved", "learning_rate", "epochs_per_second")
    return {name: value for name in names if (value := getattr(moment, name)) is not None and math.isfinite(value)}
