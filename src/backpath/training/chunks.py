"""Runs an engine in chunks, to show progress, handle Ctrl-C, and save its state."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from backpath.training.job import Engine, Pausing

if TYPE_CHECKING:
    from backpath.files.file_paths import PathLike
    from backpath.training.checkpoints import Checkpoints, RunPart, Saved

_CHUNK_SECONDS = 0.1  # seconds between checks of progress, Ctrl-C and the clock
LONG_EPOCH = 1.0  # seconds after which an engine that can pause within an epoch does


def in_chunks(
    engine: Engine,
    epochs: int,
    every_epoch: bool = False,
    part: RunPart | None = None,
    is_over: Callable[[], bool] = lambda: False,
) -> Iterator[int]:
    """Train until ``epochs`` are done, the engine has converged or overflowed, or ``is_over`` returns True; yields the
    epochs done after each chunk, and then lets ``part`` save them.

    Chunks take about ``_CHUNK_SECONDS``, or an epoch with ``every_epoch``; a long epoch is divided into several.
    """
    chunk, done = 1, len(engine.costs)
    if isinstance(engine, Pausing):
        engine.at_once = LONG_EPOCH
    while done < epochs and not (engine.converged or engine.overflow is not None or is_over()):
        began = time.perf_counter()
        most = part.most(done) if part else None
        engine.run(min(chunk, epochs - done, most or chunk))
        seconds = time.perf_counter() - began
        ran, done = len(engine.costs) - done, len(engine.costs)
        yield done
        if part:
            part.look(done)
        if not every_epoch:
            chunk = max(1, int(max(1, ran) * _CHUNK_SECONDS / (seconds + 1e-9)))


def opened(
    checkpoint: PathLike | Checkpoints | None, every: int | str | None, function: str
) -> AbstractContextManager[Checkpoints | None]:
    """The run in the folder ``checkpoint``, or the current one; None: nothing is saved."""
    if checkpoint is None and every is None:
        return nullcontext()
    from backpath.training import checkpoints

    return checkpoints.opened(checkpoint, every, function)


def saved(
    run: Checkpoints | None, training: Saved, settings: Callable[[], dict[str, Any]]
) -> AbstractContextManager[RunPart | None]:
    """The next part of a run, if there is one."""
    return nullcontext() if run is None else run.part(training, settings())
