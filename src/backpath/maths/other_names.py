"""What other libraries call costs and activations, and what they are called here.

The same formula is not always meant: their mean squared error is averaged over the outputs too, for instance. Whoever
takes such a name says which cost it was taken for.
"""

from __future__ import annotations

from collections.abc import Iterable

from backpath.maths.activations import ACTIVATIONS
from backpath.maths.costs import COSTS

_COSTS = {
    "squared_error": "mse sse l2 mean_squared_error sum_squared_error squared_loss quadratic quadratic_cost mseloss",
    "half_squared_error": "half_mse half_sse half_squared",
    "absolute_error": "mae l1 mean_absolute_error l1loss",
    "huber": "smooth_l1 huber_loss smoothl1loss",
    "poisson": "poisson_nll poisson_loss poissonnllloss",
    "binary_cross_entropy": "bce log_loss logloss logistic_loss binary_crossentropy bceloss bcewithlogitsloss",
    "categorical_cross_entropy": "nll cce categorical_crossentropy softmax_cross_entropy negative_log_likelihood "
    "sparse_categorical_crossentropy nllloss",
}
_EITHER = {"cross_entropy", "crossentropy", "ce", "xent", "crossentropyloss"}
_ACTIVATIONS = {
    "identity": "linear none purelin",
    "sigmoid": "logistic logsig sigm expit",
    "tanh": "tansig tanh_activation",
    "relu": "rectifier rectified_linear",
    "leaky_relu": "lrelu leakyrelu",
    "silu": "swish",
    "step": "heaviside threshold tlu hardlim",
    "exp": "exponential",
}


def cost_called(name: str, output: str) -> str:
    """The cost that a name means, with outputs of this activation; the name itself if nothing else calls it so.

    >>> cost_called("mse", "sigmoid"), cost_called("cross_entropy", "softmax"), cost_called("huber", "tanh")
    ('squared_error', 'categorical_cross_entropy', 'huber')
    """
    if name in COSTS:
        return name
    plain = _plain(name)
    if plain in _EITHER:
        return "categorical_cross_entropy" if output == "softmax" else "binary_cross_entropy"
    return _named(plain, _COSTS) or name


def activation_called(name: str) -> str:
    """The activation that a name means.

    >>> activation_called("linear"), activation_called("ReLU"), activation_called("gelu")
    ('identity', 'relu', 'gelu')
    """
    if name in ACTIVATIONS:
        return name
    plain = _plain(name)
    return plain if plain in ACTIVATIONS else _named(plain, _ACTIVATIONS) or name


def taken_as(pairs: Iterable[tuple[str, str]]) -> str:
    """What is to be said of names that were taken for others.

    >>> taken_as([("mse", "squared_error"), ("tanh", "tanh")])
    "'mse' is taken as squared_error."
    """
    return " ".join(dict.fromkeys(f"{name!r} is taken as {ours}." for name, ours in pairs if name != ours))


def _plain(name: object) -> str:
    return str(name).strip().lower().replace("-", "_").replace(" ", "_")


def _named(name: str, table: dict[str, str]) -> str | None:
    return next((ours for ours, others in table.items() if name == ours or name in others.split()), None)
