"""Terms added to gradients or to updated weights: an L2 or L1 term, or the weight itself left out or doubled."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from backpath.explain.diagnosis.bits import roundest
from backpath.explain.diagnosis.comparison import Comparison
from backpath.explain.diagnosis.mistakes import Mistake
from backpath.explain.digits import shown
from backpath.maths.arrays import Array

_ROUND = 18.0  # bits; a number with at most this many looks chosen by hand


@dataclass(frozen=True, eq=False)
class Addition:
    """A multiple of the weights, or of their signs, that is added to the claimed figures.

    ``of``: which weights; ``signs``: whether their signs are added; ``mistake``: its finding; ``is_right``: whether a
    correct program may add it; ``samples``: the divisor of the multiple for other batch sizes, 0 if it is the same for
    all.
    """

    multiple: float
    of: str
    signs: bool
    mistake: Mistake
    bits: float
    is_right: bool
    samples: int = 0

    def figures(self, c: Comparison) -> Array:
        """The term added to each claim."""
        return self.multiple * (self.samples / c.q.samples if self.samples else 1.0) * _term(c, self.of, self.signs)


_PARTS = {"without the biases": "every weight", "with the biases": "every weight and bias", "the biases": "every bias"}


def additions(c: Comparison, changes: Array, several: bool) -> Iterator[tuple[int, Addition]]:
    """The terms that give the claimed figures when added to a constant times one of these changes, (mistakes, claims);
    each follows the place of that mistake. ``several``: also a term divided by the number of samples, which other
    comparisons distinguish."""
    divisors = (0, c.q.samples) if several and c.q.samples > 1 else (0,)
    for of, signs, term in _terms(c):
        for k, multiple, spread in _fitted(c, changes, term):
            for samples in divisors:
                N = samples or 1
                value, bits = roundest(N * (multiple - spread), N * (multiple + spread))
                found = _called(c, value, bits, of, signs, bool(samples))
                if found is not None:
                    yield k, Addition(value / N, of, signs, *found, samples)


def _terms(c: Comparison) -> Iterator[tuple[str, bool, Array]]:
    """The terms of at least two claims: of which weights, and whether of their signs."""
    for of, signs in itertools.product(_PARTS, (False, True)):
        if of == "with the biases" and not c.is_bias.any():
            continue
        term = _term(c, of, signs)
        if np.count_nonzero(term) >= 2:
            yield of, signs, term


def _term(c: Comparison, of: str, signs: bool) -> Array:
    """The weight of each claim, or its sign; 0 if it is not one of these weights."""
    mask = {"without the biases": ~c.is_bias, "the biases": c.is_bias}.get(of, c.is_weight)
    W = np.where(c.is_weight & mask, _weights(c), 0.0)
    return np.sign(W) if signs else W


def _weights(c: Comparison) -> Array:
    flat = np.concatenate([W.ravel() for W in c.q.net.weights])
    positions = np.where(c.is_weight, c.claims.positions, 0)
    found: Array = flat[positions % len(flat)]
    return found


def _fitted(c: Comparison, changes: Array, term: Array) -> Iterator[tuple[int, float, float]]:
    """The places of changes that give the figures with a constant and a multiple of the term, the multiple, and its
    tolerance for the figures to stay within their digits."""
    with np.errstate(all="ignore"):
        unit = np.where(c.is_weight, 1 / (c.high - c.low), 0.0)
        A, w, target = changes * unit, term * unit, (c.claims.value - c.claims.base) * unit
        size = w @ w
        across = A - (A @ w / size)[:, None] * w  # orthogonal to the term
        squared = (across * across).sum(axis=1)
        constant = across @ target / squared
        left = target - constant[:, None] * A
        multiple = left @ w / size
        left -= multiple[:, None] * w
        spread = 2 * np.sqrt((A * A).sum(axis=1) / (squared * size)) + 1e-12
        near = (left * left).sum(axis=1) <= 0.5 * np.count_nonzero(unit)
        found = np.flatnonzero(near & np.isfinite(multiple) & np.isfinite(spread) & (np.abs(multiple) > 2 * spread))
    for k in found:
        yield int(k), float(multiple[k]), float(spread[k])


def _called(
    c: Comparison, value: float, bits: float, of: str, signs: bool, by_samples: bool
) -> tuple[Mistake, float, bool] | None:
    """The finding for that multiple, its bits, and whether a correct program may add it."""
    is_update = c.is_update.all()
    if not signs and is_update and abs(abs(value) - 1) < 1e-6:
        return _weight_set(c, of, value)
    if not signs and not is_update and abs(value - 1) < 1e-6 and of == "with the biases":
        return None  # those are updated weights
    decay, bits = _of_gradient(c, value) if is_update else (value, bits)
    if bits > _ROUND:
        return None
    message = f"{_words(decay, signs, by_samples)} the gradient of {_PARTS[of]}"
    mistake = Mistake("weight_decay", _names(c, of), message, (), convention=True)
    return mistake, 4.0 + 2.0 * signs + bits, decay > 0


def _words(decay: float, signs: bool, by_samples: bool) -> str:
    sign = "added to" if decay > 0 else "subtracted from"
    by = " / N" if by_samples else ""
    what, kind = ("L1", "sign(W)") if signs else ("L2", "W")
    return f"an {what} term {shown(abs(decay))}{by} × {kind} is {sign}"


def _of_gradient(c: Comparison, of_weight: float) -> tuple[float, float]:
    """The multiple in the gradient that adds this multiple to the updated weight, and its bits."""
    multiple = -of_weight / (c.q.learning_rate or 1.0)
    low, high = sorted((multiple * (1 - 1e-6), multiple * (1 + 1e-6)))
    return roundest(low, high)


def _weight_set(c: Comparison, of: str, multiple: float) -> tuple[Mistake, float, bool]:
    """The weight is left out of the update (-1), or added once more (1)."""
    message, bits = f"{_PARTS[of]} is set to the step instead of being changed by it (= where -= is meant)", 4.0
    if multiple > 0:
        message, bits = f"{_PARTS[of]} is doubled before the step is taken (it is added once more)", 5.0
    return Mistake("weight_set", _names(c, of), message, ()), bits, False


def _names(c: Comparison, of: str) -> tuple[str, ...]:
    q = c.q
    if of == "the biases":
        return q.biases_of(q.every)
    return ()
