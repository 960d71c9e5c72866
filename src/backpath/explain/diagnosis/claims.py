"""Claimed figures: numbers, or strings whose digits show their precision."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

import numpy as np
from numpy.typing import NDArray

from backpath.errors import InputError
from backpath.files.wording import quoted
from backpath.maths.arrays import Array


@dataclass(frozen=True)
class Precision:
    """The effect of rounding in other formulas and orders of summation, relative to the number, to the largest of its
    kind, and to what it was added to."""

    relative: float
    of_largest: float
    epsilon: float


ROUNDED = 10  # significant digits; a float with at most this many looks rounded
DOUBLE, SINGLE = Precision(1e-9, 1e-12, 1e-15), Precision(3e-4, 1e-5, 5e-7)
HALF_PRECISION = Precision(2e-3, 2e-4, 1e-3)


@dataclass(frozen=True)
class Figure:
    """A number, and one unit of its last printed digit (0: all digits are given)."""

    value: float
    last: float
    precision: Precision = DOUBLE


@dataclass(frozen=True)
class Claim:
    """One claimed figure: its quantity, as given, as read, and its place among all figures.

    ``base``: the value before the change; ``slack``: the tolerance due to the digits of the network.
    """

    kind: str
    name: str
    given: object
    figure: Figure
    position: int
    base: float = 0.0
    slack: float = 0.0


@dataclass(frozen=True, eq=False)
class Claims:
    """Claimed figures, with their tolerances.

    Attributes
    ----------
    names : the names of the quantities
    positions : the place of each among all figures of a pass
    value, last : the figure, and one unit of its last digit: the true number may differ by half a unit, or be larger by
        a whole unit if digits were cut off
    base : the value before the change: the weight before the update; 0 for a gradient
    relative, of_largest, epsilon : the precision of floats
    slack : the tolerance due to the digits of the network
    beyond : 1 or -1 if the number is clipped, so that the true number may be larger, or smaller; otherwise 0
    """

    names: tuple[str, ...]
    positions: NDArray[np.intp]
    value: Array
    last: Array
    base: Array
    relative: Array
    of_largest: Array
    epsilon: Array
    slack: Array
    beyond: Array

    @classmethod
    def of(cls, claims: Sequence[Claim]) -> Claims:
        figures = [claim.figure for claim in claims]
        value = np.array([figure.value for figure in figures])
        precision = np.array([(p.relative, p.of_largest, p.epsilon) for p in _precisions(figures)])
        relative, of_largest, epsilon = precision.reshape(-1, 3).T
        return cls(
            names=tuple(claim.name for claim in claims),
            positions=np.array([claim.position for claim in claims], dtype=np.intp),
            value=value,
            last=_last_units(figures),
            base=np.array([claim.base for claim in claims]),
            relative=relative,
            of_largest=of_largest,
            epsilon=epsilon,
            slack=np.array([claim.slack for claim in claims]),
            beyond=np.zeros_like(value),
        )


def _last_units(figures: Sequence[Figure]) -> Array:
    """One unit of each figure's last digit; "0" has the finest digits of all figures."""
    finest = min((f.last for f in figures if f.last), default=0.0)
    return np.array([finest if f.last == 1.0 and f.value == 0 else f.last for f in figures])


def _precisions(figures: Sequence[Figure]) -> list[Precision]:
    """Each figure's precision; if one number is in float32, all are, even zeros."""
    is_single = any(figure.precision is SINGLE for figure in figures)
    return [SINGLE if is_single and not figure.last else figure.precision for figure in figures]


def read_figure(figure: object, where: str) -> Figure:
    """A claimed figure: a number, or a printed string."""
    if isinstance(figure, str):
        return _printed(figure, where)
    try:
        value = math.nan if isinstance(figure, (bool, np.bool_)) else float(figure)  # type: ignore[arg-type]  # caught
    except (TypeError, ValueError, OverflowError):
        value = math.nan
    if not math.isfinite(value):
        raise _refused(figure, where)
    if isinstance(figure, np.floating) and figure.itemsize < 4:
        return Figure(value, 0.0, HALF_PRECISION)
    return Figure(value, 0.0, SINGLE if _is_single(figure, value) else DOUBLE)


def _is_single(figure: object, value: float) -> bool:
    """Whether a number has the digits of a float32: 0.30000001192092896."""
    if isinstance(figure, np.floating) and figure.itemsize < 8:
        return True
    long = len(Decimal(repr(value)).as_tuple().digits) > ROUNDED
    with np.errstate(over="ignore"):
        return long and float(np.float32(value)) == value


def _printed(figure: str, where: str) -> Figure:
    try:
        number = Decimal(figure.strip().replace("\N{MINUS SIGN}", "-").replace("_", "?"))
    except InvalidOperation:
        raise _refused(figure, where) from None
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or not math.isfinite(float(number)):
        raise _refused(figure, where)
    return Figure(float(number), min(float(f"1e{exponent}"), 1e300))


def _refused(figure: object, where: str) -> InputError:
    return InputError(f"{where} must be a finite number, or one in quotes as it was printed, but is {quoted(figure)}")
