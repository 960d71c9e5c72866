"""The formulas of activations and costs as trees, with a row for each row or family in the tables of ``maths``.

``maths`` computes them in numerically stable forms; these are the textbook forms.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from backpath.explain.expression import (
    ONE,
    TWO,
    Call,
    Expression,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    Symbol,
    Truth,
    minus,
)
from backpath.explain.symbols import U
from backpath.maths.costs import cost_function
from backpath.maths.families import is_own

_E, _ZERO = Symbol("e", "e"), Number("0")
_exp, _exp_minus = Power(_E, U), Power(_E, Negative(U))
_logistic = Quotient(ONE, Sum((ONE, _exp_minus)))
_positive = Truth(U, ">", _ZERO)


def _call(name: str, *arguments: Expression) -> Call:
    return Call(Symbol(name, name), arguments)


def _scaled(number: str, of: Expression) -> Product:
    return Product((Number(number), of))


class _Activations(dict[str, tuple[Expression, Expression]]):
    """The rows of the table; rows for a family's member or a user's function are created on access."""

    def __missing__(self, name: str) -> tuple[Expression, Expression]:
        stem, parameters = _family(name)
        if stem == "bounded":
            low, high = map(float, parameters)
            of, slope = self["sigmoid"]
            width = f"{high - low:g}"
            return Sum((Number(f"{low:g}"), _scaled(width, of))), _scaled(width, slope)
        if stem == "above":
            of, slope = self["softplus"]
            return Sum((Number(parameters[0]), of)), slope
        if is_own(name):
            return _call(_plain(name), U), _call(f"{_plain(name)}′", U)
        raise KeyError(name)


def _family(name: str) -> tuple[str, list[str]]:
    """The words of ``quantile(0.1,0.9)``."""
    stem, _, rest = name.partition("(")
    return stem, rest.rstrip(")").split(",")


def _plain(name: str) -> str:
    """The name of a user's function."""
    return name.split(":")[1]


# activation -> σ(u), σ′(u)
ACTIVATION_FORMULAS = _Activations({
    "sigmoid": (_logistic, Quotient(_exp_minus, Power(Sum((ONE, _exp_minus)), TWO))),
    "tanh": (_call("tanh", U), minus(ONE, Power(_call("tanh", U), TWO))),
    "relu": (_call("max", _ZERO, U), _positive),
    "leaky_relu": (
        Sum((_call("max", _ZERO, U), _scaled("0.01", _call("min", _ZERO, U)))),
        Sum((_positive, _scaled("0.01", Truth(U, "≤", _ZERO)))),
    ),
    "elu": (
        Sum((_call("max", _ZERO, U), _call("min", _ZERO, minus(_exp, ONE)))),
        _call("min", ONE, _exp),
    ),
    "gelu": (
        Product((U, _call("Φ", U))),
        Sum((_call("Φ", U), Product((U, _call("φ", U))))),
    ),
    "silu": (
        Quotient(U, Sum((ONE, _exp_minus))),
        Quotient(
            Sum((ONE, Product((Sum((ONE, U)), _exp_minus)))),
            Power(Sum((ONE, _exp_minus)), TWO),
        ),
    ),
    "softplus": (_call("ln", Sum((ONE, _exp))), _logistic),
    "identity": (U, ONE),
    "step": (Truth(U, "≥", _ZERO), _ZERO),
    "exp": (_exp, _exp),
})  # fmt: skip


@dataclass(frozen=True)
class CostFormula:
    """The formulas of a cost for one output.

    Attributes
    ----------
    of : callable
        (A, y) -> C, for the squared errors with u_cost instead of A - y.
    slope : callable
        (A, y, u_cost) -> ∂C/∂A.
    number : callable
        C from the numbers A and y.
    substituted : callable | None
        u_cost -> C, if the notes' substitution u_cost = A - y is used.
    """

    of: Callable[[Expression, Expression], Expression]
    slope: Callable[[Expression, Expression, Expression], Expression]
    number: Callable[[float, float], float]
    substituted: Callable[[Expression], Expression] | None = None


def _half(expression: Expression) -> Product:
    return Product((Quotient(ONE, TWO), expression))


