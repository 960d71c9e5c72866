"""What is added to gradients or to updated weights: an L2 term, the weight itself left out or doubled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from backpath.explain.diagnosis.bits import roundest
from backpath.explain.diagnosis.comparison import Comparison
from backpath.explain.diagnosis.mistakes import Mistake
from backpath.explain.digits import shown
from backpath.maths.arrays import Array

_ROUND = 18.0  # bits up to which a number looks chosen by hand


@dataclass(frozen=True, eq=False)
class Addition:
    """A multiple of the weights that is added to the claimed figures.

    ``of``: which weights; ``mistake``: what it is called; ``is_right``: whether a right program may add it;
    ``samples``: by which number the multiple is divided in a batch of another size, 0 if it is the same in each.
    """

    multiple: float
    of: str
    mistake: Mistake
    bits: float
    is_right: bool
    samples: int = 0

    def figures(self, c: Comparison) -> Array:
        """What is added to each claim."""
        return self.multiple * (self.samples / c.q.samples if self.samples else 1.0) * _masked(c, self.of)


_PARTS = {"without the biases": "every weight", "with the biases": "every weight and bias", "the biases": "every bias"}


def additions(c: Comparison, changes: Array, several: bool) -> Iterator[Addition]:
    """The multiples of the weights that, added to a constant times these changes, give the figures claimed;
    ``several``: also one that is divided by the number of samples, which other comparisons tell apart."""
    for of in _PARTS:
        W = _masked(c, of)
        if np.count_nonzero(W) >= 2 and not (of == "with the biases" and not c.is_bias.any()):
            yield from _fitted(c, changes, W, of, 0)
            if several and c.q.samples > 1:
                yield from _fitted(c, changes, W, of, c.q.samples)


def _masked(c: Comparison, of: str) -> Array:
    """The weight of each claim, 0 where it is none of these."""
    mask = {"without the biases": ~c.is_bias, "the biases": c.is_bias}.get(of, c.is_weight)
    found: Array = np.where(c.is_weight & mask, _weights(c), 0.0)
    return found


def _weights(c: Comparison) -> Array:
    flat = np.concatenate([W.ravel() for W in c.q.net.weights])
    positions = np.where(c.is_weight, c.claims.positions, 0)
    found: Array = flat[positions % len(flat)]
    return found


def _fitted(c: Comparison, changes: Array, W: Array, of: str, samples: int) -> Iterator[Addition]:
    target = c.claims.value - c.claims.base
    unit = np.where(c.is_weight, 1 / (c.high - c.low), 0.0)
    columns = np.stack([changes, W], axis=1) * unit[:, None]
    solution, *_ = np.linalg.lstsq(columns, target * unit, rcond=None)
    multiple = float(solution[1])
    spread = _spread(columns)
    if not np.isfinite(multiple) or not np.isfinite(spread) or abs(multiple) <= 2 * spread:
        return
    N = samples or 1
    value, bits = roundest(N * (multiple - spread), N * (multiple + spread))
    found = _called(c, value, bits, of, bool(samples))
    if found is not None:
        yield Addition(value / N, of, *found, samples)


def _spread(columns: Array) -> float:
    """By how much the multiple may differ for figures to stay within their digits."""
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            covariance = np.linalg.inv(columns.T @ columns)
    except np.linalg.LinAlgError:
        return np.inf
    if not np.isfinite(covariance).all():  # numbers whose squares are no floats tell nothing here
        return np.inf
    return float(2 * np.sqrt(abs(covariance[1, 1])) + 1e-12)


def _called(c: Comparison, value: float, bits: float, of: str, by_samples: bool) -> tuple[Mistake, float, bool] | None:
    """What that multiple of the weights is, its bits, and whether a right program may add it."""
    names, which = _names(c, of), _PARTS[of]
    if c.is_update.all():
        if abs(value + 1) < 1e-6:
            return (
                Mistake("weight_set", names, f"{which} is set to the step, not changed by it (= for -=)", ()),
                4.0,
                False,
            )
        if abs(value - 1) < 1e-6:
            message = f"{which} is doubled before the step is taken (it is added once more)"
            return Mistake("weight_set", names, message, ()), 5.0, False
        rate = c.q.learning_rate or 1.0
        low, high = sorted((-value / rate * (1 - 1e-6), -value / rate * (1 + 1e-6)))
        decay, bits = roundest(low, high)
    else:
        decay = value
        if abs(value - 1) < 1e-6 and of == "with the biases":
            return None  # those are updated weights
    if bits > _ROUND:
        return None
    sign = "added to" if decay > 0 else "subtracted from"
    by = " / N" if by_samples else ""
    message = f"an L2 term {shown(abs(decay))}{by} × W is {sign} the gradient of {which}"
    return Mistake("weight_decay", names, message, (), convention=True), 4.0 + bits, decay > 0


def _names(c: Comparison, of: str) -> tuple[str, ...]:
    q = c.q
    if of == "the biases":
        return tuple(name for layer in q.every for name in q.biases(layer))
    return ()
