"""Mistakes in σ′: missing, evaluated elsewhere, or of another function; everywhere or at one use of δ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from backpath.explain import symbols as sy
from backpath.explain.diagnosis.catalogue.uses import BACK, BIAS, EVERYWHERE, GRADIENT, UsePlaces, places, used
from backpath.explain.diagnosis.mistakes import LOCAL, PLAIN, RARE, Among, Change, Mistake
from backpath.explain.diagnosis.passes import Index, Passes
from backpath.explain.diagnosis.problem import Problem
from backpath.explain.expression import ONE, TWO, Call, Expression, Power, Product, Quotient, Symbol, minus
from backpath.maths.activations import ACTIVATIONS, activation
from backpath.maths.arrays import Array

SlopeNumbers = Callable[[Passes, Index, int], Array]  # what is used instead of σ′ of a layer, (passes, N, neurons)

# σ′ written in v = σ(u)
IN_OUTPUT: dict[str, tuple[Callable[[Array], Array], Callable[[Expression], Expression]]] = {
    "sigmoid": (lambda v: v * (1 - v), lambda v: Product((v, minus(ONE, v)))),
    "tanh": (lambda v: 1 - v * v, lambda v: minus(ONE, Power(v, TWO))),
}
_IN_WORDS = {"sigmoid": "v(1 − v)", "tanh": "1 − v²"}
_LEAKS = (0.2, 0.1)  # slopes of a leaky ReLU other than 0.01
_AMONG: dict[UsePlaces, Among] = {EVERYWHERE: "all", GRADIENT: "own", BIAS: "own", BACK: "above"}
_FEW_NEURONS = 8  # in larger layers, a wrong σ′ is not tried at single neurons
ELEMENTWISE = [name for name, row in ACTIVATIONS.items() if row.jacobian is None and not row.no_derivative]


@dataclass(frozen=True)
class Slope:
    """A wrong σ′.

    Attributes
    ----------
    code, what : its code and description, the same for all activations with this mistake
    number : the quantity used instead of σ′
    formula : its formula, from a neuron's name; None: nothing
    jacobian : for softmax, (σ(u), ∂C/∂a) -> ∂C/∂u instead of ∂C/∂a × number
    by_size : as in ``Mistake``
    """

    code: str
    what: str
    number: SlopeNumbers
    formula: Callable[[str], Expression] | None
    rank: int = LOCAL
    jacobian: Callable[[Array, Array], Array] | None = None
    by_size: bool = False

    def delta(self, layer: int) -> Callable[[Passes, Index], Array]:
        """δ with this slope."""

        def values(p: Passes, h: Index) -> Array:
            if self.jacobian:
                return self.jacobian(p.a[layer][h], p.dC_da[layer][h])
            return p.dC_da[layer][h] * self.number(p, h, layer)

        return values


def right_slope(p: Passes, h: Index, layer: int) -> Array:
    """σ′(u); for softmax, the diagonal of its Jacobian."""
    if layer < p.q.layers:
        return p.slopes[layer][h]
    return activation(p.q.net.activations[-1]).derivative(p.u[layer][h])


@cache
def wrong_slopes(name: str) -> tuple[Slope, ...]:
    """Wrong slopes of an activation that do not depend on the network."""
    row = activation(name)
    if name == "identity":  # its σ′ is 1 everywhere
        return (*_other_quantities(name), *_of_others(name))
    found = [
        Slope("missing", "σ′(u) is missing", lambda p, h, k: np.ones_like(p.u[k][h]), None, PLAIN),
        Slope(
            "derivative_of_activation",
            "σ′ is evaluated at σ(u) instead of u",
            lambda p, h, k: row.derivative(p.a[k][h]),
            lambda neuron: sy.slope(sy.neuron(neuron)),
            PLAIN,
            row.jacobian,
        ),
        Slope(
            "derivative_twice",
            "σ′(u) occurs twice",
            lambda p, h, k: right_slope(p, h, k) ** 2,
            lambda neuron: Power(sy.slope(sy.net_input(neuron)), TWO),
        ),
    ]
    if name in IN_OUTPUT:
        number, formula = IN_OUTPUT[name]
        found.append(
            Slope(
                "net_input_in_derivative",
                f"the formula {_IN_WORDS[name]} of σ′ is evaluated with v = u instead of v = σ(u)",
                lambda p, h, k: number(p.u[k][h]),
                lambda neuron: formula(sy.net_input(neuron)),
            )
        )
    return (*found, *_other_quantities(name), *_of_others(name))


def _other_quantities(name: str) -> Iterator[Slope]:
    """Another quantity of the neuron instead of σ′(u)."""
    yield _wrong("σ′(u) is multiplied by u", lambda p, h, k: right_slope(p, h, k) * p.u[k][h], _times_u)
    yield _wrong("σ(u) is used instead of σ′(u)", lambda p, h, k: p.a[k][h], sy.neuron)
    yield _wrong("1 − σ(u) is used instead of σ′(u)", lambda p, h, k: 1 - p.a[k][h], lambda n: minus(ONE, sy.neuron(n)))
    yield _wrong("u is used instead of σ′(u)", lambda p, h, k: p.u[k][h], sy.net_input)
    if name == "identity":
        return
    yield _wrong(
        "the error is divided by σ′(u)",
        lambda p, h, k: 1 / right_slope(p, h, k),
        lambda n: Quotient(ONE, sy.slope(sy.net_input(n))),
    )
    row = activation(name)
    if row.jacobian is None:
        yield from _at_other_numbers(row.derivative)
    if name in IN_OUTPUT:
        yield from _with_other_numbers(name)


def _wrong(what: str, number: SlopeNumbers, formula: Callable[[str], Expression], by_size: bool = False) -> Slope:
    return Slope("wrong_slope", what, number, formula, by_size=by_size)


def _times_u(neuron: str) -> Expression:
    u = sy.net_input(neuron)
    return Product((sy.slope(u), u))


def _at_other_numbers(derivative: Callable[[Array], Array]) -> Iterator[Slope]:
    """σ′ evaluated at another number than u."""
    yield _wrong(
        "σ′ is evaluated at the backpropagated error instead of u",
        lambda p, h, k: derivative(_error(p, h, k)),
        lambda neuron: sy.slope(Symbol(f"e_{neuron}", "e", neuron)),
        by_size=True,
    )
    yield _wrong(
        "σ′ is evaluated at u without the bias",
        lambda p, h, k: derivative(p.u[k][h] - p.W[k][h, None, :, -1]),
        lambda neuron: sy.slope(Symbol(f"(X·W)_{neuron}", "(X·W)", neuron)),
    )
    yield _wrong(
        "σ′ is evaluated at the bias instead of u",
        lambda p, h, k: derivative(np.broadcast_to(p.W[k][h, None, :, -1], p.u[k][h].shape)),
        lambda neuron: sy.slope(Symbol(f"b_{neuron}", "b", neuron)),
    )


def _with_other_numbers(name: str) -> Iterator[Slope]:
    """The formula of σ′ that takes σ(u), with another number."""
    number, formula = IN_OUTPUT[name]
    yield _wrong(
        f"the formula {_IN_WORDS[name]} of σ′ is evaluated with the backpropagated error instead of v = σ(u)",
        lambda p, h, k: number(_error(p, h, k)),
        lambda neuron: formula(Symbol(f"e_{neuron}", "e", neuron)),
        by_size=True,
    )
    yield _wrong(
        f"the formula {_IN_WORDS[name]} of σ′ is evaluated with the bias instead of v = σ(u)",
        lambda p, h, k: np.broadcast_to(number(p.W[k][h, None, :, -1]), p.u[k][h].shape),
        lambda neuron: formula(Symbol(f"b_{neuron}", "b", neuron)),
    )


def _error(p: Passes, h: Index, layer: int) -> Array:
    """∂C/∂a, with the constant from conventions."""
    return p.scale[h, None, None] * p.dC_da[layer][h]


def _of_others(name: str) -> Iterator[Slope]:
    yield from map(_of_leaky, _LEAKS) if name in ("relu", "leaky_relu") else ()
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
        lambda p, h, k: derivative(p.u[k][h]),
        lambda neuron: Call(symbol, (sy.net_input(neuron),), prime=True),
    )


def _of_leaky(slope: float) -> Slope:
    what = f"σ′ is that of a leaky ReLU with slope {slope:g} below 0"
    return Slope(
        "wrong_activation_derivative",
        what,
        lambda p, h, k: np.where(p.u[k][h] > 0, 1.0, slope),
        lambda neuron: Call(Symbol("leaky", "leaky"), (sy.net_input(neuron),), prime=True),
    )


def _from_output(number: Callable[[Array], Array]) -> SlopeNumbers:
    return lambda p, h, k: number(p.a[k][h])


def _formula_of(formula: Callable[[Expression], Expression]) -> Callable[[str], Expression]:
    return lambda neuron: formula(sy.neuron(neuron))


def slopes(q: Problem) -> Iterator[Mistake]:
    """The same wrong σ′ in one layer, in all hidden layers, everywhere, at one neuron, or at one use."""
    kinds: dict[str, dict[int, Slope]] = {}
    for layer in q.every:
        for slope in (*wrong_slopes(q.net.activations[layer - 1]), *_of_other_layers(q, layer)):
            kinds.setdefault(slope.what, {})[layer] = slope
    for by_layer in kinds.values():
        yield from _of_kind(q, by_layer)


def _of_kind(q: Problem, by_layer: Mapping[int, Slope]) -> Iterator[Mistake]:
    for layer, slope in by_layer.items():
        yield from _in_one_layer(q, layer, slope)
    hidden = {layer: slope for layer, slope in by_layer.items() if layer in q.hidden}
    if len(hidden) > 1:
        yield _mistake(q, hidden)
    if len(by_layer) == q.layers > 1:
        yield from _everywhere(q, by_layer)


def _in_one_layer(q: Problem, layer: int, slope: Slope) -> Iterator[Mistake]:
    for place in places(q, layer):
        yield _mistake(q, {layer: slope}, place=place)
    width = q.width(layer)
    if width > 1 and (slope.rank == PLAIN or width <= _FEW_NEURONS):
        yield from (_mistake(q, {layer: slope}, j) for j in range(width))


def _everywhere(q: Problem, by_layer: Mapping[int, Slope]) -> Iterator[Mistake]:
    if next(iter(by_layer.values())).code != "missing":  # missing hidden and output slopes are two mistakes
        yield _mistake(q, by_layer)
    yield _mistake(q, by_layer, place=GRADIENT)
    yield _mistake(q, by_layer, place=BIAS)
    if q.layers > 2:
        yield _mistake(q, {layer: slope for layer, slope in by_layer.items() if layer > 1}, place=BACK)


def _of_other_layers(q: Problem, layer: int) -> Iterator[Slope]:
    """σ′ of another layer, if it has as many neurons, or only one."""
    for other in q.every:
        if other != layer and q.width(other) in (q.width(layer), 1):
            yield Slope(
                "wrong_slope",
                f"σ′ of layer {other} is used instead of that of layer {layer}",
                _slope_of(other),
                lambda neuron, other=other: sy.slope(sy.net_input(q.neuron(other, 1))),  # type: ignore[misc]  # bound now
            )


def _slope_of(other: int) -> SlopeNumbers:
    return lambda p, h, k: np.broadcast_to(right_slope(p, h, other), p.u[k][h].shape)


def _mistake(q: Problem, by_layer: Mapping[int, Slope], j: int | None = None, place: UsePlaces = EVERYWHERE) -> Mistake:
    """A wrong σ′ in these layers, or in one layer at a neuron or use."""
    first = next(iter(by_layer.values()))
    output = q.layers in by_layer
    code = first.code if first.code != "missing" else f"missing_{'output' if output else 'hidden'}_derivative"
    names = q.neurons_of(by_layer)
    where = names if j is None else (names[j],)
    edits = [used(k, place, slope.delta(k), _columns(j)) for k, slope in by_layer.items()]
    words = place.of(max(by_layer)) if len(by_layer) == 1 else _of_all(place)
    layers = None if len(by_layer) > 1 else next(iter(by_layer))
    change = Change("slope", layers, first.formula, among=_AMONG[place] if layers is None else "all")
    rank = _rank(q, first, list(by_layer), j, place)
    message = f"{first.what} at {', '.join(where)}{words}"
    return Mistake(code, where, message, tuple(edits), change, rank, by_size=first.by_size and j is None)


def _columns(j: int | None) -> slice:
    return slice(None) if j is None else slice(j, j + 1)


def _of_all(place: UsePlaces) -> str:
    return {
        GRADIENT: " in each layer's own gradients, not in the backward pass",
        BIAS: " in the gradients of the biases only",
        BACK: " in the backward pass only",
    }.get(place, "")


def _rank(q: Problem, slope: Slope, layers: Sequence[int], j: int | None, place: UsePlaces) -> int:
    if j is not None:
        return RARE
    if place is EVERYWHERE:
        whole = q.layers in layers or len(layers) >= len(q.hidden)
        return max(slope.rank, PLAIN if whole else LOCAL)
    return LOCAL if slope.rank == PLAIN else RARE
