"""Formulas whose rounded numbers keep their trailing zeros, so that numbers side by side have equally many digits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from backpath.explain.backward import Backward
from backpath.explain.digits import DIGITS
from backpath.explain.expression import Equation, Expression, Number
from backpath.maths.network import Network

SHORT = 9  # decimal places


def known(network: Network, numbers: Backward, *more: ArrayLike) -> frozenset[float]:
    """The short numbers of a step. A text that is one of them is exact, and gets no zeros."""
    arrays = [*network.weights, numbers.x, numbers.y, *numbers.a, *numbers.u, *numbers.slopes, *numbers.dC_da, *more]
    found = np.concatenate([np.ravel(array) for array in arrays])
    with np.errstate(over="ignore"):  # a number that large has no decimal places
        return frozenset(found[np.round(found, SHORT) == found].tolist())


def even(equation: Equation, exact: frozenset[float]) -> Equation:
    """Zeros for the rounded numbers of each side, up to the digits of the longest, and at least to the page's.

    >>> from backpath.explain.expression import Product
    >>> side = Product((Number("0.2955"), Number("1.29296"), Number("0.5"), Number("2")))
    >>> [each.text for each in even(Equation((side,)), frozenset([0.5])).sides[0].factors]
    ['0.295500', '1.29296', '0.5', '2']
    """
    return Equation(tuple(_even(side, exact) for side in equation.sides))


def _even(side: Expression, exact: frozenset[float]) -> Expression:
    rounded = [text for text in _texts(side) if _is_rounded(text, exact)]
    most = max([DIGITS, *map(digits, rounded)])
    return _replaced(side, {text: padded(text, most) for text in rounded})


def _parts(e: Expression) -> Iterator[tuple[str, Any]]:
    """The fields that are expressions, or tuples of them."""
    for field in fields(e):
        value = getattr(e, field.name)
        if isinstance(value, Expression | tuple):
            yield field.name, value


def _texts(e: Any) -> Iterator[str]:
    if isinstance(e, Number):
        yield e.text
    else:
        inside: Iterable[Any] = e if isinstance(e, tuple) else (value for _, value in _parts(e))
        for part in inside:
            yield from _texts(part)


def _replaced(e: Any, texts: dict[str, str]) -> Any:
    if isinstance(e, tuple):
        return tuple(_replaced(part, texts) for part in e)
    if isinstance(e, Number):
        return Number(texts.get(e.text, e.text))
    return replace(e, **{name: _replaced(value, texts) for name, value in _parts(e)})


def _is_rounded(text: str, exact: frozenset[float]) -> bool:
    return "." in text and float(text) not in exact and -float(text) not in exact


def digits(text: str) -> int:
    """The number of significant digits.

    >>> digits("-0.0520"), digits("12.5e-9")
    (3, 3)
    """
    return len(text.partition("e")[0].lstrip("-0.").replace(".", ""))


def padded(text: str, most: int) -> str:
    """A rounded number with zeros up to so many digits.

    >>> padded("0.2955", 5), padded("1", 3), padded("12345", 3), padded("-1.5e-9", 3)
    ('0.29550', '1.00', '12345', '-1.50e-9')
    """
    mantissa, e, exponent = text.partition("e")
    zeros = "0" * (most - digits(text))
    return f"{mantissa}{'.' if zeros and '.' not in mantissa else ''}{zeros}{e}{exponent}"
