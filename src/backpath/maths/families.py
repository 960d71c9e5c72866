"""Rows of the tables of activations and costs that have parameters in their names, or a user's own functions.

| name                                 | formula                                                                       |
|--------------------------------------|-------------------------------------------------------------------------------|
| ``bounded(low,high)``                | A = low + (high - low) σ(u), σ the sigmoid                                    |
| ``above(low)``                       | A = low + ln(1 + e^u)                                                         |
| ``softmax(3,2)``                     | softmax over the first 3 outputs, and over the next 2                         |
| ``categorical_cross_entropy(3,2)``   | -y ln A, summed over such groups                                              |
| ``quantile(0.1,0.9)``                | C = (τ - [A > y]) (y - A), with a τ of its own for each output                |

None of them has kernels: the NumPy engine trains with them. Those of a user's functions are known in this process
only, so that a model with them cannot be saved.

Source of the quantile cost: Koenker and Bassett, Regression quantiles, Econometrica 46 (1978).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise

import numpy as np

from backpath.errors import InputError
from backpath.maths.activations import ACTIVATIONS, NOT_COMPILED, Activation, Function
from backpath.maths.arrays import Array
from backpath.maths.costs import COSTS, Cost, OfOutput

OwnCost = Callable[[Array, Array], Array]  # (A, y) -> one number per output

_FAMILY = re.compile(r"(\w+)\(([-+.,\w]*)\)")
_own_activations: dict[str, Activation] = {}
_own_costs: dict[str, Cost] = {}


def named(family: str, parameters: Sequence[float]) -> str:
    """The row's name.

    >>> named("quantile", (0.1, 0.9))
    'quantile(0.1,0.9)'
    """
    return f"{family}({','.join(f'{p:.17g}' if float(f'{p:g}') != p else f'{p:g}' for p in parameters)})"


def activation_of_family(name: str) -> Activation | None:
    return _own_activations.get(name) or _built(name, "activation")  # type: ignore[return-value] # by its kind


def cost_of_family(name: str) -> Cost | None:
    return _own_costs.get(name) or _built(name, "cost")  # type: ignore[return-value] # by its kind


def is_own(name: str) -> bool:
    """Whether that row is of a user's functions."""
    return name in _own_activations or name in _own_costs


def own_activation(value: Function, derivative: Function) -> str:
    """The name of the row of a user's σ(u) and σ′(u), by which it is known from now on."""
    name = _own_name(value, derivative, _own_activations)
    _own_activations[name] = Activation(name, NOT_COMPILED, value, derivative, r"\sigma(u)", r"\sigma'(u)")
    return name


def own_cost(value: OwnCost, derivative: OwnCost) -> str:
    """The same of C(A, y) and ∂C/∂A."""
    name = _own_name(value, derivative, _own_costs)
    _own_costs[name] = Cost(
        name,
        NOT_COMPILED,
        _OfOutputs(value),
        _OfOutputs(derivative),
        r"C(A,y)",
        r"\frac{\partial C}{\partial A}(A,y)",
    )
    return name


class _OfOutputs:
    """A function of (A, y) as one of (u, A, y)."""

    def __init__(self, function: OwnCost):
        self.function = function

    def __call__(self, u: Array, A: Array, y: Array) -> Array:
        return self.function(A, y)


def _own_name(
    value: Callable[..., Array], derivative: Callable[..., Array], known: Mapping[str, Activation | Cost]
) -> str:
    stem = getattr(value, "__name__", type(value).__name__).strip("<>")
    number = 1
    while (row := known.get(name := f"own:{stem}:{number}")) is not None:
        pair = [getattr(f, "function", f) for f in (row.value, row.derivative)]
        if pair == [value, derivative]:
            return name
        number += 1
    return name


@lru_cache(maxsize=256)
def _built(name: str, kind: str) -> Activation | Cost | None:
    found = _FAMILY.fullmatch(name)
    families = {"activation": _ACTIVATIONS, "cost": _COSTS}[kind]
    if not found or found[1] not in families:
        return None
    try:
        parameters = tuple(float(text) for text in found[2].split(","))
    except ValueError:
        raise InputError(f"{found[1]} takes numbers in its brackets, but is {name!r}") from None
    return families[found[1]](name, parameters)


