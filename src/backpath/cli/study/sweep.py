"""``--sweep learning-rate=0.1..10:log:25``: a setting and its values."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from backpath.errors import InputError
from backpath.files.wording import quoted

_NAMES = ("learning-rate", "momentum")
MOST_VALUES = 1000


@dataclass(frozen=True)
class Sweep:
    """A setting of ``train_population`` and its values, evenly spaced, or with even ratios if ``log``."""

    name: str
    values: NDArray[np.float64] = field(repr=False)
    log: bool

    @property
    def setting(self) -> str:
        return self.name.replace("-", "_")

    @property
    def shown(self) -> str:
        return self.name.replace("-", " ")


def parse_sweep(text: str) -> Sweep:
    """NAME=LOW..HIGH:log|lin:COUNT as a sweep.

    >>> parse_sweep("learning-rate=0.1..10:log:3").values.tolist()
    [0.1, 1.0, 10.0]
    >>> parse_sweep("momentum=0..0.9:lin:4").values.round(12).tolist()
    [0.0, 0.3, 0.6, 0.9]
    """
    name, _, rest = text.partition("=")
    bounds, *spacing = rest.split(":")
    try:
        low, high = map(float, bounds.split(".."))
        kind, count = spacing[0], int(spacing[1])
    except (ValueError, IndexError):
        kind, count, low, high = "", 0, 0.0, 0.0
    rules = (
        (len(spacing) == 2 and kind in ("log", "lin"), "takes NAME=LOW..HIGH:SPACING:COUNT with SPACING log or lin"),
        (name in _NAMES, f"varies {' or '.join(_NAMES)}"),
        (math.isfinite(low) and math.isfinite(high) and low < high, "needs two finite numbers, the lower first"),
        (kind == "lin" or low > 0, "with log spacing needs numbers above 0; use :lin: for others"),
        (2 <= count <= MOST_VALUES, f"takes 2 to {MOST_VALUES:,} values"),
    )
    for holds, expected in rules:
        if not holds:
            raise _refusal(expected, text)
    spaced = np.geomspace if kind == "log" else np.linspace
    return Sweep(name, spaced(low, high, count), kind == "log")


def _refusal(expected: str, text: str) -> InputError:
    return InputError(f"--sweep {expected}, as in learning-rate=0.1..10:log:25, but got {quoted(text)}")
