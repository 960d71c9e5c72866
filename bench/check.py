"""Checks, before anything is timed, that a contender reaches the weights of backpath's NumPy engine."""

from __future__ import annotations

import numpy as np

import backpath as bp
from bench.contenders import LeftOut
from bench.rows import Array, Row

TOLERANCE = {"float64": 1e-9, "float32": 1e-3}  # relative to the largest change of a weight
SOME = 8  # networks of a population to compare


class Refused(LeftOut):
    """A contender whose results differ from the reference."""


def check_weights(row: Row, cost: str, weights: list[Array]) -> None:
    """Refuse weights that differ from the reference after ``row.checked`` epochs."""
    start, reference = compared(row, row.start()), expected(row, cost)
    got = compared(row, weights)
    if [w.shape for w in got] != [w.shape for w in reference]:
        raise Refused(f"its weights have shapes {[w.shape for w in got]}")
    change = largest(start, reference)
    error = largest(got, reference)
    if not error <= TOLERANCE[row.dtype] * change:  # also if it is NaN
        raise Refused(f"after {row.checked} epochs its weights, changed by up to {change:.1e}, are off by {error:.1e}")
    if any(w.dtype != row.dtype for w in got):
        raise Refused(f"it computes in {got[0].dtype}, not in {row.dtype}")


def largest(some: list[Array], others: list[Array]) -> float:
    return max(float(np.abs(a - b).max()) for a, b in zip(some, others, strict=True))


def compared(row: Row, weights: list[Array]) -> list[Array]:
    """All weights of one network, or of a few networks of a population."""
    if row.networks is None:
        return weights
    return [w[:: max(1, row.networks // SOME)] for w in weights]


def expected(row: Row, cost: str) -> list[Array]:
    start = compared(row, row.start())
    if row.networks is None:
        return trained(row, cost, start)
    networks = [trained(row, cost, [w[k] for w in start]) for k in range(len(start[0]))]
    return [np.stack(layer) for layer in zip(*networks, strict=True)]


def trained(row: Row, cost: str, start: list[Array]) -> list[Array]:
    X, y = row.data()
    result = bp.train(
        bp.Network.from_weights(start), X, y, epochs=row.checked, learning_rate=row.learning_rate,
        batch_size=row.batch, cost=cost, engine="numpy",
    )  # fmt: skip # one setting per line is no clearer
    return list(result.network.weights)
