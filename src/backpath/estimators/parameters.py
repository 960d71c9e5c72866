"""Validation of the estimators' parameters, and values derived from them."""

from __future__ import annotations

import inspect
import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from itertools import pairwise
from numbers import Integral, Real
from typing import Any, TypeVar, cast

import numpy as np

from backpath.errors import InputError
from backpath.maths.activations import ACTIVATIONS, own_activation
from backpath.maths.checks import as_given
from backpath.maths.unknown import suggestion
from backpath.training import progress

Check = tuple[str, Callable[[Any], bool]]
_Init = TypeVar("_Init", bound=Callable[..., None])

MLP_SOLVERS = ("lbfgs", "sgd", "adam", "adamw", "lm")
STOCHASTIC = ("sgd", "adam", "adamw")
SKLEARN_NAMES = {"logistic": "sigmoid"}  # the activation with another name in scikit-learn
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
    return _is_whole(value) and int(value) >= 1


def _is_whole(value: Any) -> bool:
    return isinstance(value, Integral) and not _is_truth(value)


def _one_of(*names: str) -> Check:
    return f"one of {', '.join(map(repr, names))}", lambda value: isinstance(value, str) and value in names


def _is(value: Any, name: str) -> bool:
    return isinstance(value, str) and value == name


_COUNT: Check = ("a whole number of at least 1", _is_count)
_TRUTH: Check = ("True or False", _is_truth)


def _or(check: Check, words: str, also: Callable[[Any], bool]) -> Check:
    return f"{check[0]}, or {words}", lambda value: also(value) or check[1](value)


def is_pair(value: Any) -> bool:
    """Whether this is a function and its derivative."""
    return isinstance(value, (tuple, list)) and len(value) == 2 and all(callable(function) for function in value)


def _is_range(value: Any) -> bool:
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 2:
        return False
    low, high = value
    return all(isinstance(bound, Real) for bound in value) and -math.inf < low < high


def callbacks_of(value: Any) -> list[Callable[..., Any]]:
    """The parameter ``callbacks`` as a list."""
    if value is None:
        return []
    return [value] if callable(value) else list(value)


def _are_callbacks(value: Any) -> bool:
    return value is None or callable(value) or (isinstance(value, Iterable) and all(callable(c) for c in value))


CHECKS: dict[str, Check] = {
    "solver": _one_of(*MLP_SOLVERS),
    "alpha": _number(0),
    "batch_size": _or(_COUNT, "'auto'", lambda value: _is(value, "auto")),
    "learning_rate": _one_of("constant", "invscaling", "adaptive", "linear", "cosine", "plateau"),
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
    "loss": _or(
        _one_of("squared_error", "huber", "absolute_error", "poisson", "quantile"),
        "a pair of functions: C and ∂C/∂A, each of (A, y)",
        is_pair,
    ),
    "quantiles": (
        "a sequence of increasing numbers between 0 and 1",
        lambda value: (
            isinstance(value, Sequence)
            and len(value) > 0
            and all(_number(0, 1, low_is_in=False)[1](q) for q in value)
            and all(a < b for a, b in pairwise(value))
        ),
    ),
    "output_range": _or(
        ("a pair of numbers, the lower first; the upper one may be infinity", _is_range), "None", lambda v: v is None
    ),
    "class_weight": (
        "None, 'balanced', a dict of classes and their weights, or a list of dicts",
        lambda value: (
            value is None or isinstance(value, (Mapping, list)) or (isinstance(value, str) and value == "balanced")
        ),
    ),
    "dropout": _or(
        _number(0, 1),
        "one for each hidden layer",
        lambda value: isinstance(value, Sequence) and all(_number(0, 1)[1](share) for share in value),
    ),
    "n_layers": _or(_COUNT, "None", lambda value: value is None),
    "n_units": _or(_COUNT, "None", lambda value: value is None),
    "warm_up": ("a whole number of at least 0", lambda value: _is_count(value) or (_is_whole(value) and value == 0)),
    "scoring": (
        "None, 'loss', a scorer's name or a callable",
        lambda value: value is None or isinstance(value, str) or callable(value),
    ),
    "time_limit": _or(_number(0, low_is_in=False), "None", lambda value: value is None),
    "n_networks": _COUNT,
    "clip_norm": _or(_number(0, low_is_in=False), "None", lambda value: value is None),
    "bayesian": _TRUTH,
    "scale_X": _TRUTH,
    "scale_y": _TRUTH,
    "restarts": _COUNT,
    "callbacks": ("a callable, several, or None", _are_callbacks),
    "progress": (progress.ACCEPTED, progress.is_progress),
    "engine": _one_of("auto", "numpy", "compiled"),
    "checkpoint": (
        "the path of a folder, or None",
        lambda value: value is None or isinstance(value, (str, os.PathLike)),
    ),
}


