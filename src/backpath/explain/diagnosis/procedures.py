"""How weights are updated more than once: batch steps, online epochs, momentum."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from backpath.errors import InputError
from backpath.explain.diagnosis.passes import PassEdits, Passes
from backpath.explain.diagnosis.problem import Problem, Procedure
from backpath.maths.arrays import Array
from backpath.maths.checks import check_count, check_number

_MOST_STEPS = 10
_MOMENTA = (0.9, 0.5, 0.8, 0.95, 0.99)


def updated(q: Problem, count: int, runs: Sequence[PassEdits]) -> Array:
    """All figures of so many passes whose weights are updated as the problem's procedure says; of the gradients, which
    are not claimed then, the last ones."""
    procedure = q.procedure
    if procedure is None:
        raise ValueError("the problem has a single update")
    with np.errstate(all="ignore"):
        return _updated(q, procedure, count, runs)


def _updated(q: Problem, procedure: Procedure, count: int, runs: Sequence[PassEdits]) -> Array:
    parts = {samples: replace(q, X=q.X[list(samples)], y=q.y[list(samples)]) for samples in set(procedure.steps)}
    weights: list[Array] | None = None
    moved: list[Array] = []
    for samples in procedure.steps:
        p = Passes(parts[samples], count, runs, weights)
        steps = [G * free for G, free in zip(p.G[1:], q.free, strict=True)]
        if moved:
            steps = [procedure.momentum * v + step for v, step in zip(moved, steps, strict=True)]
        moved = steps
        rate = (procedure.scale * p.rate)[:, None, None]
        weights = [W - rate * step for W, step in zip(p.W[1:], steps, strict=True)]
    flat = [np.concatenate([a.reshape(count, -1) for a in arrays], axis=1) for arrays in (p.G[1:], weights or [])]
    return np.concatenate(flat, axis=1)


def usual(q: Problem) -> Iterator[Procedure]:
    """What people do more than once before they look at the weights, the most usual first."""
    whole = tuple(range(q.samples))
    single = tuple((s,) for s in whole)
    if q.samples > 1:
        yield Procedure(single, "an online epoch, sample by sample in this order", 2.0)
        yield Procedure(single[::-1], "an online epoch in the reverse order", 4.0)
    for count in range(2, _MOST_STEPS + 1):
        yield Procedure((whole,) * count, f"{count} steps with the whole batch", 2.0 + count / 2)
    for count in (2, 3, 5, 10) if q.samples > 1 else ():
        yield Procedure(single * count, f"{count} online epochs in this order", 3.0 + count / 2)
    for momentum in _MOMENTA:
        for count in range(2, 6):
            words = f"{count} steps with the whole batch and momentum {momentum:g}"
            yield Procedure((whole,) * count, words, 6.0 + count / 2, momentum)
        if q.samples > 1:
            words = f"an online epoch in this order with momentum {momentum:g}"
            yield Procedure(single, words, 6.0, momentum)


def scaled(q: Problem, procedure: Procedure) -> Iterator[Procedure]:
    """The same with a ½ or a 2 in the cost, with summed gradients, or with the step added."""
    whole = len(procedure.steps[0]) > 1
    scales = [(0.5, "half of each gradient"), (2.0, "twice each gradient"), (-1.0, "each step added, not subtracted")]
    if whole:
        N = q.samples
        scales += [
            (float(N), "gradients summed over the samples"),
            (N / 2, "half of gradients summed over the samples"),
        ]
    for scale, words in scales:
        yield replace(procedure, scale=scale, words=f"{procedure.words}, with {words}", bits=procedure.bits + 2.5)


def given_procedure(
    q: Problem, updates: int | None, order: str | Sequence[int] | None, momentum: float | None
) -> Procedure | None:
    """The procedure that the caller gave; None if that is a single update with the whole batch.

    ``order``: "batch", "online", or the places of the samples (from 0) of an online epoch.
    """
    if updates is None and order is None and momentum is None:
        return None
    if updates is not None:
        check_count(updates, "updates")
    if momentum is not None:
        momentum = check_number(momentum, "momentum", least=0, below=1)
    whole = tuple(range(q.samples))
    places = whole if order in ("online", "batch", None) else order
    if isinstance(places, str) or not all(place in whole for place in places):
        raise InputError(f"order must be 'batch', 'online', or places of samples from 0 to {whole[-1]}, not {order!r}")
    steps = (whole,) if order in ("batch", None) else tuple((int(s),) for s in places)
    repeated = steps * (updates or 1)
    if len(repeated) == 1:
        return None
    return Procedure(repeated, "", 0.0, momentum or 0.0)
