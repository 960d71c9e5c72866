"""Reads explanations as a reader with a pocket calculator does: parses what is printed and recomputes it."""

from __future__ import annotations

import math
import re
from decimal import Decimal

NUMBER = r"-?\d+(?:\.\d+)?(?:e-?\d+)?"


def last_equation(text, name):
    """The sides of the last equation of that name, wrapped lines joined."""
    joined = re.sub(r"\n +(?=[=×+−] )", " ", text)
    line = [line.strip() for line in joined.splitlines() if re.match(rf"\s*{re.escape(name)}\s+= ", line)][-1]
    return [side.strip() for side in line.split(" = ")[1:]]


def product(side):
    """``(-0.25) × 0.11`` as a Decimal."""
    return math.prod((Decimal(factor.strip("()")) for factor in side.split(" × ")), start=Decimal(1))


def summed(side):
    """``0.1 − 0.2 + 0.3`` as a Decimal."""
    plus = side.replace(" − ", " + -").replace("(", "").replace(")", "")
    return sum((Decimal(term) for term in plus.split(" + ")), start=Decimal(0))


def agrees(made, shown, scale=0):
    """Whether a number, rounded to the digits that are shown, is the one that is shown."""
    wanted = Decimal(shown)
    if wanted == 0:
        return abs(made) <= max(Decimal(scale) * Decimal("1e-13"), Decimal("1e-320"))
    return made.quantize(Decimal(1).scaleb(wanted.as_tuple().exponent)) == wanted
