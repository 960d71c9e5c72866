"""Mistakes in the forward pass, and in the quantity that a weight multiplies."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from backpath.explain import symbols as sy
from backpath.explain.diagnosis.mistakes import LOCAL, PLAIN, RARE, Change, Mistake, at
from backpath.explain.diagnosis.passes import Edit, Index, Passes, Stage
from backpath.explain.diagnosis.problem import Problem
from backpath.explain.expression import Call, Number, Symbol
from backpath.maths.activations import ACTIVATIONS, activation
from backpath.maths.arrays import Array
from backpath.maths.notation import weight_name

_COMMON = 8  # inputs; with more, an omitted input is not combined with another mistake
_FEW_WEIGHTS = 50  # with more, an input omitted from one neuron's sum is not combined with another mistake
_USUAL = ("sigmoid", "tanh", "relu", "leaky_relu", "elu", "softplus", "silu")
_FEW_NEURONS = 60  # with more, inputs omitted from one neuron's sum are not tried


LEAKS = (0.2, 0.1, 0.3, 0.05, 0.001)  # slopes of a leaky ReLU below 0 that people choose, other than 0.01


def forward_mistakes(q: Problem) -> Iterator[Mistake]:
    yield from _activations(q)
    yield from _other_activations(q)
    yield from _leaks(q)
    yield from _missing_inputs(q)
    yield from _missing_factors(q)
    yield from _columns(q)
    yield from _bias_signs(q)
    yield from _bias_not_updated(q)


def _all_and_each(layers: Sequence[int]) -> Iterator[tuple[int, ...]]:
    if len(layers) > 1:
        yield tuple(layers)
    for layer in layers:
        yield (layer,)


def _activations(q: Problem) -> Iterator[Mistake]:
    """The activation applied twice or not at all, each with its possible derivatives."""
    scopes = [*_all_and_each(list(q.every)), *([tuple(q.hidden)] if len(q.hidden) > 1 else [])]
    for layers in scopes:
        where = tuple(name for layer in layers for name in q.neurons(layer))
        names = ", ".join(where)
        for change_of in ("own", "inner", "whole"):
            edits = tuple(edit for layer in layers for edit in _twice(q, layer, change_of))
            message = f"the activation is applied twice at {names}: σ(σ(u))"
            change = Change("activation", layers[0], lambda u: sy.sigma(sy.sigma(u)))
            yield Mistake("activation_twice", where, message, edits, change, LOCAL)
        for slope in (True, False):
            edits = tuple(edit for layer in layers for edit in _never(q, layer, slope))
            change = Change("activation", layers[0], lambda u: u)
            yield Mistake(
                "missing_activation", where, f"the activation is not applied at {names}", edits, change, LOCAL
            )
    for layer in q.hidden:
        where, row = q.neurons(layer), activation(q.net.activations[layer - 1])
        twice = (_factor(layer + 1, lambda p, h, layer=layer, value=row.value: value(p.a[layer][h])),)  # type: ignore[misc]
        message = f"what the weights of layer {layer + 1} multiply has the activation twice: σ(H)"
        change = Change("input", layer + 1, lambda name: sy.sigma(sy.neuron(name)))
        yield Mistake("activation_twice", where, message, twice, change, LOCAL)
        never = (_factor(layer + 1, lambda p, h, layer=layer: p.u[layer][h]),)  # type: ignore[misc]
        message = f"the weights of layer {layer + 1} are taken to multiply u instead of σ(u)"
        change = Change("input", layer + 1, sy.net_input)
        yield Mistake("missing_activation", where, message, never, change, LOCAL)


def _factor(layer: int, values: Callable[[Passes, Index], Array]) -> Edit:
    def edit(p: Passes, h: Index) -> None:
        p.F[layer][h, :, :-1] = values(p, h)

    return Stage.BACKWARD, edit


def _twice(q: Problem, layer: int, slope: str) -> list[Edit]:
    """σ(σ(u)) in the forward pass, with the slope at u, at σ(u), or the product of both."""
    row = activation(q.net.activations[layer - 1])

    def forward(p: Passes, h: Index) -> None:
        p.a[layer][h] = row.value(p.a[layer][h])

    def hidden(p: Passes, h: Index) -> None:
        u = p.u[layer][h]
        inner = row.derivative(row.value(u))
        p.slopes[layer][h] = {"own": row.derivative(u), "inner": inner, "whole": inner * row.derivative(u)}[slope]

    def output(p: Passes, h: Index) -> None:
        u, dC_dA = p.u[layer][h], p.dC_da[layer][h]
        through = row.chain(row.value(u), dC_dA) if slope != "own" else row.chain(u, dC_dA)
        p.delta[layer][h] = row.chain(u, through) if slope == "whole" else through

    return [(Stage.FORWARD, at(layer, forward)), (Stage.BACKWARD, output if layer == q.layers else hidden)]


def _never(q: Problem, layer: int, slope: bool) -> list[Edit]:
    """u instead of σ(u), with the slope of σ, or 1."""
    row = activation(q.net.activations[layer - 1])

    def forward(p: Passes, h: Index) -> None:
        p.a[layer][h] = p.u[layer][h]

    def hidden(p: Passes, h: Index) -> None:
        p.slopes[layer][h] = row.derivative(p.u[layer][h]) if slope else 1.0

    def output(p: Passes, h: Index) -> None:
        dC_dA = p.dC_da[layer][h]
        p.delta[layer][h] = row.chain(p.u[layer][h], dC_dA) if slope else dC_dA

    return [(Stage.FORWARD, at(layer, forward)), (Stage.BACKWARD, output if layer == q.layers else hidden)]


def _other_activations(q: Problem) -> Iterator[Mistake]:
    """Another activation in the forward pass, with its own σ′ or with the right one."""
    for layers in [*_all_and_each(list(q.every)), *([tuple(q.hidden)] if len(q.hidden) > 1 else [])]:
        own = {q.net.activations[layer - 1] for layer in layers}
        for other in (*_USUAL, "step"):
            if other in own or "softmax" in own:
                continue
            for with_slope in (True, False) if other != "step" else (False,):
                edits = tuple(edit for layer in layers for edit in _other(q, layer, other, with_slope))
                where = tuple(name for layer in layers for name in q.neurons(layer))
                slope = "" if with_slope else ", though σ′ is right"
                message = f"{other} is applied at {', '.join(where)}{slope}"
                change = Change("activation", layers[0], lambda u, other=other: Call(Symbol(other, other), (u,)))
                yield Mistake("wrong_activation", where, message, edits, change, LOCAL)


def _other(q: Problem, layer: int, other: str, with_slope: bool) -> list[Edit]:
    row, right = ACTIVATIONS[other], activation(q.net.activations[layer - 1])

    def forward(p: Passes, h: Index) -> None:
        p.a[layer][h] = row.value(p.u[layer][h])

    def hidden(p: Passes, h: Index) -> None:
        p.slopes[layer][h] = row.derivative(p.u[layer][h])

    def output(p: Passes, h: Index) -> None:
        p.delta[layer][h] = p.dC_da[layer][h] * (row if with_slope else right).derivative(p.u[layer][h])

    edits: list[Edit] = [(Stage.FORWARD, at(layer, forward))]
    if layer == q.layers:
        edits.append((Stage.BACKWARD, output))
    elif with_slope:
        edits.append((Stage.BACKWARD, hidden))
    return edits


def _leaks(q: Problem) -> Iterator[Mistake]:
    """A leaky ReLU with another slope, which is right if intended, or instead of a ReLU."""
    for kind in ("leaky_relu", "relu"):
        layers = [layer for layer in q.every if q.net.activations[layer - 1] == kind]
        where = tuple(name for layer in layers for name in q.neurons(layer))
        meant = kind == "leaky_relu"
        for slope in LEAKS if layers else ():
            edits = tuple(edit for layer in layers for edit in _leaky(q, layer, slope))
            message = (
                f"a leaky ReLU whose slope below 0 is {slope:g}, not {0.01 * meant:g}, is applied at {', '.join(where)}"
            )
            yield Mistake("wrong_activation", where, message, edits, rank=LOCAL, convention=meant, is_right=meant)


def _leaky(q: Problem, layer: int, slope: float) -> tuple[Edit, ...]:
    def forward(p: Passes, h: Index) -> None:
        u = p.u[layer][h]
        p.a[layer][h] = np.where(u > 0, u, slope * u)

    def backward(p: Passes, h: Index) -> None:
        factor = np.where(p.u[layer][h] > 0, 1.0, slope)
        if layer == q.layers:
            p.delta[layer][h] = p.dC_da[layer][h] * factor
        else:
            p.slopes[layer][h] = factor

    return (Stage.FORWARD, at(layer, forward)), (Stage.BACKWARD, backward)


def _missing_inputs(q: Problem) -> Iterator[Mistake]:
    """An input, a hidden neuron or the bias left out of the sums of a layer, or of one neuron's sum."""
    for layer in q.every:
        names = [*q.neurons(layer - 1), "the bias"]
        for i, name in enumerate(names):
            places: list[int | None] = [None]
            if q.width(layer) > 1 and q.width(layer) * len(names) <= _FEW_NEURONS:
                places += range(q.width(layer))
            for j in places:
                yield from _left_out(q, layer, i, name, j)
    if not q.has_biases:
        return
    of_all = [tuple(e for k in q.every for e in _without(q, k, q.width(k - 1), None, kept)) for kept in (True, False)]
    if q.layers > 1:
        yield Mistake("missing_input", (), "the bias is left out of every weighted sum", of_all[0])
    message = "the network has no biases: they are left out of every weighted sum, and have no gradient"
    yield Mistake("no_biases", (), message, of_all[1], convention=True, is_right=True)


