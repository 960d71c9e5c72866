"""Mistakes with derivatives: of the cost, of the output layer, of the hidden layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backpath.explain import symbols as sy
from backpath.explain.diagnosis.mistakes import LOCAL, PLAIN, RARE, Change, Mistake
from backpath.explain.diagnosis.passes import Edit, Index, Passes, Stage
from backpath.explain.diagnosis.problem import Problem
from backpath.explain.expression import ONE, TWO, Call, Expression, Power, Product, Symbol, minus
from backpath.maths.activations import ACTIVATIONS, activation
from backpath.maths.costs import cost_function

Array = NDArray[np.floating]

# σ′ written in v = σ(u)
IN_OUTPUT: dict[str, tuple[Callable[[Array], Array], Callable[[Expression], Expression]]] = {
    "sigmoid": (lambda v: v * (1 - v), lambda v: Product((v, minus(ONE, v)))),
    "tanh": (lambda v: 1 - v * v, lambda v: minus(ONE, Power(v, TWO))),
}
ELEMENTWISE = [name for name, row in ACTIVATIONS.items() if row.jacobian is None and not row.no_derivative]


def cost_slope(cost: str, A: Array, y: Array) -> Array:
    """∂C/∂A from A alone, as it stands on paper."""
    if cost == "squared_error":
        return 2 * (A - y)
    if cost == "half_squared_error":
        return A - y
    if cost == "binary_cross_entropy":
        return (1 - y) / (1 - A) - y / A
    return -y / A


@dataclass(frozen=True)
class Slope:
    """A wrong σ′: its code, in words, its number from the right σ′, u and σ(u), its formula from a neuron's name."""

    code: str
    what: str
    number: Callable[[Array, Array, Array], Array]
    formula: Callable[[str], Expression] | None
    rank: int = LOCAL


def wrong_slopes(name: str) -> Iterator[Slope]:
    """What people put in the place of the σ′ of that activation."""
    own = ACTIVATIONS[name].derivative
    yield Slope("missing", "σ′(u) is missing", lambda slope, u, a: np.ones_like(u), None, PLAIN)
    if name != "softmax":
        yield Slope(
            "derivative_of_activation",
            "σ′ is given σ(u) in place of u",
            lambda slope, u, a: own(a),
            lambda neuron: sy.slope(sy.neuron(neuron)),
            PLAIN,
        )
    yield Slope(
        "derivative_twice",
        "σ′(u) stands twice",
        lambda slope, u, a: slope * slope,
        lambda neuron: Power(sy.slope(sy.net_input(neuron)), TWO),
    )
    if name in IN_OUTPUT:
        number, formula = IN_OUTPUT[name]
        yield Slope(
            "net_input_in_derivative",
            f"σ′, whose formula {_written(name)} takes σ(u), is given u",
            lambda slope, u, a: number(u),
            lambda neuron: formula(sy.net_input(neuron)),
        )
    yield from _of_others(name)


def _written(name: str) -> str:
    return {"sigmoid": "v(1 − v)", "tanh": "1 − v²"}[name]


def _of_others(name: str) -> Iterator[Slope]:
    for other in ELEMENTWISE:
        if other not in (name, "identity"):
            yield _of_other(other)
    for other, (number, formula) in IN_OUTPUT.items():
        if other != name:
            code = "softmax_diagonal" if (name, other) == ("softmax", "sigmoid") else "wrong_activation_derivative"
            yield Slope(code, f"σ′ is that of {other}, from σ(u)", _from_output(number), _formula_of(formula))


def _of_other(other: str) -> Slope:
    derivative, symbol = ACTIVATIONS[other].derivative, Symbol(other, other)
    return Slope(
        "wrong_activation_derivative",
        f"σ′ is that of {other}",
        lambda slope, u, a: derivative(u),
        lambda neuron: Call(symbol, (sy.net_input(neuron),), prime=True),
    )


def _from_output(number: Callable[[Array], Array]) -> Callable[[Array, Array, Array], Array]:
    return lambda slope, u, a: number(a)


def _formula_of(formula: Callable[[Expression], Expression]) -> Callable[[str], Expression]:
    return lambda neuron: formula(sy.neuron(neuron))


def output_slopes(q: Problem) -> Iterator[Mistake]:
    """In δ of the output layer."""
    where = q.neurons(q.layers)
    for slope in wrong_slopes(q.net.activations[-1]):
        yield _output(q, slope, where, None)
        if len(where) > 1:
            for j, name in enumerate(where):
                yield _output(q, slope, (name,), j)
    yield from _of_whole_delta(q)


def _output(q: Problem, slope: Slope, where: tuple[str, ...], j: int | None) -> Mistake:
    code = "missing_output_derivative" if slope.code == "missing" else slope.code
    message = f"{slope.what} at {', '.join(where)}"
    edit = (Stage.BACKWARD, _output_edit(q, slope, j))
    rank = slope.rank if j is None else RARE
    return Mistake(code, where, message, (edit,), Change("slope", q.layers, slope.formula), rank)


