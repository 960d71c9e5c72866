"""Schedules of the learning rate for a known number of epochs: the share of η in each epoch.

| schedule     | share of η at t, the part of the epochs done, from 0 to 1 |
|--------------|-----------------------------------------------------------|
| ``constant`` | 1                                                         |
| ``linear``   | 1 - t                                                     |
| ``cosine``   | (1 + cos π t) / 2                                         |

Before that, over ``warm_up`` epochs, it rises evenly. Source of the cosine: Loshchilov and Hutter, SGDR: stochastic
gradient descent with warm restarts, ICLR 2017.
"""

from __future__ import annotations

import math
from collections.abc import Callable

SCHEDULES: dict[str, Callable[[float], float]] = {
    "constant": lambda t: 1.0,
    "linear": lambda t: 1 - t,
    "cosine": lambda t: (1 + math.cos(math.pi * t)) / 2,
}


def share_of_rate(schedule: str, epoch: int, epochs: int, warm_up: int = 0) -> float:
    """The share of η in an epoch, counted from 0; none has 0.

    >>> [round(share_of_rate("cosine", k, 6, warm_up=2), 3) for k in range(6)]
    [0.333, 0.667, 1.0, 0.854, 0.5, 0.146]
    """
    if epoch < warm_up:
        return (epoch + 1) / (warm_up + 1)
    return SCHEDULES[schedule]((epoch - warm_up) / max(1, epochs - warm_up))
