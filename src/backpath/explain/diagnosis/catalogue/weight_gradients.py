"""Mistakes in the factor of δ, in the gradient of the biases, and in a gradient's rows and columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from backpath.explain import symbols as sy
from backpath.explain.diagnosis.catalogue.uses import layer_words
from backpath.explain.diagnosis.mistakes import LOCAL, RARE, Change, Mistake, at
from backpath.explain.diagnosis.passes import Index, Passes, Stage
from backpath.explain.diagnosis.problem import Problem
from backpath.explain.expression import ONE, TWO, Call, Expression, Power, Symbol, minus
from backpath.maths.activations import activation
from backpath.maths.arrays import Array
from backpath.maths.notation import neuron_index

_ABS = Symbol("abs", "abs")


def factors(q: Problem) -> Iterator[Mistake]:
    yield from _in_place_of_inputs(q)
    yield from _weights_for_inputs(q)
    yield from _bias_gradients(q)
    yield from _moved(q)


def _in_place_of_inputs(q: Problem) -> Iterator[Mistake]:
    """Another quantity of the right shape instead of the inputs of a layer, in its gradients."""
    for layer in q.every:
        for words, values, written, rank in _quantities(q, layer):

            def edit(p: Passes, h: Index, layer: int = layer, values: Callable[..., Array] = values) -> None:
                p.F[layer][h, :, :-1] = values(p, h)

            message = f"in the gradients of layer {layer}, {words} instead of {', '.join(q.neurons(layer - 1))}"
            change = Change("input", layer, written)
            edits = ((Stage.BACKWARD, edit),)
            yield Mistake(
                "wrong_factor", q.neurons(layer - 1), message, edits, change, rank, by_sample="sample" in words
            )


Quantity = tuple[str, Callable[[Passes, Index], Array], Callable[[str], Expression], int]


def _quantities(q: Problem, layer: int) -> Iterator[Quantity]:
    """Quantities of the shape of a layer's inputs: in words, its values, its formula, and its rank."""
    yield from _other_layers(q, layer)
    yield from _of_the_layer_before(q, layer)
    if q.samples > 1:
        yield "the last sample's inputs are used", lambda p, h: p.a[layer - 1][h, -1:], _of("last"), LOCAL
        yield "the first sample's inputs are used", lambda p, h: p.a[layer - 1][h, :1], _of("first"), LOCAL
    if q.width(layer - 1) > 1:
        count = q.width(layer - 1)
        for step, which in ((1, "next"), (-1, "previous")):
            other = _neuron(q, layer - 1, lambda i, step=step: (i + step - 1) % count + 1)  # type: ignore[misc]  # bound now
            yield f"the {which} input is used", _rolled(layer, -step), other, LOCAL
        other = _neuron(q, layer - 1, lambda i: count + 1 - i)
        yield "the inputs in reverse order are used", lambda p, h: p.a[layer - 1][h, :, ::-1], other, RARE


def _other_layers(q: Problem, layer: int) -> Iterator[Quantity]:
    """The outputs of other layers, the targets, and the layer's own u."""
    before = q.width(layer - 1)
    for other in range(q.layers + 1):
        if other != layer - 1 and q.width(other) == before:
            name = "the inputs X are used" if other == 0 else f"the outputs of layer {other} are used"
            yield name, _output(other), _neuron(q, other), LOCAL
    if q.width(q.layers) == before:
        target = _numbered(q, lambda i: sy.target(i, before))
        yield "the targets y are used", lambda p, h: p.y[h], target, RARE
    if q.width(layer) == before:
        net_input = _numbered(q, lambda i: sy.net_input(q.neuron(layer, i)))
        yield f"the net inputs u of layer {layer} are used", lambda p, h: p.u[layer][h], net_input, RARE


def _of_the_layer_before(q: Problem, layer: int) -> Iterator[Quantity]:
    """σ′(u) and other functions of the inputs."""
    if layer > 1:
        slope = activation(q.net.activations[layer - 2]).derivative
        yield "σ′(u) is used", lambda p, h: slope(p.u[layer - 1][h]), lambda name: sy.slope(sy.net_input(name)), LOCAL
        yield "1 − σ(u) is used", lambda p, h: 1 - p.a[layer - 1][h], lambda name: minus(ONE, sy.neuron(name)), RARE
    squares, sizes = "the squares of the inputs are used", "the absolute values of the inputs are used"
    yield squares, lambda p, h: p.a[layer - 1][h] ** 2, lambda name: Power(sy.neuron(name), TWO), RARE
    yield sizes, lambda p, h: np.abs(p.a[layer - 1][h]), lambda name: Call(_ABS, (sy.neuron(name),)), RARE


def _output(layer: int) -> Callable[[Passes, Index], Array]:
    return lambda p, h: p.a[layer][h]


def _rolled(layer: int, step: int) -> Callable[[Passes, Index], Array]:
    return lambda p, h: np.roll(p.a[layer - 1][h], step, axis=2)


