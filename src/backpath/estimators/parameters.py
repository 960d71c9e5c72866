"""What the estimators' parameters may be, and what follows from them."""

from __future__ import annotations

import inspect
import math
import os
from collections.abc import Callable, Iterable, Mapping
from numbers import Integral, Real
from typing import Any, TypeVar

import numpy as np

from backpath.errors import InputError
from backpath.maths.activations import ACTIVATIONS, activation
from backpath.training import progress

Check = tuple[str, Callable[[Any], bool]]
_Init = TypeVar("_Init", bound=Callable[..., None])

SOLVERS = ("lbfgs", "sgd", "adam", "lm")
STOCHASTIC = ("sgd", "adam")
SKLEARN_NAMES = {"logistic": "sigmoid"}  # the activation that has another name there
TRAINABLE = [row.name for row in ACTIVATIONS.values() if not row.no_derivative and row.jacobian is None]


def _is_truth(value: Any) -> bool:
    return isinstance(value, (bool, np.bool_))


def _number(low: float, high: float = math.inf, *, low_is_in: bool = True, high_is_in: bool = False) -> Check:
    """A finite number of an interval."""
    above = f"{'of at least' if low_is_in else 'above'} {low:g}"
    below = "" if high == math.inf else f" and {'at most' if high_is_in else 'below'} {high:g}"

    def fits(value: Any) -> bool:
        if isinstance(value, (bool, np.bool_)) or not isinstance(value, Real) or not math.isfinite(value):
            return False
        number = float(value)
        return (number >= low if low_is_in else number > low) and (number <= high if high_is_in else number < high)

    return f"a number {above}{below}", fits


def _is_count(value: Any) -> bool:
    return isinstance(value, Integral) and not _is_truth(value) and int(value) >= 1


def _one_of(*names: str) -> Check:
    return f"one of {', '.join(map(repr, names))}", lambda value: isinstance(value, str) and value in names


def _is(value: Any, name: str) -> bool:
    return isinstance(value, str) and value == name


_COUNT: Check = ("a whole number of at least 1", _is_count)
_TRUTH: Check = ("True or False", _is_truth)


def _or(check: Check, words: str, also: Callable[[Any], bool]) -> Check:
    return f"{check[0]}, or {words}", lambda value: also(value) or check[1](value)


def callbacks_of(value: Any) -> list[Callable[..., Any]]:
    """The parameter ``callbacks`` as a list."""
    if value is None:
        return []
    return [value] if callable(value) else list(value)


def _are_callbacks(value: Any) -> bool:
    return value is None or callable(value) or (isinstance(value, Iterable) and all(callable(c) for c in value))


CHECKS: dict[str, Check] = {
    "solver": _one_of(*SOLVERS),
    "alpha": _number(0),
    "batch_size": _or(_COUNT, "'auto'", lambda value: _is(value, "auto")),
    "learning_rate": _one_of("constant", "invscaling", "adaptive"),
    "learning_rate_init": _number(0, low_is_in=False),
    "power_t": _number(0),
    "max_iter": _COUNT,
    "shuffle": _TRUTH,
    "tol": _number(0),
    "verbose": (
        "True, False or a whole number",
        lambda value: isinstance(value, (Integral, np.bool_)) and int(value) >= 0,
    ),
    "warm_start": _TRUTH,
    "momentum": _number(0, 1, high_is_in=True),
    "nesterovs_momentum": _TRUTH,
    "early_stopping": _TRUTH,
    "validation_fraction": _number(0, 1),
    "beta_1": _number(0, 1),
    "beta_2": _number(0, 1),
    "epsilon": _number(0, low_is_in=False),
    "n_iter_no_change": _or(_COUNT, "infinity", lambda value: isinstance(value, Real) and value == math.inf),
    "max_fun": _COUNT,
    "loss": _one_of("squared_error", "huber", "absolute_error", "poisson"),
    "class_weight": (
        "None, 'balanced' or a dict of classes and their weights",
        lambda value: (
            value is None or isinstance(value, (Mapping, list)) or (isinstance(value, str) and value == "balanced")
        ),
    ),
    "dropout": _number(0, 1),
    "clip_norm": _or(_number(0, low_is_in=False), "None", lambda value: value is None),
    "bayesian": _TRUTH,
    "scale_X": _TRUTH,
    "scale_y": _TRUTH,
    "restarts": _COUNT,
    "callbacks": ("a callable or some of them, or None", _are_callbacks),
    "progress": (progress.KINDS, progress.is_progress),
    "engine": _one_of("auto", "numpy", "compiled"),
    "checkpoint": (
        "the path of a folder, or None",
        lambda value: value is None or isinstance(value, (str, os.PathLike)),
    ),
}


def adds_to(base: type) -> Callable[[_Init], _Init]:
    """Give an ``__init__`` that adds parameters to its base's, and takes those as ``*shared, **settings``, the
    signature of both: positional ones first, each list in its order. scikit-learn reads names and defaults from it."""

    def signed(init: _Init) -> _Init:
        me, *own = inspect.signature(init).parameters.values()
        shared = list(inspect.signature(base.__init__).parameters.values())[1:]  # type: ignore[misc] # only read
        every = [p for p in own if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)] + shared
        init.__signature__ = inspect.Signature([me, *sorted(every, key=lambda p: p.kind)])  # type: ignore[attr-defined]
        return init

    return signed


def check_parameters(parameters: Mapping[str, Any]) -> None:
    """Refuse a parameter that makes no sense, before anything is done."""
    for name, value in parameters.items():
        words, fits = CHECKS.get(name, ("", lambda value: True))
        if not fits(value):
            raise InputError(f"{name} must be {words}, but is {value!r}")
    solver = parameters["solver"]
    for name in ("dropout", "clip_norm"):
        if parameters[name] and solver not in STOCHASTIC:
            raise InputError(f"{name} is for the solvers sgd and adam; leave it out with solver={solver!r}")
    if parameters["bayesian"] and solver != "lm":
        raise InputError(f"bayesian is for solver='lm', but the solver is {solver!r}")


def check_can_go_on(random_state: Any, incremental: bool) -> None:
    """Refuse checkpoints from which no fit could go on."""
    if incremental:
        raise InputError("checkpoint is for fit, which knows what it is to come to; leave it out for partial_fit")
    if not isinstance(random_state, Integral):
        raise InputError(
            f"with checkpoint, random_state must be a whole number, for the same fit to go on; but is {random_state!r}"
        )


def hidden_sizes(value: Any) -> tuple[int, ...]:
    """The parameter ``hidden_layer_sizes`` as neurons by layer."""
    sizes = tuple(value) if isinstance(value, Iterable) else (value,)
    if not all(_is_count(size) for size in sizes):
        raise InputError(f"hidden_layer_sizes must be > 0, whole numbers by layer, got {value!r}")
    return tuple(int(size) for size in sizes)


def hidden_activations(value: Any, layers: int) -> tuple[str, ...]:
    """The parameter ``activation`` as backpath's names by hidden layer."""
    names = (value,) * layers if isinstance(value, str) else tuple(value if isinstance(value, Iterable) else ())
    known = [*SKLEARN_NAMES, *TRAINABLE]
    if (isinstance(value, str) and value not in known) or not all(name in known for name in names):
        raise InputError(
            f"activation must be one of {', '.join(known)}, or one for each hidden layer, but is {value!r}"
        )
    if len(names) != layers:
        raise InputError(f"activation must be one name, or {layers} for as many hidden layers, but is {value!r}")
    return tuple(activation(SKLEARN_NAMES.get(name, name)).name for name in names)
