"""Errors for unknown names, with a suggestion, also from other libraries' names of costs and activations."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from backpath.errors import InputError

OTHER_COSTS = {
    "squared_error": "mse sse l2 mean_squared_error sum_squared_error squared_loss quadratic quadratic_cost mseloss",
    "half_squared_error": "half_mse half_sse half_squared",
    "absolute_error": "mae l1 mean_absolute_error l1loss",
    "huber": "smooth_l1 huber_loss smoothl1loss",
    "poisson": "poisson_nll poisson_loss poissonnllloss",
    "binary_cross_entropy": "bce log_loss logloss logistic_loss binary_crossentropy bceloss bcewithlogitsloss",
    "categorical_cross_entropy": "nll cce categorical_crossentropy softmax_cross_entropy negative_log_likelihood "
    "sparse_categorical_crossentropy nllloss",
}
EITHER_CROSS_ENTROPY = {"cross_entropy", "crossentropy", "ce", "xent", "crossentropyloss"}
OTHER_ACTIVATIONS = {
    "identity": "linear none purelin",
    "sigmoid": "logistic logsig sigm expit",
    "tanh": "tansig tanh_activation",
    "relu": "rectifier rectified_linear",
    "leaky_relu": "lrelu leakyrelu",
    "silu": "swish",
    "step": "heaviside threshold tlu hardlim",
    "exp": "exponential",
}


def unknown(kind: str, name: object, names: Iterable[str]) -> InputError:
    """The error for an unknown cost, activation, solver …, with a suggestion and all valid names.

    >>> str(unknown("solver", "adan", ["gd", "adam"]))
    "unknown solver 'adan'; expected one of gd, adam; did you mean 'adam'?"
    """
    known = list(names)
    hint = suggestion(name, known, kind)
    return InputError(f"unknown {kind} {name!r}; expected one of {', '.join(known)}{hint}", kind)


def suggestion(name: object, names: Iterable[str], kind: str = "") -> str:
    """The end of a message about an unknown name: which one was meant, if one is near.

    >>> suggestion("hidden_layer_size", ["hidden_layer_sizes", "solver"])
    "; did you mean 'hidden_layer_sizes'?"
    """
    meant = _meant(kind, str(name)[:100], list(names))
    return f"; did you mean {meant!r}?" if meant else ""


def _meant(kind: str, name: str, known: list[str]) -> str | None:
    """The name meant by another library's name or by a misspelling."""
    others = others_of(kind)
    plain = plainly(name)
    near = [plain] if plain in others else difflib.get_close_matches(plain, [*known, *others], n=1, cutoff=0.7)
    return others.get(near[0], near[0]) if near else None


def others_of(kind: str) -> dict[str, str]:
    """Other libraries' names of costs or activations, and what they are here.

    >>> others_of("cost")["mse"], others_of("solver")
    ('squared_error', {})
    """
    table = {"cost": OTHER_COSTS, "activation": OTHER_ACTIVATIONS}.get(kind, {})
    found = {other: ours for ours, others in table.items() for other in others.split()}
    return found | (dict.fromkeys(EITHER_CROSS_ENTROPY, "categorical_cross_entropy") if kind == "cost" else {})


def plainly(name: object) -> str:
    """A name in lower case, its words joined by underscores."""
    return str(name).strip().lower().replace("-", "_").replace(" ", "_")
