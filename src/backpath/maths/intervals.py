"""Confidence intervals of shares."""

from __future__ import annotations

import math
from statistics import NormalDist


def wilson_interval(successes: int, total: int, level: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval for a share of ``successes`` out of ``total``.

    (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n), with p the share seen, n ``total`` and z the normal quantile of
    ``level``. It also holds if the share is close to 0 or 1.

    Source: E. B. Wilson, Probable Inference, J. Amer. Statist. Assoc. 22 (1927).

    >>> [round(bound, 4) for bound in wilson_interval(0, 10)]
    [0.0, 0.2775]
    """
    p, z = successes / total, NormalDist().inv_cdf((1 + level) / 2)
    middle = p + z**2 / (2 * total)
    reach = z * math.sqrt(p * (1 - p) / total + (z / (2 * total)) ** 2)
    scale = 1 + z**2 / total
    low, high = (middle - reach) / scale, (middle + reach) / scale
    return low if successes else 0.0, high if successes < total else 1.0  # there, except for rounding
