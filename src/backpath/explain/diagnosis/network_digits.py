"""The tolerance of figures due to the digits of a network's printed weights.

A weight printed as 0.15 may be any number from 0.145 to 0.155. To first order a figure f then differs by at most
Σ |∂f/∂θ| × half a unit of θ's last digit, summed over all weights, inputs and targets θ that are given by their digits.
The derivatives are differences over this unit, so that they hold over its whole width. A figure is right if it is right
for some network that prints like the given one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from backpath.explain.diagnosis.candidate_mistakes import figures_of
from backpath.explain.diagnosis.claims import Claim, Claims
from backpath.explain.diagnosis.comparison import Comparison
from backpath.explain.diagnosis.conclude import conclude, figures, of_search
from backpath.explain.diagnosis.explanation import Explanation
from backpath.explain.diagnosis.mistakes import Mistake
from backpath.explain.diagnosis.passes import Passes
from backpath.explain.diagnosis.problem import Problem
from backpath.explain.diagnosis.report import Report
from backpath.explain.diagnosis.search import Search
from backpath.maths.arrays import Array
from backpath.maths.network import Network
from backpath.maths.printed import last_digits

_MARGIN = 1.1  # factor on the first-order bound, for the second order
PRINTED = 8  # significant digits; weights with at most this many look printed
_MOST = 2000  # numbers with a tolerance; with more, there is none
TELLING = 4.0  # the least information per figure, in bits, for a report without strings
ALL_TELLING = 16.0  # the same for all figures together
_WIDER = 10.0  # the largest tolerance of figures with a slip, relative to that of right ones


@dataclass(frozen=True, eq=False)
class Units:
    """One unit of the last printed digit of every weight, input and target; 0 if it is exact."""

    weights: Sequence[Array]
    X: Array
    y: Array

    @property
    def any(self) -> bool:
        return any(unit.any() for unit in (*self.weights, self.X, self.y))

    @classmethod
    def of(cls, q: Problem, net: Network, X: Array | None, y: Array | None) -> Units:
        """The units of a network, inputs and targets that are strings, or of the strings among them."""
        weights = net.printed or [np.zeros(W.shape) for W in net.weights]
        wide = [np.pad(u, ((0, 0), (0, W.shape[1] - u.shape[1]))) for u, W in zip(weights, q.net.weights, strict=True)]
        return cls(wide, _like(X, q.X), _like(y, q.y))

    @classmethod
    def looking_printed(cls, q: Problem) -> Units | None:
        """The units of weights that are plain numbers with few digits; None if they do not look printed."""
        flat = last_digits(np.concatenate([W.ravel() for W in q.net.weights]), PRINTED)
        if flat is None:
            return None
        parts = np.split(flat, q.ends[:-1])
        weights = [part.reshape(W.shape) for part, W in zip(parts, q.net.weights, strict=True)]
        return cls(weights, np.zeros_like(q.X), np.zeros_like(q.y))


def _like(units: Array | None, values: Array) -> Array:
    """Units in the shape of the samples as read: rows, or columns transposed to rows."""
    if units is None:
        return np.zeros_like(values)
    return units.reshape(values.shape) if np.atleast_2d(units).shape != values.T.shape else np.atleast_2d(units).T


def as_if_printed(q: Problem, claims: Sequence[Claim], most: float) -> Report | None:
    """The report with a tolerance for weights that look printed; None if that does not explain the figures, or would
    explain many others. ``most``: see ``conclude``."""
    units = Units.looking_printed(q)
    if units is None or not units.any:
        return None
    open_ = with_slack(q, claims, units)
    c = Comparison(q, Claims.of(open_))
    if not is_telling(open_, c.right):
        return None
    report = conclude(q, open_, most)
    if math.isinf(report.bits):
        return None
    what = "Right" if report.correct else "This holds"
    said = f"{what} if the weights are rounded to their decimals; to compare in this way, give them as strings."
    report.note = " ".join(filter(None, (report.note, said)))
    return report


def with_slack(
    q: Problem, claims: Sequence[Claim], units: Units, slips: Sequence[Mistake] = (), constant: float = 1.0
) -> list[Claim]:
    """The claims with their tolerance due to the network's digits, in a program with these slips and this constant on
    its gradients."""
    slack = abs(constant) * _slack(q, units, slips)
    return [replace(claim, slack=float(slack[claim.position])) for claim in claims]


def by_their_own_digits(q: Problem, claims: Sequence[Claim], units: Units, most: float) -> Report | None:
    """The report on slips that make figures depend more on the network than right ones do. They are searched for with
    wider bounds, and then checked with the tolerance in a program with those slips. None if there are none; ``most``:
    see ``conclude``."""
    wide = [replace(claim, slack=_WIDER * claim.slack) for claim in claims]
    search = Search([Comparison(q, Claims.of(wide))], most)
    if not search.c.wrong.any():
        return None
    found = [e for e in search.explanations() if e.slips and _holds(q, wide, units, e)]
    return of_search(search, found, figures(Comparison(q, Claims.of(claims)), claims)) if found else None


def _holds(q: Problem, wide: Sequence[Claim], units: Units, e: Explanation) -> bool:
    """Whether the figures fit within the tolerance after these slips, and the wider bounds included that tolerance."""
    largest = np.abs(e.constants.values(q, Comparison(q, Claims.of(wide)).groups)).max(initial=0.0)
    own = with_slack(q, wide, units, e.slips, float(largest))
    if any(claim.slack > bound.slack for claim, bound in zip(own, wide, strict=True)):
        return False
    c = Comparison(q, Claims.of(own))
    ratios = c.ratios(figures_of(c, [e.slips]), None if e.added is None else e.added.figures(c)[None])
    return e.constants.holds(c, ratios[0])


def is_telling(claims: Sequence[Claim], right: Array) -> bool:
    """Whether figures that are right except for the network's digits are unlikely to be so by chance."""
    values = np.abs([right[claim.position] - claim.base for claim in claims])
    open_ = np.array([claim.slack + claim.figure.last for claim in claims])
    with np.errstate(divide="ignore"):
        bits = np.clip(np.log2(values / (open_ + 1e-300)), 0, 40)
    return bool(bits.mean() >= TELLING and bits.sum() >= ALL_TELLING)