def adds_to(base: type) -> Callable[[_Init], _Init]:
    """Give an ``__init__`` that adds parameters to its base's ``*shared, **settings`` the combined signature, with
    positional parameters first. scikit-learn reads names and defaults from it, and an unknown name raises TypeError."""

    def signed(init: _Init) -> _Init:
        me, *own = inspect.signature(init).parameters.values()
        shared = list(inspect.signature(base.__init__).parameters.values())[1:]  # type: ignore[misc] # only read
        every = [p for p in own if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)] + shared
        names = {p.name for p in every}

        @wraps(init)
        def checked(self: Any, *given: Any, **settings: Any) -> None:
            for name in (name for name in settings if name not in names):
                raise TypeError(f"{type(self).__name__} has no parameter {name!r}{suggestion(name, names)}")
            init(self, *given, **settings)

        checked.__signature__ = inspect.Signature([me, *sorted(every, key=lambda p: p.kind)])  # type: ignore[attr-defined]
        return cast("_Init", checked)

    return signed


def check_parameters(parameters: Mapping[str, Any], incremental: bool = False) -> None:
    """Validate the parameters first; ``incremental``: for ``partial_fit``."""
    for name, value in parameters.items():
        words, fits = CHECKS.get(name, ("", lambda value: True))
        if not fits(value):
            raise InputError(f"{name} must be {words}, but is {as_given(value)}")
    solver = parameters["solver"]
    for name in ("dropout", "clip_norm", "warm_up"):
        if asks(parameters[name]) and solver not in STOCHASTIC:
            raise InputError(f"{name} is for the solvers sgd, adam and adamw; leave it out with solver={solver!r}")
    _check_dropout(parameters)
    if parameters["n_networks"] > 1:
        _check_ensemble(parameters, incremental)
    if incremental:
        _check_incremental(parameters)
    if parameters["bayesian"] and solver != "lm":
        raise InputError(f"bayesian is for solver='lm', but the solver is {solver!r}")


def _check_dropout(parameters: Mapping[str, Any]) -> None:
    layers, dropout = len(hidden_sizes(parameters)), parameters["dropout"]
    if isinstance(dropout, Sequence) and len(dropout) != layers:
        raise InputError(
            f"dropout must be a number, or a list of {layers}, one for each hidden layer, but is {dropout!r}"
        )


def _check_incremental(parameters: Mapping[str, Any]) -> None:
    rate = parameters["learning_rate"]
    if parameters["early_stopping"]:
        raise InputError("partial_fit does not support early_stopping=True")
    if rate in ("linear", "cosine"):
        raise InputError(f"learning_rate={rate!r} needs fit, because it depends on the number of epochs")


def check_can_go_on(parameters: Mapping[str, Any], incremental: bool) -> None:
    """Refuse checkpoints that no fit could resume from."""
    random_state, layers = parameters["random_state"], parameters["activation"]
    own = [parameters.get("loss"), layers, *(layers if isinstance(layers, Iterable) else ())]
    if any(is_pair(value) for value in own):
        raise InputError(
            "a checkpoint cannot tell whether your functions are the same; leave it out, or use named ones"
        )
    if incremental:
        raise InputError("checkpoint is for fit; leave it out for partial_fit")
    if not isinstance(random_state, Integral):
        raise InputError(
            "with checkpoint, random_state must be a whole number, so that the fit can resume, but is "
            f"{as_given(random_state)}"
        )


def asks(value: Any) -> bool:
    """Whether a number, or one of several, is not 0."""
    return any(value) if isinstance(value, Sequence) else bool(value)


def _check_ensemble(parameters: Mapping[str, Any], incremental: bool) -> None:
    if parameters["restarts"] > 1:
        raise InputError("n_networks keeps all networks, restarts only the best; give one of them")
    if incremental or parameters["warm_start"]:
        raise InputError("n_networks is for fit without warm_start; leave it out, or make an ensemble of estimators")


def hidden_sizes(parameters: Mapping[str, Any]) -> tuple[int, ...]:
    """Neurons by hidden layer: ``hidden_layer_sizes``, unless ``n_layers`` and ``n_units`` override it."""
    value, layers, units = (parameters[name] for name in ("hidden_layer_sizes", "n_layers", "n_units"))
    sizes = tuple(value) if isinstance(value, Iterable) else (value,)
    if not all(map(_is_count, sizes)):
        raise InputError(f"hidden_layer_sizes must be > 0: a whole number for each hidden layer, got {as_given(value)}")
    if not (layers or units):
        return tuple(map(int, sizes))
    if units is None and len(set(sizes)) != 1:
        raise InputError(f"n_layers={layers} needs n_units too, because the layers of {value!r} differ")
    count = len(sizes) if layers is None else int(layers)
    return (int(sizes[0] if units is None else units),) * count


def hidden_activations(value: Any, layers: int) -> tuple[str, ...]:
    """The parameter ``activation`` as backpath's names by hidden layer."""
    alike = isinstance(value, str) or is_pair(value)
    names = (value,) * layers if alike else tuple(value if isinstance(value, Iterable) else ())
    known = [*SKLEARN_NAMES, *TRAINABLE]
    _, is_known = _one_of(*known)
    if not all(is_pair(name) or is_known(name) for name in (value, *names)[not alike :]):
        raise InputError(
            f"activation must be one of {', '.join(known)}, a pair of functions (σ and σ′), or one for each "
            f"hidden layer, but is {value!r}"
        )
    if len(names) != layers:
        raise InputError(
            f"activation must be one name, or a list of {layers}, one for each hidden layer, but is {value!r}"
        )
    return tuple(own_activation(*name) if is_pair(name) else SKLEARN_NAMES.get(name, name) for name in names)
