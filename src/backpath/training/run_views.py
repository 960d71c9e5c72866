"""A view of a run in training: the network and curve of its newest checkpoint, and the log since then."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from backpath.errors import InputError
from backpath.files.checkpoint_format import decode
from backpath.files.file_paths import PathLike
from backpath.files.wording import shown_path
from backpath.maths.arrays import Array
from backpath.maths.network import Network
from backpath.training.job import Job
from backpath.training.known_runs import KnownRun, known_run
from backpath.training.run_folder import read_run, states_of
from backpath.training.state import thinned, with_gaps

_LONGEST = 1000  # points of a curve
TAIL = 1 << 20  # bytes to read from the end of a log

Curve = list[tuple[int, float]]


@dataclass(frozen=True)
class RunView:
    """A run at one moment.

    Attributes
    ----------
    run : KnownRun
    network : Network
        The newest checkpoint's, after ``epoch`` epochs.
    costs, held_out : lists of (epoch, cost)
    settings : dict
        The settings of the training.
    call : dict
        The call that started it.
    """

    run: KnownRun
    network: Network
    epoch: int
    costs: Curve = field(repr=False)
    held_out: Curve = field(repr=False)
    settings: dict[str, Any] = field(repr=False)
    call: dict[str, Any] = field(repr=False)


def seen(job: Job, weights: Sequence[Array], costs: ArrayLike, held_out: ArrayLike = ()) -> dict[str, Any]:
    """The network in training and its curve, as a checkpoint stores them for views."""
    net = job.reached(weights)
    curves = {"costs": costs, "held_out": held_out}
    return {
        "weights": [W.copy() for W in net.weights],
        "activations": list(net.activations),
        "biases": net.biases,
        **{name: thinned(np.asarray(curve, np.float64), _LONGEST) for name, curve in curves.items()},
    }


def look_at(folder: PathLike) -> RunView:
    """The present state of the run in a folder.

    Raises
    ------
    InputError
        If there is none, it has no checkpoint yet, or trains many networks side by side.
    """
    path, shown = Path(folder), shown_path(folder)
    record, run = read_run(path), known_run(path)
    found = _newest(path)
    if found is None:
        raise InputError(f"{shown} has no checkpoint yet; try again later, or write them more often (--every)")
    file, tree, about = found
    kept = tree.get("shown", {})
    if kept is None:
        raise InputError(f"{shown} trains many networks side by side, but only one can be shown; see backpath runs")
    try:
        network = Network.from_weights(kept["weights"], kept["activations"], "float64", kept["biases"])
        costs, held_out = (_curve(kept[name]) for name in ("costs", "held_out"))
        epoch, settings = int(about["standing"]["epochs"]), dict(about["settings"])
    except (KeyError, TypeError):
        raise InputError(f"{shown} was written by another version of backpath; look at it with that one") from None
    training = int(file.name.partition("-")[0])
    for done, *values in _logged(record["usual"].get("log"), training, epoch, file.stat().st_mtime):
        for curve, cost in zip((costs, held_out), values, strict=True):
            _extend(curve, done, cost)
    return RunView(run, network, epoch, costs, held_out, settings, record["call"])


def _extend(curve: Curve, done: int, cost: Any) -> None:
    while curve and curve[-1][0] >= done:
        curve.pop()  # from a process that was stopped before its next checkpoint
    if isinstance(cost, float) and math.isfinite(cost):
        curve.append((done, cost))


def key_of(folder: PathLike) -> tuple[object, ...]:
    """A value that changes when there is more to see."""
    path = Path(folder)
    log = read_run(path)["usual"].get("log")
    size = Path(log).stat().st_size if log and Path(log).exists() else 0
    return known_run(path).state, [file.name for file in states_of(path)], size


def _newest(folder: Path) -> tuple[Path, Any, dict[str, Any]] | None:
    """The newest checkpoint, or the one before it if the newest is being replaced."""
    for file in states_of(folder):
        try:
            return file, *decode(file)
        except (InputError, OSError):
            continue
    return None


def _curve(kept: dict[str, Any]) -> Curve:
    costs = with_gaps(kept)
    return [(int(k) + 1, float(costs[k])) for k in np.flatnonzero(np.isfinite(costs))]


def _logged(log: str | None, training: int, epoch: int, since: float) -> Iterator[tuple[int, Any, Any]]:
    """Epochs, cost and validation cost from a log's last lines, of this training and after its checkpoint."""
    if log is None or not Path(log).is_file():
        return
    with Path(log).open("rb") as file:
        file.seek(max(0, file.seek(0, 2) - TAIL))
        lines = file.read().splitlines()
    for line in lines:
        try:
            found = json.loads(line)
        except ValueError:  # the line where reading began, or one that is being written
            continue
        if not isinstance(found, dict) or not isinstance(found.get("epochs"), int):
            continue
        if found.get("training") == training and found["epochs"] > epoch and found.get("time", 0) >= since:
            yield found["epochs"], found.get("cost"), found.get("validation_cost")