def _slack(q: Problem, units: Units, slips: Sequence[Mistake] = ()) -> Array:
    """The tolerance of every figure of a pass."""
    known = sum(np.count_nonzero(u) for u in (*units.weights, units.X, units.y))
    runs = [(slip.edits, np.array([0])) for slip in slips]
    found: Array = np.zeros(Passes(q, 1, runs).figures().shape[1])
    for up, down in _moved(q, units) if known <= _MOST else ():
        found = found + np.abs(Passes(up, 1, runs).figures()[0] - Passes(down, 1, runs).figures()[0]) / 2
    return _MARGIN * found


def _moved(q: Problem, units: Units) -> Iterator[tuple[Problem, Problem]]:
    """The problem with each number moved up and down by half a unit."""
    for layer, unit in enumerate(units.weights):
        for place in zip(*np.nonzero(unit), strict=True):
            by = float(unit[place]) / 2
            yield _with_weight(q, layer, place, by), _with_weight(q, layer, place, -by)
    for name, unit in (("X", units.X), ("y", units.y)):
        for place in zip(*np.nonzero(unit), strict=True):
            by = float(unit[place]) / 2
            yield _with_sample(q, name, place, by), _with_sample(q, name, place, -by)


def _with_weight(q: Problem, layer: int, place: tuple[np.intp, ...], by: float) -> Problem:
    arrays = [W.copy() for W in q.net.weights]
    arrays[layer][place] += by
    return replace(q, net=q.net.with_weights(arrays))


def _with_sample(q: Problem, name: str, place: tuple[np.intp, ...], by: float) -> Problem:
    array = getattr(q, name).copy()
    array[place] += by
    return replace(q, X=array) if name == "X" else replace(q, y=array)
