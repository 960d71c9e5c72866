"""The error of a correct figure that a learner computes from the rounded numbers on the page.

The page shows the numbers of the chain rule with five digits, so a figure computed from them may be off by the sum of
the errors from each rounding, to first order. Within that range it counts as correct.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, localcontext
from typing import Any

import numpy as np

from backpath.explain.backward import Backward, backward
from backpath.explain.digits import DIGITS, shown
from backpath.explorer.scene import Scene
from backpath.maths.arrays import Array
from backpath.maths.network import Network
from backpath.maths.notation import weight_index

_HALF = 0.5 * 10.0 ** (1 - DIGITS)  # half a unit of the last digit relative to the number, at most


def as_shown(value: float) -> float | str:
    """A number as the page shows it: the number itself if it is shown in full, otherwise its text.

    >>> as_shown(0.1), as_shown(0.12), as_shown(0.1200004)
    (0.1, 0.12, '1.2000e-01')
    """
    return value if float(shown(value)) == value else f"{value:.{DIGITS - 1}e}"


def network_as_shown(net: Network) -> Network:
    weights = [[[as_shown(value) for value in row] for row in W.tolist()] for W in net.weights]
    return Network.from_weights(weights, net.activations, biases=net.biases)


def samples_as_shown(values: Array) -> Any:
    if values.ndim == 1:
        return [as_shown(value) for value in values.tolist()]
    return [[as_shown(value) for value in row] for row in values.tolist()]


def settled(scene: Scene, figures: Mapping[str, Any], kind: str) -> tuple[dict[str, Any], bool]:
    """The figures, with those that are correct to the page's digits made exact; and whether there were any."""
    X, y = scene.samples
    net, cost = scene.network, scene.settings.cost
    found, changed = dict(figures), False
    wide = net.with_zero_biases()
    numbers = backward(wide, X, y, cost)
    doubts = _doubts(wide, numbers)
    for name, figure in figures.items():
        layer, j, source = weight_index(name, net.sizes, net.biases)
        place = j - 1, -1 if source is None else source - 1
        right, doubt = float(numbers.gradients[layer - 1][place]), float(doubts[layer - 1][place])
        if kind == "weights":
            before, rate = net[name], scene.settings.learning_rate
            right, doubt = before - rate * right, rate * doubt + _HALF * abs(before) * _is_rounded(before)
        value, last = float(figure), _last(figure)
        if value != right and abs(value - right) <= doubt + last / 2:
            found[name] = _rounded(right, last) if last else right
            changed = changed or abs(value - right) > last / 2
    return found, changed


def _rounded(right: float, last: float) -> str:
    """A number rounded to a unit of the last digit, of which it may have hundreds."""
    with localcontext(prec=700):
        return format(Decimal(right).quantize(Decimal(repr(last))), "f")


def _last(figure: Any) -> float:
    """One unit of the last digit that was typed; 0 for an exact number such as a fraction."""
    if not isinstance(figure, str):
        return 0.0
    exponent = Decimal(figure).as_tuple().exponent
    return min(float(f"1e{exponent}"), 1e300)


def _is_rounded(value: float) -> bool:
    return isinstance(as_shown(value), str)


def _doubts(net: Network, n: Backward) -> list[Array]:
    """The possible error of each gradient, in the shapes of the weights: |∂C/∂W| path by path, times the relative error
    of its factors."""
    with np.errstate(divide="ignore", invalid="ignore"):
        of_slopes = [_of_slope(name, a) for name, a in zip(net.activations, n.a[1:], strict=True)]
        of_cost = np.nan_to_num(_HALF * np.abs(n.a[-1]) / np.abs(n.a[-1] - n.y), nan=0.0, posinf=0.0)
    size = np.abs(n.delta[-1])
    doubt = size * (of_cost + of_slopes[-1] + _HALF)
    found: list[Array] = []
    for layer in range(len(net.weights), 0, -1):
        a = np.abs(n.a[layer - 1])
        a = np.hstack([a, np.ones((len(a), 1))])
        found.append((doubt.T @ a + size.T @ (_HALF * a)) / len(a))
        if layer > 1:
            W, slope = np.abs(net.weights[layer - 1][:, :-1]), np.abs(n.slopes[layer - 2])
            size, below = (size @ W) * slope, (doubt @ W + size @ (_HALF * W)) * slope
            doubt = below + size * of_slopes[layer - 2]
    return found[::-1]


def _of_slope(name: str, a: Array) -> Array:
    """The relative error of σ′ computed from an output as shown: a(1 − a), or 1 − a²."""
    if name == "sigmoid":
        share = _HALF * np.abs(a) * np.abs(1 - 2 * a) / (a * (1 - a))
    elif name == "tanh":
        share = _HALF * np.abs(a) * 2 * np.abs(a) / (1 - a * a)
    else:
        share = np.zeros_like(a)
    return np.clip(np.nan_to_num(share, nan=1.0, posinf=1.0), _HALF, 1.0)
