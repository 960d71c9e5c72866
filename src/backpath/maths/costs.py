"""The costs C and their derivatives ∂C/∂A, as a table.

| name                               | C of an output A with the target y | use                                       |
|------------------------------------|------------------------------------|-------------------------------------------|
| ``squared_error``                  | (A - y)²                           | numbers; the notes' cost                  |
| ``half_squared_error``             | 1/2 × (A - y)²                     | numbers                                   |
| ``huber``                          | huber(A - y)                       | numbers with outliers                     |
| ``absolute_error``                 | abs(A - y)                         | numbers with outliers; predicts medians   |
| ``binary_cross_entropy``           | -y × ln(A) - (1 - y) × ln(1 - A)   | two classes; ``sigmoid`` outputs          |
| ``categorical_cross_entropy``      | -y × ln(A)                         | more classes; ``softmax`` outputs         |
| ``poisson``                        | y × ln(y/A) - y + A                | counts; ``exp`` outputs                   |
| ``quantile(0.1,0.9)``              | (τ - [A > y]) × (y - A)            | quantiles: a τ for each output            |
| ``categorical_cross_entropy(3,2)`` | -y × ln(A)                         | several classes; ``softmax(3,2)`` outputs |

huber(A - y) is 1/2 × (A - y)² up to an error of 1, and abs(A - y) - 1/2 beyond. [A > y] is 1 if A > y, otherwise 0. The
cost of a batch is the sum over the outputs, averaged over the samples.

A cross-entropy, or the deviance ``poisson`` for counts, needs a specific output activation and is computed
from its net input u, because from A alone it would be inaccurate, or infinite, if A rounds to 0 or 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from backpath.errors import InputError
from backpath.maths.activations import ACTIVATIONS, activation
from backpath.maths.arrays import Array
from backpath.maths.families import NOT_COMPILED, by_groups, family_of, own_name, row_name
from backpath.maths.unknown import unknown

OfOutput = Callable[[Array, Array, Array], Array]  # (u, A, y) -> one number per output

_softplus, _sigmoid = ACTIVATIONS["softplus"].value, ACTIVATIONS["sigmoid"].value


def _squared_error(u: Array, A: Array, y: Array) -> Array:
    return (A - y) ** 2


def _squared_error_derivative(u: Array, A: Array, y: Array) -> Array:
    return 2 * (A - y)


def _half_squared_error(u: Array, A: Array, y: Array) -> Array:
    return (A - y) ** 2 / 2


def _half_squared_error_derivative(u: Array, A: Array, y: Array) -> Array:
    return A - y


def _binary_cross_entropy(u: Array, A: Array, y: Array) -> Array:
    """-y ln σ(u) - (1 - y) ln σ(-u)"""
    return y * _softplus(-u) + (1 - y) * _softplus(u)


def _binary_cross_entropy_derivative(u: Array, A: Array, y: Array) -> Array:
    """-y/A + (1 - y)/(1 - A), with 1 - A = σ(-u)"""
    with np.errstate(divide="ignore", over="ignore"):
        return np.where(y > 0, -y / A, 0) + np.where(y < 1, (1 - y) / _sigmoid(-u), 0)


def _binary_cross_entropy_delta(u: Array, A: Array, y: Array) -> Array:
    """A - y, accurate if both are nearly equal"""
    return (1 - y) * A - y * _sigmoid(-u)


def _categorical_cross_entropy(u: Array, A: Array, y: Array) -> Array:
    """-y_j ln A_j, with ln A_j = u_j - max u - ln Σ e^(u_k - max u)"""
    shifted = u - u.max(axis=-1, keepdims=True)
    return y * (np.log(np.exp(shifted).sum(axis=-1, keepdims=True)) - shifted)


def _categorical_cross_entropy_derivative(u: Array, A: Array, y: Array) -> Array:
    with np.errstate(divide="ignore", over="ignore"):
        return np.where(y > 0, -y / A, 0)


def _categorical_cross_entropy_delta(u: Array, A: Array, y: Array) -> Array:
    return A * y.sum(axis=-1, keepdims=True) - y


def _huber(u: Array, A: Array, y: Array) -> Array:
    size = np.abs(A - y)
    near = np.minimum(size, 1)
    return near * (size - near / 2)


def _huber_derivative(u: Array, A: Array, y: Array) -> Array:
    return np.clip(A - y, -1, 1)


def _absolute_error(u: Array, A: Array, y: Array) -> Array:
    return np.abs(A - y)


def _absolute_error_derivative(u: Array, A: Array, y: Array) -> Array:
    return np.sign(A - y)


def _poisson(u: Array, A: Array, y: Array) -> Array:
    """y ln(y/A) - y + A with ln A = u: half the deviance"""
    counted = y > 0
    return np.where(counted, y * (np.log(np.where(counted, y, 1)) - u), 0) - y + A


def _poisson_derivative(u: Array, A: Array, y: Array) -> Array:
    with np.errstate(divide="ignore", over="ignore"):
        return 1 - np.where(y > 0, y / A, 0)


def _poisson_delta(u: Array, A: Array, y: Array) -> Array:
    return A - y


@dataclass(frozen=True)
class Cost:
    """One cost.

    Attributes
    ----------
    name, code : str, int
        Its name in every interface and its integer code in the compiled kernels.
    value : callable
        (u, A, y) -> C per output; u, A, y of shape (N, outputs).
    derivative : callable
        (u, A, y) -> ∂C/∂A per output.
    output_activation : str | None
        The only output activation that it supports, None for any.
    highest : float
        The largest target of a cost with its own output activation; the smallest is 0.
    delta : callable | None
        (u, A, y) -> ∂C/∂u, if ∂C/∂A × σ′(u) simplifies to A - y.
    """

    name: str
    code: int
    value: OfOutput
    derivative: OfOutput
    output_activation: str | None = None
    delta: OfOutput | None = None
    highest: float = 1.0

    def output_delta(self, output: str, u: Array, A: Array, y: Array) -> Array:
        """δ = ∂C/∂u of the output layer with the activation ``output``."""
        if self.delta is not None:
            return self.delta(u, A, y)
        return activation(output).chain(u, self.derivative(u, A, y))


_ROWS = (
    Cost("squared_error", 0, _squared_error, _squared_error_derivative),
    Cost("half_squared_error", 1, _half_squared_error, _half_squared_error_derivative),
    Cost(
        "binary_cross_entropy",
        2,
        _binary_cross_entropy,
        _binary_cross_entropy_derivative,
        output_activation="sigmoid",
        delta=_binary_cross_entropy_delta,
    ),
    Cost(
        "categorical_cross_entropy",
        3,
        _categorical_cross_entropy,
        _categorical_cross_entropy_derivative,
        output_activation="softmax",
        delta=_categorical_cross_entropy_delta,
    ),
    Cost("huber", 4, _huber, _huber_derivative),
    Cost("absolute_error", 5, _absolute_error, _absolute_error_derivative),
    Cost("poisson", 6, _poisson, _poisson_derivative, output_activation="exp", delta=_poisson_delta, highest=math.inf),
)
COSTS: dict[str, Cost] = {row.name: row for row in _ROWS}


OwnCost = Callable[[Array, Array], Array]  # (A, y) -> one number per output
_own: dict[str, tuple[OwnCost, OwnCost]] = {}


def own_cost(value: OwnCost, derivative: OwnCost) -> str:
    """Register a user's C(A, y) and ∂C/∂A as a row for this process, and return its name.

    >>> name = own_cost(lambda A, y: (A - y) ** 4, lambda A, y: 4 * (A - y) ** 3)
    >>> cost_function(name).derivative(np.zeros(1), np.array([1.5]), np.array([1.0]))
    array([0.5])
    """
    name = own_name((value, derivative), _own)
    _own[name] = value, derivative
    return name


def cost_function(name: str) -> Cost:
    """The row of that name in the table, in a family, or of a user's functions (see ``families``).

    >>> row = cost_function("squared_error")
    >>> row.value(np.zeros(1), np.array([0.75]), np.array([1.0]))
    array([0.0625])
    """
    try:
        return COSTS[name]
    except (KeyError, TypeError):
        row = _made(name) if isinstance(name, str) else None
        if row is None:
            raise unknown("cost", name, COSTS) from None
        return row


@lru_cache(maxsize=256)
def _made(name: str) -> Cost | None:
    if name in _own:
        value, derivative = _own[name]
        return Cost(name, NOT_COMPILED, lambda u, A, y: value(A, y), lambda u, A, y: derivative(A, y))
    family = family_of(name)
    makers = {"quantile": _quantile, "categorical_cross_entropy": _cross_entropies}
    return makers[family[0]](name, family[1]) if family and family[0] in makers else None


def _quantile(name: str, taus: Sequence[float]) -> Cost:
    """The pinball loss. Source: Koenker and Bassett, Regression quantiles, Econometrica 46 (1978)."""
    if not all(0 < tau < 1 for tau in taus):
        raise InputError(f"quantile takes numbers between 0 and 1, but got {name!r}")

    def slope(u: Array, A: Array, y: Array) -> Array:
        """[A > y] - τ"""
        if A.shape[-1] % len(taus):
            raise InputError(f"{name} needs a multiple of {len(taus)} outputs, but there are {A.shape[-1]}")
        found: Array = (y < A) - np.tile(taus, A.shape[-1] // len(taus)).astype(A.dtype)
        return found

    def value(u: Array, A: Array, y: Array) -> Array:
        return slope(u, A, y) * (A - y)

    return Cost(name, NOT_COMPILED, value, slope)


def _cross_entropies(name: str, sizes: Sequence[float]) -> Cost:
    row = COSTS["categorical_cross_entropy"]
    functions = (row.value, row.derivative, _categorical_cross_entropy_delta)
    value, derivative, delta = (by_groups(name, sizes, function) for function in functions)
    output = row_name("softmax", sizes)
    return Cost(name, NOT_COMPILED, value, derivative, output, delta)


def check_cost_fits(cost: str, output_activation: str) -> None:
    """Refuse a cost with an output activation for which it is not defined."""
    needed = cost_function(cost).output_activation
    if needed is not None and output_activation != needed:
        raise InputError(f"{cost} needs {needed} outputs, but the output layer is {output_activation}")


def check_targets(cost: str, y: Array) -> None:
    """Refuse targets for which a cross-entropy or a deviance is not defined; y of shape (N, outputs)."""
    if cost_function(cost).output_activation is None:
        return
    highest = cost_function(cost).highest
    bad = ~((y >= 0) & (y <= highest))
    if bad.any():
        row, column = np.argwhere(bad)[0]
        wanted = "from 0 to 1" if highest == 1 else "of at least 0"
        raise InputError(f"{cost} needs targets {wanted}, but y is {y[row, column]:g} in row {row}, column {column}")
    if cost == "categorical_cross_entropy":
        off = np.abs(y.sum(axis=1) - 1) > 1e-3
        if off.any():
            row = int(np.flatnonzero(off)[0])
            raise InputError(
                f"{cost} needs targets that sum to 1 (one-hot), but row {row} of y sums to {y[row].sum():g}"
            )
