"""Claimed figures: numbers, or strings whose digits show how precise they are."""

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
    """What another order of sums and other formulas may make of a number: a share of it, a share of the largest of its
    kind, and of what it was added to."""

    relative: float
    of_largest: float
    epsilon: float


ROUNDED = 10  # significant digits up to which a float looks like a rounded figure
DOUBLE, SINGLE = Precision(1e-9, 1e-12, 1e-15), Precision(3e-4, 1e-5, 5e-7)
HALF = Precision(2e-3, 2e-4, 1e-3)


@dataclass(frozen=True)
class Figure:
    """A number, and one unit of its last printed digit (0: it is given in full)."""

    value: float
    last: float
    precision: Precision = DOUBLE


@dataclass(frozen=True)
class Claim:
    """One claimed figure: of what, as it was given, as it is read, and where it stands among all figures.

    ``base``: what it is a change of; ``slack``: by how much it may differ because of the digits of the network.
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
    """Figures claimed, each with what may be true if it is.

    Attributes
    ----------
    names : of what
    positions : where each stands among all figures of a pass
    value, last : the figure, and one unit of its last digit: the true number may differ by half of it, or be larger by
        a whole one, if digits were cut off
    base : what the figure is a change of: the weight before the update; 0 of a gradient
    relative, of_largest, epsilon : the precision of floats
    slack : by how much each may differ because the network is known to so many digits only
    beyond : 1 or -1 where the number may be any larger, or any smaller one: it is clipped; else 0
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
        values = [claim.figure for claim in claims]
        finest = min((f.last for f in values if f.last), default=0.0)
        last = np.array([finest if f.last == 1.0 and f.value == 0 else f.last for f in values])  # "0" is 0
        single = any(f.precision is SINGLE for f in values)  # then the 0s among them too
        kinds = np.array([_precision(SINGLE if single and not f.last else f.precision) for f in values])
        places = np.array([claim.position for claim in claims], dtype=np.intp)
        base = np.array([claim.base for claim in claims])
        value = np.array([f.value for f in values])
        slack = np.array([claim.slack for claim in claims])
        relative, of_largest, epsilon = kinds.reshape(-1, 3).T
        names = tuple(claim.name for claim in claims)
        return cls(names, places, value, last, base, relative, of_largest, epsilon, slack, np.zeros_like(value))


def _precision(of: Precision) -> tuple[float, float, float]:
    return of.relative, of.of_largest, of.epsilon


def read_figure(figure: object, where: str) -> Figure:
    """A claimed figure: a number, or a string as it was printed."""
    if isinstance(figure, str):
        return _printed(figure, where)
    try:
        value = math.nan if isinstance(figure, (bool, np.bool_)) else float(figure)  # type: ignore[arg-type]  # caught
    except (TypeError, ValueError, OverflowError):
        value = math.nan
    if not math.isfinite(value):
        raise _refused(figure, where)
    if isinstance(figure, np.floating) and figure.itemsize < 4:
        return Figure(value, 0.0, HALF)
    return Figure(value, 0.0, SINGLE if _is_single(figure, value) else DOUBLE)


def _is_single(figure: object, value: float) -> bool:
    """Whether a number was computed in float32, of which it has the digits: 0.30000001192092896."""
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
    return Figure(float(number), float(Decimal(1).scaleb(exponent)))


def _refused(figure: object, where: str) -> InputError:
    return InputError(f"{where} must be a finite number, or one in quotes as it was printed, but is {quoted(figure)}")
