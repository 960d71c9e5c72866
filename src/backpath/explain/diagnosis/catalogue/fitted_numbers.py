"""Mistakes with a fitted number: a misread input, weight or target, or a learning rate."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from backpath.explain.diagnosis.catalogue.way_back import UPDATED_WEIGHT, path_weights, updated_message
from backpath.explain.diagnosis.mistakes import LOCAL, PLAIN, RARE, Change, Family, FloatOrArray, at
from backpath.explain.diagnosis.passes import Edit, Index, Passes, Stage
from backpath.explain.diagnosis.problem import Problem
from backpath.explain.digits import shown
from backpath.explain.expression import Number
from backpath.maths.notation import weight_name

_FEW_WEIGHTS = 100  # in larger networks, not every weight is tried
_FEW_INPUTS = 8  # with more inputs, the other inputs' values are not starts
_RATES = (0.001, 0.01, 0.05, 0.1, 0.3, 0.5, 1.0, 3.0)
_SPREAD = (-3.0, -2.0, -1.5, -1.0, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)


def families(q: Problem, hints: Sequence[float] = ()) -> Iterator[Family]:
    """All families; ``hints`` are possible misread values of inputs."""
    yield from _inputs(q, hints)
    yield from _factors(q)
    yield from _way_back(q)
    yield from rates(q)
    yield from _weights(q)
    yield from _targets(q)


def rates(q: Problem) -> Iterator[Family]:
    """The weights above already updated, with an unknown learning rate."""
    if q.learning_rate is None and q.hidden:
        for summed in (False, True) if q.samples > 1 else (False,):
            yield _updated(q, summed)


def _updated(q: Problem, summed: bool) -> Family:
    layers = tuple(q.every[1:])

    def edits(rate: FloatOrArray) -> tuple[Edit, ...]:
        def edit(p: Passes, h: Index) -> None:
            p.updated[h] = np.broadcast_to(rate * (p.q.samples if summed else 1), (q.layers + 1, len(h))).T

        return ((Stage.START, edit),)

    def message(rate: float) -> str:
        return updated_message(layers, rate, summed)

    return Family(
        "updated_weights_used", path_weights(q, layers), edits, message, _RATES, 0.0, lambda rate: UPDATED_WEIGHT
    )


def _starts(*right: float, others: Sequence[float] = ()) -> tuple[float, ...]:
    """Numbers around 0, and usual misreadings of a number."""
    slips = {slip for v in right for slip in (-v, 10 * v, v / 10, v + 1, v - 1, v + 0.1, v - 0.1, round(v, 1))}
    return tuple(sorted({*_SPREAD, *slips, *others} - set(right)))


def _sample(q: Problem, s: int) -> str:
    return f" of sample {s + 1}" if q.samples > 1 else ""


def _inputs(q: Problem, hints: Sequence[float]) -> Iterator[Family]:
    """An input, or the output of a hidden neuron, misread in the whole pass."""
    for layer in range(q.layers):
        for s in range(q.samples):
            for j, name in enumerate(q.neurons(layer)):
                yield _input(q, layer, s, j, name, hints)


def _input(q: Problem, layer: int, s: int, j: int, name: str, hints: Sequence[float]) -> Family:
    own = float(q.X[s, j]) if layer == 0 else math.nan

    def edits(value: FloatOrArray) -> tuple[Edit, ...]:
        def start(p: Passes, h: Index) -> None:
            p.X[h, s, j] = value

        def forward(p: Passes, h: Index) -> None:
            p.a[layer][h, s, j] = value

        return ((Stage.START, start),) if layer == 0 else ((Stage.FORWARD, at(layer, forward)),)

    def message(value: float) -> str:
        was = f", not as {shown(own)}" if layer == 0 else ""
        return f"{name}{_sample(q, s)} is read as {shown(value)}{was}, in the whole pass"

    def change(value: float) -> Change:
        return Change("sum", layer + 1, terms={j + 1: Number(shown(value))})

    others = {float(x) for x in q.X[s]} if layer == 0 and q.width(0) <= _FEW_INPUTS else set()
    starts = tuple(sorted({*_starts(own), *hints, *others} - {own})) if layer == 0 else _starts(0.0)
    return Family("wrong_input", (name,), edits, message, starts, own, change, PLAIN if layer == 0 else LOCAL)


def _factors(q: Problem) -> Iterator[Family]:
    """An input or a neuron's output misread only as a factor of the gradient: of all its weights, or of one."""
    for layer in q.every:
        for s in range(q.samples):
            for i, name in enumerate(q.neurons(layer - 1)):
                yield _factor(q, layer, s, i, name, None)
                for j in range(q.width(layer)) if q.width(layer) > 1 else ():
                    yield _factor(q, layer, s, i, name, j)