def _left_out(q: Problem, layer: int, i: int, name: str, j: int | None) -> Iterator[Mistake]:
    where = (name,) if i < q.width(layer - 1) else q.biases(layer) if j is None else (weight_name(layer, j + 1, None),)
    to = ", ".join(q.neurons(layer)) if j is None else q.neuron(layer, j + 1)
    message = f"{name} is left out of the weighted sum of {to}"
    source = i + 1 if i < q.width(layer - 1) else None
    change = Change("sum", layer, terms={source: None})
    rank = LOCAL if q.width(layer - 1) <= _COMMON and (j is None or q.ends[-1] <= _FEW_WEIGHTS) else RARE
    for kept in (True, False):
        yield Mistake("missing_input", where, message, _without(q, layer, i, j, kept), change, rank)
    if j is None and layer > 1 and i < q.width(layer - 1):
        edits = (*_without(q, layer, i, j, False), (Stage.WAY_BACK, _no_path(layer, i)))
        yield Mistake("missing_input", where, message, edits, change, rank)


def _without(q: Problem, layer: int, i: int, j: int | None, kept: bool) -> tuple[Edit, ...]:
    """Left out of the sum; ``kept``: still a factor of the gradient."""
    rows = slice(None) if j is None else j

    def sums(p: Passes, h: Index) -> None:
        p.U[layer][h, rows, i] = 0.0

    def gradients(p: Passes, h: Index) -> None:
        p.G[layer][h, rows, i] = 0.0

    return ((Stage.SUMS, sums),) if kept else ((Stage.SUMS, sums), (Stage.GRADIENTS, gradients))


