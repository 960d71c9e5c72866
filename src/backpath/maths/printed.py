"""Numbers as they were printed: strings, whose last digit shows their precision."""

from __future__ import annotations

import math
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpath.errors import InputError
from backpath.maths.arrays import Floats


def printed_number(text: str, where: str) -> tuple[float, float]:
    """The number in a string, and one unit of its last digit.

    >>> printed_number("0.150", "W11_1"), printed_number("−2e3", "W11_1")
    ((0.15, 0.001), (-2000.0, 1000.0))
    """
    try:
        number = Decimal(text.strip().replace("\N{MINUS SIGN}", "-").replace("_", "?"))
    except InvalidOperation:
        number = Decimal("NaN")
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or not math.isfinite(float(number)):
        raise InputError(f"{where} must be a finite number, or one in quotes as it was printed, but is {text[:60]!r}")
    return float(number), float(Decimal(1).scaleb(exponent))


def printed_array(values: Any, where: str) -> tuple[Any, Floats | None]:
    """The array with strings converted to numbers, and the units of their last digits (0 for other numbers). An array
    without strings is returned unchanged, with None."""
    try:
        given = np.asarray(values, dtype=object)
    except ValueError:  # rows of unequal length, which are refused later
        return values, None
    if not any(isinstance(value, str) for value in given.ravel()):
        return values, None
    numbers, units = np.empty(given.shape, dtype=object), np.zeros(given.shape)
    for place in np.ndindex(given.shape):
        value = given[place]
        numbers[place], units[place] = printed_number(value, where) if isinstance(value, str) else (value, 0.0)
    try:
        return numbers.astype(float), units
    except (TypeError, ValueError):
        return values, None


def last_digits(values: NDArray[np.floating], most: int) -> Floats | None:
    """One unit of the last decimal in any of these numbers, 0 for those that are 0; None if one has more than ``most``
    significant digits, and so was not printed.

    >>> last_digits(np.array([0.25, 0.0, -1.5]), 8)
    array([0.01, 0.  , 0.01])
    """
    exponents = []
    for value in values.ravel().tolist():
        digits = Decimal(repr(value)).normalize().as_tuple()
        if len(digits.digits) > most or not isinstance(digits.exponent, int):
            return None
        if value:
            exponents.append(digits.exponent)
    unit = 10.0 ** min(exponents, default=0)
    return np.where(values == 0, 0.0, unit)
