"""Mistakes with derivatives: of the cost, of the output layer, of the hidden layers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
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
    if cost == "binary_cross_entropy":
        return (1 - y) / (1 - A) - y / A
    if cost == "categorical_cross_entropy":
        return -y / A
    return cost_function(cost).derivative(A, A, y)


@dataclass(frozen=True)
class Slope:
    """A wrong σ′.

    Attributes
    ----------
    code, what : its code, and in words; the same for every activation of which people do the same
    number : what stands in place of σ′, from the right σ′, u and σ(u)
    formula : the same on paper, from a neuron's name; None: nothing stands there
    jacobian : (σ(u), ∂C/∂a) -> ∂C/∂u in place of ∂C/∂a × number, of softmax
    """

    code: str
    what: str
    number: Callable[[Array, Array, Array], Array]
    formula: Callable[[str], Expression] | None
    rank: int = LOCAL
    jacobian: Callable[[Array, Array], Array] | None = None

    def through(self, slope: Array, u: Array, a: Array, dC_da: Array) -> Array:
        return self.jacobian(a, dC_da) if self.jacobian else dC_da * self.number(slope, u, a)


def wrong_slopes(name: str) -> Iterator[Slope]:
    """What people put in the place of the σ′ of that activation."""
    row = ACTIVATIONS[name]
    yield Slope("missing", "σ′(u) is missing", lambda slope, u, a: np.ones_like(u), None, PLAIN)
    yield Slope(
        "derivative_of_activation",
        "σ′ is given σ(u) in place of u",
        lambda slope, u, a: row.derivative(a),
        lambda neuron: sy.slope(sy.neuron(neuron)),
        PLAIN,
        row.jacobian,
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


def slopes(q: Problem) -> Iterator[Mistake]:
    """The same wrong σ′ in one layer, in all hidden ones, everywhere, or at one neuron."""
    kinds: dict[str, dict[int, Slope]] = {}
    for layer in q.every:
        for slope in wrong_slopes(q.net.activations[layer - 1]):
            kinds.setdefault(slope.what, {})[layer] = slope
    for by_layer in kinds.values():
        for layer, slope in by_layer.items():
            yield _mistake(q, {layer: slope})
            for j in range(q.width(layer)) if q.width(layer) > 1 else ():
                yield _mistake(q, {layer: slope}, j)
        hidden = {layer: slope for layer, slope in by_layer.items() if layer in q.hidden}
        if len(hidden) > 1:
            yield _mistake(q, hidden)
        if q.layers in by_layer and hidden and by_layer[q.layers].code != "missing":  # that would be two mistakes
            yield _mistake(q, by_layer)
    yield from _of_whole_delta(q)


def _mistake(q: Problem, by_layer: Mapping[int, Slope], j: int | None = None) -> Mistake:
    """Those layers with a wrong σ′; or of the only layer one neuron."""
    first = next(iter(by_layer.values()))
    output = q.layers in by_layer
    code = first.code if first.code != "missing" else f"missing_{'output' if output else 'hidden'}_derivative"
    names = tuple(name for layer in by_layer for name in q.neurons(layer))
    where = names if j is None else (names[j],)
    edits = [_edit(q, slope, layer, j) for layer, slope in by_layer.items()]
    whole = output or len(by_layer) >= len(q.hidden)
    rank = RARE if j is not None else max(first.rank, PLAIN if whole else LOCAL)
    change = Change("slope", None if len(by_layer) > 1 else next(iter(by_layer)), first.formula)
    return Mistake(code, where, f"{first.what} at {', '.join(where)}", tuple(edits), change, rank)


def _edit(q: Problem, slope: Slope, layer: int, j: int | None) -> Edit:
    part = slice(None) if j is None else slice(j, j + 1)
    derivative = activation(q.net.activations[layer - 1]).derivative

    def output(p: Passes, h: Index) -> None:
        u, a = p.u[layer][h], p.a[layer][h]
        p.delta[layer][h, :, part] = slope.through(derivative(u), u, a, cost_slope(q.cost, a, p.y[h]))[:, :, part]

    def hidden(p: Passes, h: Index) -> None:
        own = p.slopes[layer][h, :, part]
        p.slopes[layer][h, :, part] = slope.number(own, p.u[layer][h, :, part], p.a[layer][h, :, part])

    return Stage.BACKWARD, output if layer == q.layers else hidden


def _of_whole_delta(q: Problem) -> Iterator[Mistake]:
    """δ of the output layer as a whole: σ′ too much, the cost not differentiated."""
    row, cost, where = activation(q.net.activations[-1]), cost_function(q.cost), q.neurons(q.layers)

    def whole(code: str, message: str, change: Change, delta: Callable[[Passes, Index], Array]) -> Mistake:
        def edit(p: Passes, h: Index) -> None:
            p.delta[-1][h] = delta(p, h)

        return Mistake(code, where, message, ((Stage.BACKWARD, edit),), change)

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
