"""Other libraries' names of costs and activations, and the names here.

The formulas can differ: their mean squared error, for instance, is also averaged over the outputs. A caller that
accepts such a name reports which cost it was read as.
"""

from __future__ import annotations

from collections.abc import Iterable

from backpath.maths.activations import ACTIVATIONS
from backpath.maths.costs import COSTS
from backpath.maths.unknown import EITHER_CROSS_ENTROPY, OTHER_ACTIVATIONS, OTHER_COSTS, plainly


def cost_called(name: str, output: str) -> str:
    """The cost that a name means, with outputs of this activation; the name itself if nothing else calls it so.

    >>> cost_called("mse", "sigmoid"), cost_called("cross_entropy", "softmax"), cost_called("huber", "tanh")
    ('squared_error', 'categorical_cross_entropy', 'huber')
    """
    if name in COSTS:
        return name
    plain = plainly(name)
    if plain in EITHER_CROSS_ENTROPY:
        return "categorical_cross_entropy" if output == "softmax" else "binary_cross_entropy"
    return _named(plain, OTHER_COSTS) or name


def activation_called(name: str) -> str:
    """The activation that a name means.

    >>> activation_called("linear"), activation_called("ReLU"), activation_called("gelu")
    ('identity', 'relu', 'gelu')
    """
    if name in ACTIVATIONS:
        return name
    plain = plainly(name)
    return plain if plain in ACTIVATIONS else _named(plain, OTHER_ACTIVATIONS) or name


def taken_as(pairs: Iterable[tuple[str, str]]) -> str:
    """The note on names that were read as others.

    >>> taken_as([("mse", "squared_error"), ("tanh", "tanh")])
    "'mse' is read as squared_error."
    """
    return " ".join(dict.fromkeys(f"{name!r} is read as {ours}." for name, ours in pairs if name != ours))


def _named(name: str, table: dict[str, str]) -> str | None:
    return next((ours for ours, others in table.items() if name == ours or name in others.split()), None)