def _output_edit(q: Problem, slope: Slope, j: int | None) -> Callable[[Passes, Index], None]:
    derivative = activation(q.net.activations[-1]).derivative

    def edit(p: Passes, h: Index) -> None:
        u, a = p.u[-1][h], p.a[-1][h]
        delta = cost_slope(q.cost, a, p.y[h]) * slope.number(derivative(u), u, a)
        if j is None:
            p.delta[-1][h] = delta
        else:
            p.delta[-1][h, :, j] = delta[..., j]

    return edit


def _of_whole_delta(q: Problem) -> Iterator[Mistake]:
    """δ of the output layer as a whole: softmax given its own output, σ′ too much, the cost not differentiated."""
    row, cost, where = activation(q.net.activations[-1]), cost_function(q.cost), q.neurons(q.layers)

    def whole(code: str, message: str, change: Change, delta: Callable[[Passes, Index], Array]) -> Mistake:
        def edit(p: Passes, h: Index) -> None:
            p.delta[-1][h] = delta(p, h)

        return Mistake(code, where, message, ((Stage.BACKWARD, edit),), change)

    given_output = Change("slope", q.layers, lambda neuron: sy.slope(sy.neuron(neuron)))
    if row.jacobian:
        yield whole(
            "derivative_of_activation",
            "softmax is differentiated at its outputs in place of u",
            given_output,
            lambda p, h: row.chain(p.a[-1][h], cost_slope(q.cost, p.a[-1][h], p.y[h])),
        )
    if cost.delta is not None:
        yield whole(
            "extra_output_derivative",
            f"A − y is already ∂C/∂u with {q.cost}, but is multiplied by σ′(u) again",
            Change("slope", q.layers, lambda neuron: sy.slope(sy.net_input(neuron))),
            lambda p, h: p.delta[-1][h] * row.derivative(p.u[-1][h]),
        )
    yield whole(
        "cost_not_differentiated",
        "the cost itself stands in place of its derivative ∂C/∂A",
        Change("cost", q.layers, lambda neuron: sy.C),
        lambda p, h: row.chain(p.u[-1][h], cost.value(p.u[-1][h], p.a[-1][h], p.y[h])),
    )


def hidden_slopes(q: Problem) -> Iterator[Mistake]:
    """In δ of a hidden layer, of all of them, or of one hidden neuron."""
    for name in dict.fromkeys(q.net.activations[:-1]):
        layers = [layer for layer in q.hidden if q.net.activations[layer - 1] == name]
        for slope in wrong_slopes(name):
            if len(layers) > 1:
                yield _hidden(q, slope, layers)
            for layer in layers:
                yield _hidden(q, slope, [layer])
                for j in range(q.width(layer)) if q.width(layer) > 1 else ():
                    yield _hidden(q, slope, [layer], j)


def _hidden(q: Problem, slope: Slope, layers: list[int], j: int | None = None) -> Mistake:
    code = "missing_hidden_derivative" if slope.code == "missing" else slope.code
    names = tuple(name for layer in layers for name in q.neurons(layer))
    where = names if j is None else (names[j],)
    message = f"{slope.what} at {', '.join(where)}"
    edits = tuple(_hidden_edit(slope, layer, j) for layer in layers)
    rank = RARE if j is not None else max(slope.rank, PLAIN if len(layers) == len(q.hidden) else LOCAL)
    return Mistake(code, where, message, edits, Change("slope", max(layers), slope.formula), rank)


def _hidden_edit(slope: Slope, layer: int, j: int | None) -> Edit:
    def edit(p: Passes, h: Index) -> None:
        part = slice(None) if j is None else slice(j, j + 1)
        own = p.slopes[layer][h, :, part]
        p.slopes[layer][h, :, part] = slope.number(own, p.u[layer][h, :, part], p.a[layer][h, :, part])

    return Stage.BACKWARD, edit


def everywhere(q: Problem) -> Iterator[Mistake]:
    """The same wrong σ′ in the output layer and in all hidden ones, where they have the same activation."""
    names = set(q.net.activations)
    if len(names) > 1 or not q.hidden:
        return
    for slope in wrong_slopes(names.pop()):
        if slope.code == "missing":
            continue  # two mistakes, with two codes
        where = tuple(name for layer in q.every for name in q.neurons(layer))
        edits = [(Stage.BACKWARD, _output_edit(q, slope, None)), *(_hidden_edit(slope, k, None) for k in q.hidden)]
        message = f"{slope.what} at every neuron"
        yield Mistake(slope.code, where, message, tuple(edits), Change("slope", None, slope.formula), slope.rank)
