"""The number of digits to show: enough to recompute everything by hand.

If a product is shown with its factors, multiplying the shown factors gives the shown product, to its digits; the same
holds for sums. If five digits are not enough, more are shown.
"""

from __future__ import annotations

import decimal
import math
from collections.abc import Callable, Sequence
from decimal import Decimal

DIGITS = 5
_MOST = 17  # a float64 has no more
_FINEST = Decimal("1e-321")  # floats below about 1e-308 gradually lose digits
_PLAIN_FROM, _PLAIN_TO = -6, 15  # powers of ten to show without an exponent

Compute = Callable[[Sequence[Decimal]], Decimal]


def shown(value: float, digits: int = DIGITS) -> str:
    """A number rounded to significant digits, without trailing zeros; with 17 digits it is exact.

    >>> shown(0.593269992), shown(0.5), shown(0.0), shown(-1.5e-9), shown(123456.7)
    ('0.59327', '0.5', '0', '-1.5e-9', '123457')
    """
    if digits >= _MOST:
        return _text(Decimal(repr(value)))
    if 1 <= abs(value) < 10**_PLAIN_TO:
        digits = max(digits, Decimal(value).adjusted() + 1)  # digits before the point are never rounded
    return _text(Decimal(f"{value:.{digits - 1}e}"))


def _text(number: Decimal) -> str:
    if number == 0:
        return "0"
    exponent = number.adjusted()
    if _PLAIN_FROM <= exponent < _PLAIN_TO:
        plain = f"{number:f}"
        return plain.rstrip("0").rstrip(".") if "." in plain else plain
    mantissa = f"{number.scaleb(-exponent):f}"
    mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
    return f"{mantissa}e{exponent}"


def agree(
    values: Sequence[float], result: float, compute: Compute, digits: int = DIGITS, scale: float = 0.0
) -> tuple[list[str], str]:
    """The texts of values and result, with enough digits that the shown values give the shown result.

    Parameters
    ----------
    values, result : the exact numbers
    compute : a function that computes the result from the shown values
    digits : the least number of significant digits
    scale : the largest term of a sum; a result below 1e-14 of it is only rounding, and is shown as 0

    >>> agree([1 / 3, 3.0], 1.0, multiplied)
    (['0.33333', '3'], '1')
    """
    texts, (made,) = agree_all(values, [result], lambda numbers: [compute(numbers)], [scale], digits)
    return texts, made


def agree_all(
    values: Sequence[float],
    results: Sequence[float],
    compute: Callable[[Sequence[Decimal]], Sequence[Decimal]],
    scales: Sequence[float],
    digits: int = DIGITS,
) -> tuple[list[str], list[str]]:
    """The same with several results of the same values."""
    with decimal.localcontext(prec=80, Emin=-9999):
        for finer in range(digits, _MOST + 1):
            texts = [shown(value, finer) for value in values]
            made = list(compute([Decimal(text) for text in texts]))
            for places in range(digits, min(finer, _MOST - 1) + 1):
                rounded = [_rounded(result, places, scale) for result, scale in zip(results, scales, strict=True)]
                if all(m.quantize(quantum) == r for m, (quantum, r) in zip(made, rounded, strict=True)):
                    return texts, [_text(r) for _, r in rounded]
        return texts, [shown(float(m), digits) for m in made]  # rounding so large that no digits agree


def _rounded(result: float, places: int, scale: float) -> tuple[Decimal, Decimal]:
    """The decimal place of the rounding, and the rounded result."""
    exact = Decimal(result)
    quantum = Decimal(1).scaleb(exact.adjusted() - places + 1) if result else _FINEST
    if scale:
        quantum = max(quantum, Decimal(1).scaleb(math.floor(math.log10(scale)) - 14))
    if exact.adjusted() < _PLAIN_TO:
        quantum = min(quantum, Decimal(1))
    quantum = max(quantum, _FINEST)
    return quantum, exact.quantize(quantum)


def rounds_to(made: Decimal, value: float) -> bool:
    """Whether a number computed from shown ones rounds to the shown digits of ``value``.

    >>> rounds_to(2 * Decimal("0.2451625"), 0.490325016), rounds_to(2 * Decimal("0.24516251"), 0.490325016)
    (False, True)
    """
    quantum, rounded = _rounded(value, DIGITS, 0.0)
    return made.quantize(quantum) == rounded


def multiplied(factors: Sequence[Decimal]) -> Decimal:
    return math.prod(factors, start=Decimal(1))


def added(terms: Sequence[Decimal]) -> Decimal:
    return sum(terms, start=Decimal(0))


def subtracted(pair: Sequence[Decimal]) -> Decimal:
    return pair[0] - pair[1]


def shown_product(factors: Sequence[float], product: float, digits: int = DIGITS) -> tuple[list[str], str]:
    """The texts of factors and their product, which agree."""
    return agree(factors, product, multiplied, digits)


def shown_sum(terms: Sequence[float], total: float, digits: int = DIGITS) -> tuple[list[str], str]:
    """The texts of terms and their sum, which agree."""
    return agree(terms, total, added, digits, scale=max(map(abs, terms), default=0.0))
