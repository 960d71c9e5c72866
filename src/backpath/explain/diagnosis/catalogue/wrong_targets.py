"""Mistakes in the targets: inverted, smoothed, or those of another sample."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from backpath.explain.diagnosis.mistakes import LOCAL, Mistake
from backpath.explain.diagnosis.passes import Index, Passes, Stage
from backpath.explain.diagnosis.problem import Problem
from backpath.explain.digits import shown
from backpath.maths.arrays import Array

_SMOOTHING = (0.1, 0.2, 0.05, 0.01, 0.3)


def wrong_targets(q: Problem) -> Iterator[Mistake]:
    yield from _targets(q)
    yield from _smoothed(q)


def _targets(q: Problem) -> Iterator[Mistake]:
    """All targets inverted, or taken from another sample."""

    def opposite(p: Passes, h: Index) -> None:
        p.y[h] = 1 - p.y[h]

    def from_minus_one(p: Passes, h: Index) -> None:
        p.y[h] = 2 * p.y[h] - 1

    if ((q.y >= 0) & (q.y <= 1)).all():
        message = "every target y is taken as 1 − y"
        yield Mistake("wrong_target", q.neurons(q.layers), message, ((Stage.START, opposite),), rank=LOCAL)
        message = "every target y is taken as 2y − 1: −1 and 1 instead of 0 and 1"
        yield Mistake("wrong_target", q.neurons(q.layers), message, ((Stage.START, from_minus_one),), rank=LOCAL)
    orders: list[tuple[str, Callable[[Array], Array]]] = [
        ("the target of the sample before it", lambda y: np.roll(y, 1, axis=1)),
        ("the target of the sample after it", lambda y: np.roll(y, -1, axis=1)),
        ("the targets in reverse order", lambda y: y[:, ::-1]),
    ]
    for which, order in orders if q.samples > 1 else ():

        def moved(p: Passes, h: Index, order: Callable[[Array], Array] = order) -> None:
            p.y[h] = order(p.y[h]).copy()

        message = f"every sample is compared with {which}"
        edits = ((Stage.START, moved),)
        yield Mistake("wrong_target", q.neurons(q.layers), message, edits, rank=LOCAL, by_sample=True)


def _smoothed(q: Problem) -> Iterator[Mistake]:
    """Label smoothing: targets pulled towards 1/K for K classes, or towards ½."""
    if not ((q.y >= 0) & (q.y <= 1)).all():
        return
    softmax = q.net.activations[-1] == "softmax"
    others = [1 / (q.width(q.layers) - 1)] if softmax and q.width(q.layers) > 2 else []
    for share in _SMOOTHING:
        middle = 1 / q.width(q.layers) if softmax else 0.5

        def towards(p: Passes, h: Index, share: float = share, middle: float = middle) -> None:
            p.y[h] = (1 - share) * p.y[h] + share * middle

        message = f"the targets are smoothed by {share:g}: {1 - share:g} y + {shown(share * middle)}"
        made = Mistake("label_smoothing", q.neurons(q.layers), message, ((Stage.START, towards),), None, LOCAL)
        yield replace(made, convention=True, is_right=True)
        for other in others:

            def shared(p: Passes, h: Index, share: float = share, other: float = other) -> None:
                p.y[h] = (1 - share) * p.y[h] + share * other * (1 - p.y[h])

            message = f"the targets are smoothed by {share:g}, which the other classes share: {1 - share:g} for 1, "
            message += f"{shown(share * other)} for 0"
            edits = ((Stage.START, shared),)
            yield replace(made, message=message, edits=edits, convention=True, is_right=True)