def _no_path(layer: int, i: int) -> Callable[[Passes, Index], None]:
    def edit(p: Passes, h: Index) -> None:
        if p.at == layer:
            p.P[h, :, i] = 0.0

    return edit


def _missing_factors(q: Problem) -> Iterator[Mistake]:
    """δ instead of δ × X, or no gradient, for one input's weights; or δ instead of δ × X in a whole layer."""
    for layer in q.every:
        for i, name in enumerate(q.neurons(layer - 1)):
            rank = LOCAL if q.width(layer - 1) <= _COMMON else RARE
            for number, what in ((1.0, "is missing as a factor of"), (0.0, "is taken as 0 in")):
                message = f"{name} {what} the gradients of its weights to layer {layer}"
                change = Change("input", layer, None if number else lambda name: Number("0"))
                edit = (Stage.BACKWARD, _constant_factor(layer, slice(i, i + 1), number))
                yield Mistake("missing_input", (name,), message, (edit,), change, rank)
        message = f"the factors {', '.join(q.neurons(layer - 1))} are missing in the gradients of layer {layer}"
        edit = (Stage.BACKWARD, _constant_factor(layer, slice(None), 1.0))
        yield Mistake("missing_input", q.neurons(layer - 1), message, (edit,), Change("input", layer), LOCAL)


