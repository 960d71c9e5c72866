"""Mistakes in the activations of the forward pass: applied twice, not at all, or another one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from backpath.explain import symbols as sy
from backpath.explain.diagnosis.mistakes import LOCAL, Change, Mistake, at
from backpath.explain.diagnosis.passes import Edit, Index, Passes, Stage
from backpath.explain.diagnosis.problem import Problem
from backpath.explain.expression import Call, Symbol
from backpath.maths.activations import ACTIVATIONS, activation
from backpath.maths.arrays import Array

_USUAL = ("sigmoid", "tanh", "relu", "leaky_relu", "elu", "softplus", "silu")
LEAKS = (0.2, 0.1, 0.3, 0.05, 0.001)  # slopes of a leaky ReLU below 0 that people choose, other than 0.01


def activation_mistakes(q: Problem) -> Iterator[Mistake]:
    for layers in _scopes(q):
        yield from _twice_or_never(q, layers)
    for layer in q.hidden:
        yield from _in_the_factor(q, layer)
    yield from _other_activations(q)
    yield from _leaks(q)


def _scopes(q: Problem) -> list[tuple[int, ...]]:
    """All layers, each layer, and all hidden layers."""
    return [*q.all_and_each, tuple(q.hidden)] if len(q.hidden) > 1 else q.all_and_each


def _twice_or_never(q: Problem, layers: Sequence[int]) -> Iterator[Mistake]:
    """The activation applied twice or not at all, each with its possible derivatives."""
    where = q.neurons_of(layers)
    names = ", ".join(where)
    for change_of in ("own", "inner", "whole"):
        edits = tuple(edit for layer in layers for edit in _twice(q, layer, change_of))
        message = f"the activation is applied twice at {names}: σ(σ(u))"
        change = Change("activation", layers[0], lambda u: sy.sigma(sy.sigma(u)))
        yield Mistake("activation_twice", where, message, edits, change, LOCAL)
    for slope in (True, False):
        edits = tuple(edit for layer in layers for edit in _never(q, layer, slope))
        message = f"the activation is not applied at {names}"
        change = Change("activation", layers[0], lambda u: u)
        yield Mistake("missing_activation", where, message, edits, change, LOCAL)


def _in_the_factor(q: Problem, layer: int) -> Iterator[Mistake]:
    """The activation applied twice or not at all to what the next layer's weights multiply."""
    where, row = q.neurons(layer), activation(q.net.activations[layer - 1])
    twice = (_factor(layer + 1, lambda p, h: row.value(p.a[layer][h])),)
    message = f"the activation is applied twice to what the weights of layer {layer + 1} multiply: σ(H)"
    change = Change("input", layer + 1, lambda name: sy.sigma(sy.neuron(name)))
    yield Mistake("activation_twice", where, message, twice, change, LOCAL)
    never = (_factor(layer + 1, lambda p, h: p.u[layer][h]),)
    message = f"the weights of layer {layer + 1} multiply u instead of σ(u)"
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
    for layers in _scopes(q):
        own = {q.net.activations[layer - 1] for layer in layers}
        for other in (*_USUAL, "step") if "softmax" not in own else ():
            if other not in own:
                yield from _with_other(q, layers, other)


def _with_other(q: Problem, layers: Sequence[int], other: str) -> Iterator[Mistake]:
    for with_slope in (True, False) if other != "step" else (False,):
        edits = tuple(edit for layer in layers for edit in _other(q, layer, other, with_slope))
        where = q.neurons_of(layers)
        slope = "" if with_slope else ", though σ′ is right"
        message = f"{other} is applied at {', '.join(where)}{slope}"
        change = Change("activation", layers[0], lambda u: Call(Symbol(other, other), (u,)))
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
        where = q.neurons_of(layers)
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


def softmax_over_samples(q: Problem) -> Iterator[Mistake]:
    """softmax along the wrong axis, or over everything."""
    if q.net.activations[-1] != "softmax" or q.samples == 1:
        return
    yield from _softmax_over(q, 1, "softmax is taken over the samples, not over the outputs")
    yield from _softmax_over(q, (1, 2), "softmax divides by the sum over all samples and outputs, not over the outputs")


def _softmax_over(q: Problem, axes: int | tuple[int, int], message: str) -> Iterator[Mistake]:
    def edit(p: Passes, h: Index) -> None:
        if p.at == p.q.layers:
            u = p.u[-1][h]
            e = np.exp(u - u.max(axis=axes, keepdims=True))
            p.a[-1][h] = e / e.sum(axis=axes, keepdims=True)

    def delta(p: Passes, h: Index) -> None:
        p.delta[-1][h] = p.a[-1][h] - p.y[h]

    for edits in (((Stage.FORWARD, edit), (Stage.BACKWARD, delta)), ((Stage.FORWARD, edit),)):
        change = Change("activation", q.layers, lambda u: Call(Symbol("softmax over n", "softmax over n"), (u,)))
        yield Mistake("wrong_activation", q.neurons(q.layers), message, edits, change, LOCAL, by_sample=True)
