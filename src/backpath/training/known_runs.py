"""The runs in a folder and their state."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from backpath.errors import InputError
from backpath.files.checkpoint_format import read_about
from backpath.files.file_paths import PathLike
from backpath.files.locks import is_locked
from backpath.files.wording import plain, shown_path
from backpath.training.run_folder import read_run, states_of


@dataclass(frozen=True)
class KnownRun:
    """A run, as described in its folder.

    Attributes
    ----------
    folder : str
    function : the command or function: ``backpath train``, ``train`` …
    state : "running", "stopped" (it was killed), "interrupted", "diverged", "failed", "finished", "damaged"
    training : int
        The number of trainings that it began; a table and an estimator need several.
    epochs, of : int or None
        Of the last training, in its newest checkpoint, from which it would resume; a log may be further.
    cost, validation_cost, solved : float or None
    seconds : float or None
        The training time until then, as in a log.
    age : float or None
        Seconds since that checkpoint was written.
    """

    folder: str
    function: str
    state: str
    training: int = 0
    epochs: int | None = None
    of: int | None = None
    cost: float | None = None
    validation_cost: float | None = None
    solved: float | None = None
    seconds: float | None = None
    age: float | None = None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    def shown(self) -> tuple[str, ...]:
        """The run as a row of text."""
        epochs = "" if self.epochs is None else f"{self.epochs:,} of {self.of:,}"
        cost = "" if self.cost is None else f"{self.cost:.4g}"
        age = "" if self.age is None else f"{_duration(self.age)} ago"
        name = plain(self.folder)
        return name, plain(self.function), self.state, str(self.training), epochs, cost, age


def find_runs(folder: PathLike) -> list[KnownRun]:
    """The run in a folder, and those in its subfolders."""
    top = Path(folder)
    if not top.is_dir():
        raise InputError(f"there is no folder {shown_path(folder)}; check the path")
    try:
        inside = sorted(path for path in top.iterdir() if path.is_dir())
    except OSError as error:
        raise InputError(f"{shown_path(folder)} cannot be read: {error.strerror}") from None
    return [known_run(path) for path in (top, *inside) if (path / "run.json").exists()]


def known_run(folder: Path) -> KnownRun:
    """The run in a folder."""
    try:
        record = read_run(folder)
        state = str(record["state"])
        if is_locked(folder / "lock"):
            state = "running"
        elif state == "running":
            state = "stopped"
        function, states = str(record["call"]["function"]), states_of(folder)
    except (InputError, KeyError, TypeError):
        return KnownRun(str(folder), "", "damaged")
    for newest in states:
        try:
            standing = read_about(newest)["standing"]
            numbers = {name: _number(standing.get(name)) for name in ("cost", "validation_cost", "solved", "seconds")}
            epochs, of = int(standing["epochs"]), int(standing["of"])
            age = max(0.0, time.time() - newest.stat().st_mtime)
        except (InputError, OSError, KeyError, TypeError, ValueError, AttributeError):
            continue
        training = int(newest.name.partition("-")[0])
        return KnownRun(str(folder), function, state, training, epochs, of, **numbers, age=age)
    return KnownRun(str(folder), function, state)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None


def _duration(seconds: float) -> str:
    """
    >>> _duration(59.9), _duration(7300)
    ('59 s', '2 h')
    """
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length:.0f} {unit}"
    return f"{seconds // 1:.0f} s"
