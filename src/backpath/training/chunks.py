"""Runs an engine bit by bit, so that somebody watching sees it move and Ctrl-C is heard."""

from __future__ import annotations

import time
from collections.abc import Iterator

from backpath.training.job import Engine

CHUNK_SECONDS = 0.1  # between two looks at progress, Ctrl-C and the clock


def in_chunks(engine: Engine, epochs: int, every_epoch: bool = False) -> Iterator[int]:
    """Train until ``epochs`` are done, or the engine converged or overflowed; yields the epochs done after each chunk.

    Chunks take about ``CHUNK_SECONDS``, or an epoch where each is to be looked at.
    """
    chunk, done = 1, 0
    while done < epochs and not engine.converged and engine.overflow is None:
        began = time.perf_counter()
        engine.run(min(chunk, epochs - done))
        seconds = time.perf_counter() - began
        done = len(engine.costs)
        yield done
        if not every_epoch:
            chunk = max(1, int(chunk * CHUNK_SECONDS / (seconds + 1e-9)))