def _constant_factor(layer: int, inputs: slice, number: float) -> Callable[[Passes, Index], None]:
    def edit(p: Passes, h: Index) -> None:
        p.F[layer][h, :, inputs] = number

    return edit


def _columns(q: Problem) -> Iterator[Mistake]:
    """Two inputs swapped in every sample."""
    names = q.neurons(0)
    for i, k in itertools.combinations(range(len(names)), 2):

        def edit(p: Passes, h: Index, i: int = i, k: int = k) -> None:
            p.X[h, :, i], p.X[h, :, k] = p.X[h, :, k], p.X[h, :, i]

        message = f"{names[i]} and {names[k]} are swapped in the whole pass"
        change = Change("sum", 1, terms={i + 1: sy.neuron(names[k]), k + 1: sy.neuron(names[i])})
        rank = LOCAL if len(names) <= _COMMON else RARE
        yield Mistake("wrong_input", (names[i], names[k]), message, ((Stage.START, edit),), change, rank)


def _bias_signs(q: Problem) -> Iterator[Mistake]:
    """The bias neuron's 1 read as -1: in the sums, in the gradient, or in both."""
    for layers in _all_and_each(list(q.every)):
        where = tuple(name for layer in layers for name in q.biases(layer))
        for sums, gradient, what in (
            (True, True, "everywhere"),
            (True, False, "in the weighted sums"),
            (False, True, "in the gradients"),
        ):
            edits: list[Edit] = []
            for layer in layers:
                edits += [(Stage.SUMS, _minus_sum(layer))] if sums else []
                edits += [(Stage.BACKWARD, _minus_factor(layer))] if gradient else []
            message = f"the bias neuron's 1 is taken as -1 {what} of layer {', '.join(map(str, layers))}"
            change = Change("sum", layers[0], terms={None: Number("-1")})
            if not sums:
                change = Change("input", layers[0], lambda name: Number("-1"))
            rank = PLAIN if len(layers) == q.layers else LOCAL
            yield Mistake("bias_sign", where, message, tuple(edits), change, rank)


def _minus_sum(layer: int) -> Callable[[Passes, Index], None]:
    def edit(p: Passes, h: Index) -> None:
        p.U[layer][h, :, -1] *= -1.0

    return edit


def _minus_factor(layer: int) -> Callable[[Passes, Index], None]:
    def edit(p: Passes, h: Index) -> None:
        p.F[layer][h, :, -1] *= -1.0

    return edit


def _bias_not_updated(q: Problem) -> Iterator[Mistake]:
    for layers in _all_and_each(list(q.every)):
        where = tuple(name for layer in layers for name in q.biases(layer))
        edits = tuple((Stage.GRADIENTS, _no_bias(layer, None)) for layer in layers)
        message = f"{', '.join(where)}: a bias is a weight like the others, but has no gradient here"
        rank = PLAIN if len(layers) == q.layers else LOCAL
        change = Change("input", None if len(layers) > 1 else layers[0], lambda name: Number("0"))
        yield Mistake("bias_not_updated", where, message, edits, change, rank)
    for layer in q.every:
        for j, name in enumerate(q.biases(layer)) if q.width(layer) > 1 else ():
            message = f"{name} has no gradient: it is treated as a constant"
            yield Mistake("bias_not_updated", (name,), message, ((Stage.GRADIENTS, _no_bias(layer, j)),), rank=RARE)


def _no_bias(layer: int, j: int | None) -> Callable[[Passes, Index], None]:
    def edit(p: Passes, h: Index) -> None:
        p.G[layer][h, slice(None) if j is None else j, -1] = 0.0

    return edit