def _binary(A: Expression, y: Expression) -> Expression:
    one_minus_y, one_minus_A = minus(ONE, y), minus(ONE, A)
    return Sum((Negative(Product((y, _call("ln", A)))), Negative(Product((one_minus_y, _call("ln", one_minus_A))))))


def _size(error: Expression) -> Expression:
    return _call("abs", error)


def _huber_number(A: float, y: float) -> float:
    near = min(1.0, abs(A - y))
    return near * (abs(A - y) - near / 2)


def _times_ln(factor: float, of: float) -> float:
    return factor * math.log(of) if factor else 0.0


def of_output(cost: str, j: int | str) -> CostFormula:
    """The formula for output 1, 2 … or for any output, "k"; the outputs of quantile(0.1,0.9) take turns with its τ."""
    stem, parameters = _family(cost)
    if stem != "quantile" or len(parameters) == 1:
        return COST_FORMULAS[cost]
    if isinstance(j, str):
        return _quantile(Symbol(f"τ{j}", "τ", j), math.nan)
    return COST_FORMULAS[f"quantile({parameters[(j - 1) % len(parameters)]})"]


def _quantile(tau: Expression, number: float) -> CostFormula:
    return CostFormula(
        of=lambda A, y: Product((minus(tau, Truth(A, ">", y)), minus(y, A))),
        slope=lambda A, y, u_cost: minus(Truth(A, ">", y), tau),
        number=lambda A, y: (number - (y < A)) * (y - A),
    )


class _Costs(dict[str, CostFormula]):
    """The same for costs."""

    def __missing__(self, name: str) -> CostFormula:
        stem, parameters = _family(name)
        if stem == "quantile":
            return _quantile(Number(parameters[0]), float(parameters[0]))
        if stem == "categorical_cross_entropy":
            return self[stem]
        if is_own(name):
            cost = cost_function(name)
            return CostFormula(
                of=lambda A, y: _call(_plain(name), A, y),
                slope=lambda A, y, u_cost: _call(f"{_plain(name)}′", A, y),
                number=lambda A, y: float(cost.value(np.zeros((1, 1)), np.array([[A]]), np.array([[y]]))[0, 0]),
            )
        raise KeyError(name)


COST_FORMULAS = _Costs({
    "squared_error": CostFormula(
        of=lambda A, y: Power(minus(A, y), TWO),
        slope=lambda A, y, u_cost: Product((TWO, u_cost)),
        number=lambda A, y: (A - y) ** 2,
        substituted=lambda u_cost: Power(u_cost, TWO),
    ),
    "half_squared_error": CostFormula(
        of=lambda A, y: _half(Power(minus(A, y), TWO)),
        slope=lambda A, y, u_cost: u_cost,
        number=lambda A, y: (A - y) ** 2 / 2,
        substituted=lambda u_cost: _half(Power(u_cost, TWO)),
    ),
    "binary_cross_entropy": CostFormula(
        of=_binary,
        slope=lambda A, y, u_cost: minus(Quotient(minus(ONE, y), minus(ONE, A)), Quotient(y, A)),
        number=lambda A, y: -_times_ln(y, A) - _times_ln(1 - y, 1 - A),
    ),
    "categorical_cross_entropy": CostFormula(
        of=lambda A, y: Negative(Product((y, _call("ln", A)))),
        slope=lambda A, y, u_cost: Negative(Quotient(y, A)),
        number=lambda A, y: -_times_ln(y, A),
    ),
    "huber": CostFormula(
        of=lambda A, y: _call("huber", minus(A, y)),  # the whole formula is in maths.costs; it is too long for a line
        slope=lambda A, y, u_cost: _call("clip", u_cost),  # to ±1
        number=_huber_number,
        substituted=lambda u_cost: _call("huber", u_cost),
    ),
    "absolute_error": CostFormula(
        of=lambda A, y: _size(minus(A, y)),
        slope=lambda A, y, u_cost: _call("sgn", u_cost),
        number=lambda A, y: abs(A - y),
        substituted=_size,
    ),
    "poisson": CostFormula(
        of=lambda A, y: Sum((Product((y, _call("ln", Quotient(y, A)))), Negative(y), A)),
        slope=lambda A, y, u_cost: minus(ONE, Quotient(y, A)),
        number=lambda A, y: _times_ln(y, y) - _times_ln(y, A) - y + A,
    ),
})  # fmt: skip