def _numbered(q: Problem, symbol: Callable[[int], Expression]) -> Callable[[str], Expression]:
    """A symbol that depends on the number of the input."""
    return lambda name: symbol(neuron_index(name, q.net.sizes)[1])


def _neuron(q: Problem, layer: int, number: Callable[[int], int] = lambda i: i) -> Callable[[str], Expression]:
    return _numbered(q, lambda i: sy.neuron(q.neuron(layer, number(i))))


def _of(words: str) -> Callable[[str], Expression]:
    return lambda name: Symbol(f"{name} ({words})", f"{name} ({words})")


def _weights_for_inputs(q: Problem) -> Iterator[Mistake]:
    """δ × W instead of δ × input."""
    for layers in q.all_and_each:

        def edit(p: Passes, h: Index, layers: tuple[int, ...] = layers) -> None:
            if p.at in layers:
                delta = (p.own[h] * p.share[h, :, None]).sum(axis=1) / p.q.samples
                p.G[p.at][h, :, :-1] = delta[:, :, None] * p.W[p.at][h, :, :-1]

        names = ", ".join(name for layer in layers for name in q.neurons(layer - 1))
        message = f"in the gradients of {layer_words(layers)}, the weight is used instead of {names}"
        where = tuple(name for layer in layers for name in q.neurons(layer - 1))
        change = Change("input", layers[0] if len(layers) == 1 else None, lambda name: Symbol("W", "W"))
        yield Mistake("wrong_factor", where, message, ((Stage.GRADIENT, edit),), change, LOCAL)


def _bias_gradients(q: Problem) -> Iterator[Mistake]:
    """The gradient of the biases from something else."""
    for layers in q.all_and_each:
        for words, made in _of_biases(q):

            def edit(p: Passes, h: Index, layers: tuple[int, ...] = layers, made: Callable[..., Array] = made) -> None:
                if p.at in layers:
                    p.G[p.at][h, :, -1] = made(p, h)

            where = q.biases_of(layers)
            part = "" if len(layers) == q.layers else f" of layer {layers[0]}"
            message = f"the gradients of the biases{part} are {words}"
            edits = ((Stage.GRADIENT, edit),)
            yield Mistake("wrong_bias_gradient", where, message, edits, rank=LOCAL, coupled=True)


def _of_biases(q: Problem) -> Iterator[tuple[str, Callable[[Passes, Index], Array]]]:
    yield "the sums of the rows of the weights' gradient", lambda p, h: p.G[p.at][h, :, :-1].sum(axis=2)
    yield "the means of the rows of the weights' gradient", lambda p, h: p.G[p.at][h, :, :-1].mean(axis=2)
    yield "multiplied by the bias", lambda p, h: p.G[p.at][h, :, -1] * p.W[p.at][h, :, -1]
    yield "those of the first input's weights", lambda p, h: p.G[p.at][h, :, 0]
    yield "those of the last input's weights", lambda p, h: p.G[p.at][h, :, -2]
    yield "the biases themselves", lambda p, h: p.W[p.at][h, :, -1]


def _moved(q: Problem) -> Iterator[Mistake]:
    """Rows or columns of a layer's gradient shifted, reversed, or all equal to the first."""
    for layer in q.every:
        rows, columns = q.width(layer), q.width(layer - 1) + 1
        kinds: list[tuple[str, Callable[[Array], Array]]] = []
        if rows > 1:
            kinds += [
                ("the rows are shifted by one", lambda G: np.roll(G, 1, axis=1)),
                ("the rows are shifted by one in the other direction", lambda G: np.roll(G, -1, axis=1)),
                ("the rows are in reverse order", lambda G: G[:, ::-1]),
                ("each row is the first one", lambda G: np.broadcast_to(G[:, :1], G.shape)),
                ("each row is the last one", lambda G: np.broadcast_to(G[:, -1:], G.shape)),
            ]
        kinds += [
            ("the columns are shifted by one, including the biases", lambda G: np.roll(G, 1, axis=2)),
            (
                "the columns are shifted by one in the other direction, including the biases",
                lambda G: np.roll(G, -1, axis=2),
            ),
        ]
        if columns > 2:
            kinds.append(("the columns are in reverse order", _reversed_columns))
        for words, change in kinds:

            def edit(p: Passes, h: Index, change: Callable[[Array], Array] = change) -> None:
                p.G[p.at][h] = change(p.G[p.at][h].copy())

            message = f"in the gradient of layer {layer}, {words}"
            edits = ((Stage.GRADIENT, at(layer, edit)),)
            yield Mistake("gradient_shifted", q.weights_of(layer), message, edits, None, LOCAL, coupled=True)


def _reversed_columns(G: Array) -> Array:
    return np.concatenate([G[:, :, -2::-1], G[:, :, -1:]], axis=2)