def _factor(q: Problem, layer: int, s: int, i: int, name: str, j: int | None) -> Family:
    rows = slice(None) if j is None else slice(j, j + 1)
    weight = weight_name(layer, 1 if j is None else j + 1, i + 1)

    def edits(value: FloatOrArray) -> tuple[Edit, ...]:
        def edit(p: Passes, h: Index) -> None:
            wrong = (value - p.F[layer][h, s, i]) * p.share[h, s] / q.samples
            p.G[layer][h, rows, i] += p.delta[layer][h, s, rows] * wrong[:, None]

        return ((Stage.GRADIENTS, edit),)

    def message(value: float) -> str:
        to = "" if j is None else f" of {weight}"
        return f"as a factor of the gradient{to}, {name}{_sample(q, s)} is read as {shown(value)}"

    def change(value: float) -> Change:
        return Change("input", layer, lambda name: Number(shown(value)))

    where = (name,) if j is None else (name, weight)
    touched = frozenset(weight_name(layer, k, i + 1) for k in range(1, q.width(layer) + 1)) if j is None else {weight}
    rank = PLAIN if j is None else RARE
    outputs = q.outputs[layer - 1][s]
    likely = _starts(float(outputs[i]), others=outputs[:_FEW_INPUTS].tolist())
    touches = frozenset(touched)
    return Family("wrong_input", where, edits, message, (0.0, 1.0), math.nan, change, rank, touches, likely)


def _way_back(q: Problem) -> Iterator[Family]:
    """A weight in the backward pass that is not in the network."""
    for layer in q.every[1:]:
        if q.width(layer) * q.width(layer - 1) > _FEW_WEIGHTS:
            continue
        for k in range(q.width(layer)):
            for j in range(q.width(layer - 1)):
                yield _path_weight(q, layer, k, j)


def _path_weight(q: Problem, layer: int, k: int, j: int) -> Family:
    name, own = weight_name(layer, k + 1, j + 1), float(q.net.weights[layer - 1][k, j])

    def edits(value: FloatOrArray) -> tuple[Edit, ...]:
        def edit(p: Passes, h: Index) -> None:
            if p.at == layer:
                p.P[h, k, j] = value

        return ((Stage.WAY_BACK, edit),)

    def message(value: float) -> str:
        return f"in the backward pass {name} is taken as {shown(value)}, not as {shown(own)}"

    def change(value: float) -> Change:
        return Change("weight", layer, lambda layer, k, j: Number(shown(value)))

    return Family("wrong_path_weight", (name,), edits, message, _starts(own), own, change, RARE)


def _weights(q: Problem) -> Iterator[Family]:
    """A weight misread in the whole pass."""
    if q.ends[-1] > _FEW_WEIGHTS:
        return
    for layer in q.every:
        for j in range(q.width(layer)):
            for i in range(q.width(layer - 1) + 1):
                yield _weight(q, layer, j, i)


def _weight(q: Problem, layer: int, j: int, i: int) -> Family:
    name = weight_name(layer, j + 1, i + 1 if i < q.width(layer - 1) else None)
    own = float(q.net.weights[layer - 1][j, i])

    def edits(value: FloatOrArray) -> tuple[Edit, ...]:
        def edit(p: Passes, h: Index) -> None:
            p.W[layer][h, j, i] = value

        return ((Stage.START, edit),)

    def message(value: float) -> str:
        return f"{name} is read as {shown(value)}, not as {shown(own)}"

    return Family("wrong_weight", (name,), edits, message, _starts(own), own, rank=LOCAL)


def _targets(q: Problem) -> Iterator[Family]:
    for s in range(q.samples):
        for k in range(q.width(q.layers)):
            yield _target(q, s, k)


def _target(q: Problem, s: int, k: int) -> Family:
    name, own = "y" if q.width(q.layers) == 1 else f"y{k + 1}", float(q.y[s, k])

    def edits(value: FloatOrArray) -> tuple[Edit, ...]:
        def edit(p: Passes, h: Index) -> None:
            p.y[h, s, k] = value

        return ((Stage.START, edit),)

    def message(value: float) -> str:
        return f"{name}{_sample(q, s)} is read as {shown(value)}, not as {shown(own)}"

    return Family("wrong_target", (name,), edits, message, (own - 1, own + 1), own, rank=LOCAL)
