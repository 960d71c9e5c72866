"""The activation functions σ and their derivatives σ′, as a table.

| name                   | σ(u)                                 | use                                                  |
|------------------------|--------------------------------------|------------------------------------------------------|
| ``sigmoid``            | 1/(1 + e^(-u))                       | hidden layers, and outputs between 0 and 1           |
| ``tanh``               | tanh(u)                              | hidden layers, and outputs between -1 and 1          |
| ``relu``               | max(0, u)                            | hidden layers of large networks                      |
| ``leaky_relu``         | max(0, u) + 0.01 × min(0, u)         | relu whose slope is never 0                          |
| ``elu``                | max(0, u) + min(0, e^u - 1)          | relu that falls smoothly to -1                       |
| ``gelu``               | u × Φ(u)                             | smooth relu; Φ is the normal distribution function   |
| ``silu``               | u/(1 + e^(-u))                       | smooth relu, also called swish                       |
| ``softplus``           | ln(1 + e^u)                          | smooth relu, and outputs above 0                     |
| ``identity``           | u                                    | outputs that can be any number                       |
| ``step``               | [u ≥ 0]                              | threshold logic units; cannot be trained             |
| ``softmax``            | e^u_j / Σ_k e^u_k                    | outputs that are probabilities of classes            |
| ``exp``                | e^u                                  | outputs above 0, for counts                          |
| ``bounded(low,high)``  | low + (high - low)/(1 + e^(-u))      | outputs between two bounds                           |
| ``above(low)``         | low + ln(1 + e^u)                    | outputs above a bound                                |
| ``softmax(3,2)``       | softmax of each group of outputs     | several class targets: here of 3 and of 2 classes    |

[u ≥ 0] is 1 if u ≥ 0, otherwise 0. The NumPy engine trains networks whose activations have parameters.

The formulas are computed so that they are accurate over the whole float range (the textbook σ(1 - σ) of the sigmoid has
no correct digits from u = 37 on): within 4 ulp in float64, except for gelu: within 5 + 2u² ulp, because the normal
distribution's tail multiplies the rounding of its argument by u², and within 1.2e-16 absolute around the zero of its
derivative at u = -0.7518.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from backpath.errors import InputError
from backpath.maths.arrays import Array
from backpath.maths.families import NOT_COMPILED, by_groups, family_of, own_name
from backpath.maths.unknown import unknown

Function = Callable[[Array], Array]

LEAKY_SLOPE = 0.01
# silu'(u₀) = 0 at u₀ = SILU_ZERO + SILU_ZERO_LOW (32 digits in two floats), where e^u₀ = SILU_ZERO_EXP
SILU_ZERO, SILU_ZERO_LOW, SILU_ZERO_EXP = -1.2784645427610737, -1.0946994183093437e-16, 0.2784645427610738


def _sigmoid(u: Array) -> Array:
    e = np.exp(-np.abs(u))
    return np.where(u >= 0, 1, e) / (1 + e)


def _one_plus_squared(e: Array) -> Array:
    """(1 + e)², with one rounding fewer than the square of the rounded sum."""
    return 1 + e * (2 + e)


def _sigmoid_derivative(u: Array) -> Array:
    e = np.exp(-np.abs(u))
    return e / _one_plus_squared(e)


def _tanh_derivative(u: Array) -> Array:
    e = np.exp(-2 * np.minimum(np.abs(u), 400))
    return 4 * e / _one_plus_squared(e)


def _relu(u: Array) -> Array:
    return np.maximum(u, 0)


def _relu_derivative(u: Array) -> Array:
    return np.where(u > 0, 1, 0).astype(u.dtype)


def _leaky_relu(u: Array) -> Array:
    return np.where(u > 0, u, u.dtype.type(LEAKY_SLOPE) * u)


def _leaky_relu_derivative(u: Array) -> Array:
    return np.where(u > 0, u.dtype.type(1), u.dtype.type(LEAKY_SLOPE))


def _elu(u: Array) -> Array:
    return np.where(u > 0, u, np.expm1(np.minimum(u, 0)))


def _elu_derivative(u: Array) -> Array:
    return np.exp(np.minimum(u, 0))


_erfc = np.frompyfunc(math.erfc, 1, 1)  # NumPy has no erf; the compiled engine has its own


def _normal_distribution(u: Array) -> Array:
    wide = u.astype(np.float64)
    return np.asarray(_erfc(-wide / math.sqrt(2)), dtype=u.dtype) / 2


def _normal_density(u: Array) -> Array:
    wide = np.clip(u.astype(np.float64), -40, 40)  # beyond it, the density is 0 and u² could overflow
    return np.asarray(np.exp(-wide * wide / 2) / math.sqrt(2 * math.pi), dtype=u.dtype)


def _gelu(u: Array) -> Array:
    return u * _normal_distribution(u)


def _gelu_derivative(u: Array) -> Array:
    return _normal_distribution(u) + u * _normal_density(u)


def _exponential_halves(u: Array) -> tuple[Array, Array]:
    """Two factors of e^-|u|: a product with both stays accurate if e^-|u| alone would be subnormal."""
    low = np.abs(u) > (700 if u.dtype == np.float64 else 80)
    e = np.exp(-np.abs(u) * np.where(low, u.dtype.type(0.5), u.dtype.type(1)))
    return e, np.where(low, e, u.dtype.type(1))


def _silu(u: Array) -> Array:
    e, rest = _exponential_halves(u)
    return np.where(u >= 0, u, u * e * rest) / (1 + e * rest)


def _silu_derivative(u: Array) -> Array:
    """σ(u) (1 + u σ(-u)) = e^u (1 + u + e^u) / (1 + e^u)²; for u < -1 the bracket is expanded around its zero u₀ to
    avoid cancellation: e^u₀ expm1(t) + t, t = u - u₀."""
    number = u.dtype.type
    zero = number(SILU_ZERO)
    t = (np.minimum(u, 0) - zero) - number(SILU_ZERO - float(zero) + SILU_ZERO_LOW)
    e, rest = _exponential_halves(u)
    bracket = np.where(u < -1, number(SILU_ZERO_EXP) * np.expm1(t) + t, 1 + u + e)
    below = bracket * e * rest
    above = 1 + (1 + np.minimum(u, 800)) * (e * rest)
    return np.where(u < 0, below, above) / _one_plus_squared(e * rest)


def _softplus(u: Array) -> Array:
    return np.maximum(u, 0) + np.log1p(np.exp(-np.abs(u)))


def _step(u: Array) -> Array:
    return np.where(u >= 0, 1, 0).astype(u.dtype)


def _no_derivative(u: Array) -> Array:
    return np.zeros_like(u)


def _shifted_exponentials(u: Array) -> Array:
    """e^(u - max u); the rounding error of the difference is added back, because it costs digits in the tails."""
    top = u.max(axis=-1, keepdims=True)
    shifted = u - top
    back = shifted - u
    lost = (u - (shifted - back)) - (top + back)
    return np.exp(shifted) * (1 + lost)


def _softmax(u: Array) -> Array:
    e = _shifted_exponentials(u)
    return e / e.sum(axis=-1, keepdims=True)


def _softmax_derivative(u: Array) -> Array:
    """∂a_j/∂u_j = a_j (1 - a_j), the Jacobian's diagonal; 1 - a_j is the sum of all others, which is accurate if a_j is
    nearly 1."""
    e = _shifted_exponentials(u)
    before, after = np.zeros_like(e), np.zeros_like(e)
    before[..., 1:] = np.cumsum(e[..., :-1], axis=-1)
    after[..., :-1] = np.cumsum(e[..., :0:-1], axis=-1)[..., ::-1]
    total = e.sum(axis=-1, keepdims=True)
    return (e / total) * ((before + after) / total)


def _softmax_chain(u: Array, dC_da: Array) -> Array:
    """∂C/∂u_j = a_j (∂C/∂a_j - Σ_k a_k ∂C/∂a_k): every output depends on every net input."""
    a = _softmax(u)
    return a * (dC_da - (a * dC_da).sum(axis=-1, keepdims=True))


@dataclass(frozen=True)
class Activation:
    """One activation function.

    Attributes
    ----------
    name, code : str, int
        Its name in every interface and its integer code in the compiled kernels.
    value : callable
        σ(u), element by element; for softmax over the last axis.
    derivative : callable
        σ′(u), element by element; for softmax the diagonal of its Jacobian.
    jacobian : callable | None
        (u, ∂C/∂a) -> ∂C/∂u if every output depends on every net input (softmax).
    no_derivative : str
        Why a network with it cannot be trained ("" if it can).
    """

    name: str
    code: int
    value: Function
    derivative: Function
    jacobian: Callable[[Array, Array], Array] | None = None
    no_derivative: str = ""

    def chain(self, u: Array, dC_da: Array) -> Array:
        """∂C/∂u = ∂C/∂a × σ′(u), for softmax with its whole Jacobian."""
        return self.jacobian(u, dC_da) if self.jacobian else dC_da * self.derivative(u)


_ROWS = (
    Activation("sigmoid", 0, _sigmoid, _sigmoid_derivative),
    Activation("tanh", 1, np.tanh, _tanh_derivative),
    Activation("relu", 2, _relu, _relu_derivative),
    Activation("leaky_relu", 3, _leaky_relu, _leaky_relu_derivative),
    Activation("elu", 4, _elu, _elu_derivative),
    Activation("gelu", 5, _gelu, _gelu_derivative),
    Activation("silu", 6, _silu, _silu_derivative),
    Activation("softplus", 7, _softplus, _sigmoid),
    Activation("identity", 8, lambda u: u, np.ones_like),
    Activation(
        "step",
        9,
        _step,
        _no_derivative,
        no_derivative="step (the threshold logic unit) has derivative 0 everywhere and none at 0, so no gradient "
        "reaches any weight; train with sigmoid, then call thresholded()",
    ),
    Activation("softmax", 10, _softmax, _softmax_derivative, jacobian=_softmax_chain),
    Activation("exp", 11, np.exp, np.exp),
)
ACTIVATIONS: dict[str, Activation] = {row.name: row for row in _ROWS}


_own: dict[str, tuple[Function, Function]] = {}


def own_activation(value: Function, derivative: Function) -> str:
    """Register a user's σ(u) and σ′(u) as a row for this process, and return its name.

    >>> float(activation(own_activation(np.sin, np.cos)).derivative(np.zeros(1))[0])
    1.0
    """
    name = own_name((value, derivative), _own)
    _own[name] = value, derivative
    return name


def activation(name: str) -> Activation:
    """The row of that name in the table, in a family, or of a user's functions (see ``families``).

    >>> float(activation("sigmoid").derivative(np.array([0.0]))[0])
    0.25
    """
    try:
        return ACTIVATIONS[name]
    except (KeyError, TypeError):
        row = _made(name) if isinstance(name, str) else None
        if row is None:
            raise unknown("activation", name, ACTIVATIONS) from None
        return row


@lru_cache(maxsize=256)
def _made(name: str) -> Activation | None:
    if name in _own:
        value, derivative = _own[name]
        return Activation(name, NOT_COMPILED, value, derivative)
    family = family_of(name)
    makers = {"bounded": _bounded, "above": _above, "softmax": _softmaxes}
    return makers[family[0]](name, family[1]) if family and family[0] in makers else None


def _bounded(name: str, parameters: Sequence[float]) -> Activation:
    if len(parameters) != 2 or not -np.inf < parameters[0] < parameters[1] < np.inf:
        raise InputError(f"bounded takes two numbers, the lower first, but got {name!r}")
    low, width = parameters[0], parameters[1] - parameters[0]
    return Activation(
        name,
        NOT_COMPILED,
        lambda u: u.dtype.type(low) + u.dtype.type(width) * _sigmoid(u),
        lambda u: u.dtype.type(width) * _sigmoid_derivative(u),
    )


def _above(name: str, parameters: Sequence[float]) -> Activation:
    if len(parameters) != 1 or not np.isfinite(parameters[0]):
        raise InputError(f"above takes one number, but got {name!r}")
    (low,) = parameters
    return Activation(name, NOT_COMPILED, lambda u: u.dtype.type(low) + _softplus(u), _sigmoid)


def _softmaxes(name: str, sizes: Sequence[float]) -> Activation:
    value, derivative, jacobian = (by_groups(name, sizes, f) for f in (_softmax, _softmax_derivative, _softmax_chain))
    return Activation(name, NOT_COMPILED, value, derivative, jacobian)