def _bounded(name: str, parameters: Sequence[float]) -> Activation:
    if len(parameters) != 2 or not -np.inf < parameters[0] < parameters[1] < np.inf:
        raise InputError(f"bounded takes two numbers, the lower first, but is {name!r}")
    low, width = parameters[0], parameters[1] - parameters[0]
    sigmoid = ACTIVATIONS["sigmoid"]
    return Activation(
        name,
        NOT_COMPILED,
        lambda u: u.dtype.type(low) + u.dtype.type(width) * sigmoid.value(u),
        lambda u: u.dtype.type(width) * sigmoid.derivative(u),
        rf"{low:g}+{width:g}\,\frac{{1}}{{1+e^{{-u}}}}",
        rf"{width:g}\,\frac{{e^{{-u}}}}{{\left(1+e^{{-u}}\right)^2}}",
    )


def _above(name: str, parameters: Sequence[float]) -> Activation:
    if len(parameters) != 1 or not np.isfinite(parameters[0]):
        raise InputError(f"above takes one number, but is {name!r}")
    low, softplus = parameters[0], ACTIVATIONS["softplus"]
    return Activation(
        name,
        NOT_COMPILED,
        lambda u: u.dtype.type(low) + softplus.value(u),
        softplus.derivative,
        rf"{low:g}+\ln\left(1+e^u\right)",
        softplus.derivative_latex,
    )


def _slices(name: str, parameters: Sequence[float]) -> list[slice]:
    if not all(size >= 1 and size == int(size) for size in parameters):
        raise InputError(f"groups of outputs have sizes of at least 1, but are {name!r}")
    ends = np.cumsum([0, *map(int, parameters)]).tolist()
    return [slice(begin, end) for begin, end in pairwise(ends)]


def _grouped(name: str, groups: list[slice], function: Callable[..., Array]) -> Callable[..., Array]:
    """The function of arrays (N, outputs), group by group."""

    def of_groups(*arrays: Array) -> Array:
        if arrays[0].shape[-1] != groups[-1].stop:
            raise InputError(f"{name} is for {groups[-1].stop} outputs, but there are {arrays[0].shape[-1]}")
        return np.concatenate([function(*(array[..., g] for array in arrays)) for g in groups], axis=-1)

    return of_groups


def _softmax(name: str, parameters: Sequence[float]) -> Activation:
    groups, row = _slices(name, parameters), ACTIVATIONS["softmax"]
    value, derivative, jacobian = (_grouped(name, groups, f) for f in (row.value, row.derivative, row.chain))
    return Activation(name, NOT_COMPILED, value, derivative, row.latex, row.derivative_latex, jacobian)


def _cross_entropy(name: str, parameters: Sequence[float]) -> Cost:
    groups, row = _slices(name, parameters), COSTS["categorical_cross_entropy"]
    of: list[OfOutput] = [_grouped(name, groups, f) for f in (row.value, row.derivative, _delta_of(row))]
    return Cost(name, NOT_COMPILED, of[0], of[1], row.latex, row.derivative_latex, named("softmax", parameters), of[2])


def _delta_of(row: Cost) -> OfOutput:
    return row.delta or row.derivative


def _quantile(name: str, parameters: Sequence[float]) -> Cost:
    if not all(0 < tau < 1 for tau in parameters):
        raise InputError(f"quantile takes numbers between 0 and 1, but is {name!r}")
    taus = np.array(parameters)

    def above(A: Array, y: Array) -> Array:
        """[A > y] - τ"""
        if A.shape[-1] % len(taus):
            raise InputError(f"{name} is for outputs by {len(taus)}, but there are {A.shape[-1]}")
        return (y < A) - np.tile(taus, A.shape[-1] // len(taus)).astype(A.dtype)

    return Cost(
        name,
        NOT_COMPILED,
        lambda u, A, y: above(A, y) * (A - y),
        lambda u, A, y: above(A, y),
        r"(\tau-[A>y])(y-A)",
        r"[A>y]-\tau",
    )


_ACTIVATIONS: dict[str, Callable[[str, Sequence[float]], Activation | Cost]] = {
    "bounded": _bounded,
    "above": _above,
    "softmax": _softmax,
}
_COSTS: dict[str, Callable[[str, Sequence[float]], Activation | Cost]] = {
    "categorical_cross_entropy": _cross_entropy,
    "quantile": _quantile,
}
