"""Description lengths: the cost of an explanation, and the information in figures, in bits.

The prior probability of an explanation is 2 to the power of minus its bits. A slip costs the bits of its kind and the
logarithm of the number of its possible places; a constant or a fitted number costs the bits of its digits. A figure has
log2(1/width) bits of information, where width is its relative uncertainty from its digits; figures that are wrong by
the same factor count once, because one explanation explains them all. A wrong explanation fits all figures within their
digits by chance with a probability of 2 to the power of its bits minus those of the figures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from backpath.explain.diagnosis.comparison import Comparison
from backpath.explain.diagnosis.mistakes import LOCAL, PLAIN, RARE

OF_RANK = {PLAIN: 3.5, LOCAL: 6.0, RARE: 9.0}  # for a kind of slip, in addition to its place
SECOND = 8.0  # a second slip in the same program
MARGIN = 8.0  # by which the information in the figures must exceed a certain explanation
DOUBT = 6.0  # by which a reported explanation may exceed the information in the figures
ABOUT = 4.0  # explanations count as equally short if the difference is smaller
PER_DIGIT = math.log2(10)
NUMBER = 3.0  # for the presence of a number, and its size
_MOST = 40.0  # the most information in one figure
_ZERO = 14.0  # the information in all figures together that are 0 and should not be
_DIGITS = 15


def roundest(least: float, most: float, likely: Sequence[float] = ()) -> tuple[float, float]:
    """The number with the fewest digits between two, or one of a few likely numbers; and its bits.

    >>> roundest(3.97, 4.02)[0], roundest(0.1234, 0.1236)[0]
    (4.0, 0.1235)
    """
    if least <= 0 <= most:
        return 0.0, NUMBER
    for number in likely:
        if least <= number <= most:
            return number, NUMBER + math.log2(len(likely)) + _of_size(number)
    middle = least + (most - least) / 2 if math.isfinite(most - least) else min(least, most, key=abs)
    for digits in range(1, _DIGITS):
        number = float(f"{middle:.{digits - 1}e}")
        if least <= number <= most:
            return number, NUMBER + digits * PER_DIGIT + _of_size(number)
    return middle, NUMBER + _DIGITS * PER_DIGIT


def _of_size(number: float) -> float:
    """Bits for the place of the decimal point: 0 from 1 to 10."""
    return math.log2(1 + abs(math.floor(math.log10(abs(number))))) if number else 0.0


def information(c: Comparison) -> float:
    """The information in the wrong figures of a comparison."""
    wrong = np.flatnonzero(c.wrong)
    right = c.changes(c.right[None])[0][wrong]
    low, high = (c.low - c.claims.base)[wrong], (c.high - c.claims.base)[wrong]
    bits = 0.0
    usual = np.abs(right) > 1e-12 * c.size[wrong]
    with np.errstate(all="ignore"):
        ends = np.sort(np.stack([low / right, high / right]), axis=0)
    factors = ends[:, usual & c.is_weight[wrong]]
    bits += sum(_of_factor(*cluster) for cluster in _clusters(factors))
    others = np.abs(np.stack([low, high])[:, ~usual | ~c.is_weight[wrong]])
    bits += sum(_of_factor(*cluster) for cluster in _clusters(np.sort(others, axis=0)))
    return bits


def _clusters(ends: np.ndarray) -> list[tuple[float, float]]:
    """Merges overlapping intervals."""
    found: list[tuple[float, float]] = []
    for least, most in ends[:, np.argsort(ends[0])].T.tolist():
        if found and least <= found[-1][1]:
            found[-1] = (least, min(most, found[-1][1]))
        else:
            found.append((least, most))
    return found


def _of_factor(least: float, most: float) -> float:
    if math.isinf(most - least):
        return 0.0
    if least <= 0 <= most:
        return min(_ZERO, max(0.0, -math.log2(most - least + 1e-300)))
    return min(_MOST, max(0.0, 1 + math.log2(max(abs(least), abs(most)) / (most - least + 1e-300))))
