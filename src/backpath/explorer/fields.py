"""Reads the fields of a message, and checks the type and size of everything from a page before it is used."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from backpath.errors import InputError
from backpath.explorer import limits
from backpath.files.wording import counted, quoted
from backpath.maths.arrays import Floats


def number(value: object, what: str) -> float:
    """A finite number, or a text that people would type for one.

    >>> number("-0.5", "W11_1"), number(2, "x"), number("\N{MINUS SIGN}1,5", "x"), number("1/4", "x")
    (-0.5, 2.0, -1.5, 0.25)
    """
    found = math.nan
    if isinstance(value, (int, float, str)) and not isinstance(value, bool):
        try:
            found = float(plain_number(value) if isinstance(value, str) else value)
        except (ValueError, OverflowError, ZeroDivisionError):
            found = math.nan
    if not math.isfinite(found):
        raise InputError(f"{what} must be a finite number, but is {quoted(value)}")
    if abs(found) > limits.LARGEST:
        raise InputError(f"{what} must be between -10⁹ and 10⁹, but is {quoted(value)}")
    return found


_TYPED = re.compile(r"[+-]?(\d+[.,]?\d*|[.,]\d+)([eE][+-]?\d+)?", re.ASCII)


def plain_number(typed: str) -> str | float:
    """A typed number in Python's form, with its digits: also with a decimal comma, a real minus sign, or a fraction."""
    text = typed.strip().replace("\N{MINUS SIGN}", "-")
    above, slash, below = text.partition("/")
    if slash:
        return float(plain_number(above)) / float(plain_number(below))
    if not _TYPED.fullmatch(text):
        raise ValueError(text)
    return text.replace(",", ".")


def whole(value: object, what: str, least: int, most: int) -> int:
    """A whole number in a range; also JSON's 2.0."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise InputError(f"{what} must be a whole number from {least:,} to {most:,}, but is {quoted(value)}")
    return value


def text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise InputError(f"{what} must be a text, but is {quoted(value)}")
    return value


def truth(value: object, what: str) -> bool:
    if not isinstance(value, bool):
        raise InputError(f"{what} must be true or false, but is {quoted(value)}")
    return value


def row(values: object, what: str, length: int) -> Floats:
    """A list of ``length`` numbers."""
    found = values if isinstance(values, list) else [values]
    if len(found) != length:
        raise InputError(f"{what} must be {counted(length, 'number')}, but there are {len(found):,}")
    return np.array([number(value, f"{what}, number {place}") for place, value in enumerate(found, 1)])


def rows(values: object, what: str, columns: int, most: int) -> Floats:
    """A list of lists of numbers, (rows, columns); with one column, also a list of numbers."""
    if not isinstance(values, list) or not values:
        raise InputError(f"{what} must be a list of rows of numbers")
    if len(values) > most:
        raise InputError(f"{what} may have up to {most:,} rows, but has {len(values):,}")
    return np.array([row(value, f"{what}, row {place}", columns) for place, value in enumerate(values, 1)])


def only(given: Mapping[str, Any], known: Sequence[str], what: str) -> None:
    """Refuse unknown keys."""
    unknown = [key for key in given if key not in known]
    if unknown:
        raise InputError(f"{what} has no {quoted(unknown[0])}; expected one of {', '.join(known)}")
