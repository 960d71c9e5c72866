"""Mistakes with a number in them that nobody told: a misread input, weight or target, an unexplained constant."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from backpath.explain.diagnosis.mistakes import LOCAL, PLAIN, RARE, Change, Family, Mistake, Numbers
from backpath.explain.diagnosis.passes import Edit, Index, Passes, Stage
from backpath.explain.diagnosis.problem import Problem
from backpath.explain.diagnosis.scales import times
from backpath.explain.diagnosis.way_back import updated_used
from backpath.explain.digits import shown
from backpath.explain.expression import Number
from backpath.maths.notation import weight_name

_FEW_WEIGHTS = 100  # up to which every weight is tried to be misread
_FEW_INPUTS = 8  # up to which another input's value is a start too
_SPREAD = (-3.0, -2.0, -1.5, -1.0, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0)


def families(q: Problem, hints: Sequence[float] = ()) -> Iterator[Family]:
    """All families; ``hints`` are numbers that an input may have been read as."""
    yield from _inputs(q, hints)
    yield from _factors(q)
    yield from _way_back(q)
    if q.learning_rate is None and q.hidden:
        rates = (0.001, 0.01, 0.05, 0.1, 0.3, 0.5, 1.0, 3.0)
        yield _updated(q, rates)
    yield from _weights(q)
    yield from _targets(q)
    yield from _scaled(q)


def _updated(q: Problem, rates: tuple[float, ...]) -> Family:
    """The weights above already updated, with a learning rate that is not told."""

    def used(rate: float) -> Mistake:
        return updated_used(q, rate, tuple(q.every[1:]))

    def edits(rate: Numbers) -> tuple[Edit, ...]:
        def edit(p: Passes, h: Index) -> None:
            p.updated[h] = np.broadcast_to(rate, (q.layers + 1, len(h))).T

        return ((Stage.START, edit),)

    def message(rate: float) -> str:
        return used(rate).message

    any_rate = used(1.0)
    return Family("updated_weights_used", any_rate.where, edits, message, rates, 0.0, lambda rate: any_rate.change)


def _starts(*right: float) -> tuple[float, ...]:
    """Numbers around 0, and what a number is often misread as."""
    slips = {slip for v in right for slip in (-v, 10 * v, v / 10, v + 1, v - 1, v + 0.1, v - 0.1, round(v, 1))}
    return tuple(sorted({*_SPREAD, *slips} - set(right)))


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

    def edits(value: Numbers) -> tuple[Edit, ...]:
        def start(p: Passes, h: Index) -> None:
            if layer == 0:
                p.X[h, s, j] = value
            else:
                p.misread.append((h, layer, s, j + 1, value))

        return ((Stage.START, start),)

    def message(value: float) -> str:
        was = f", not as {shown(own)}" if layer == 0 else ""
        return f"{name}{_sample(q, s)} is read as {shown(value)}{was}, in the whole pass"

    def change(value: float) -> Change:
        return Change("sum", layer + 1, terms={j + 1: Number(shown(value))})

    others = {float(x) for x in q.X[s]} if layer == 0 and q.width(0) <= _FEW_INPUTS else set()
    starts = tuple(sorted({*_starts(own), *hints, *others} - {own})) if layer == 0 else _starts(0.0)
    return Family("wrong_input", (name,), edits, message, starts, own, change, PLAIN if layer == 0 else LOCAL)


def _factors(q: Problem) -> Iterator[Family]:
    """An input or an output of a neuron misread only where it is a factor of the gradient: of all weights that it
    goes through, or of one."""
    for layer in q.every:
        for s in range(q.samples):
            for i, name in enumerate(q.neurons(layer - 1)):
                yield _factor(q, layer, s, i, name, None)
                for j in range(q.width(layer)) if q.width(layer) > 1 else ():
                    yield _factor(q, layer, s, i, name, j)


def _factor(q: Problem, layer: int, s: int, i: int, name: str, j: int | None) -> Family:
    rows = slice(None) if j is None else slice(j, j + 1)
    weight = weight_name(layer, 1 if j is None else j + 1, i + 1)

    def edits(value: Numbers) -> tuple[Edit, ...]:
        def edit(p: Passes, h: Index) -> None:
            wrong = (value - p.F[layer][h, s, i]) * p.share[h, s] / q.samples * p.scale[h, layer]
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
    starts = (0.0, 1.0)
    return Family("wrong_input", where, edits, message, starts, math.nan, change, rank, touches=frozenset(touched))


def _way_back(q: Problem) -> Iterator[Family]:
    """A weight on the way back that is no weight of the network."""
    for layer in q.every[1:]:
        if q.width(layer) * q.width(layer - 1) > _FEW_WEIGHTS:
            continue
        for k in range(q.width(layer)):
            for j in range(q.width(layer - 1)):
                yield _path_weight(q, layer, k, j)


def _path_weight(q: Problem, layer: int, k: int, j: int) -> Family:
    name, own = weight_name(layer, k + 1, j + 1), float(q.net.weights[layer - 1][k, j])

    def edits(value: Numbers) -> tuple[Edit, ...]:
        def edit(p: Passes, h: Index) -> None:
            if p.at == layer:
                p.P[h, k, j] = value

        return ((Stage.WAY_BACK, edit),)

    def message(value: float) -> str:
        return f"on the way back {name} is taken as {shown(value)}, not as {shown(own)}"

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

    def edits(value: Numbers) -> tuple[Edit, ...]:
        def edit(p: Passes, h: Index) -> None:
            p.W[layer][h, j, i] = value

        return ((Stage.START, edit),)

    def message(value: float) -> str:
        return f"{name} is read as {shown(value)}, not as {shown(own)}"

    late = layer == q.layers and i == q.width(layer - 1)  # an output's bias changes no more than a target does
    return Family("wrong_weight", (name,), edits, message, _starts(own), own, rank=RARE, late=late)


def _targets(q: Problem) -> Iterator[Family]:
    for s in range(q.samples):
        for k in range(q.width(q.layers)):
            yield _target(q, s, k)


def _target(q: Problem, s: int, k: int) -> Family:
    name, own = "y" if q.width(q.layers) == 1 else f"y{k + 1}", float(q.y[s, k])

    def edits(value: Numbers) -> tuple[Edit, ...]:
        def edit(p: Passes, h: Index) -> None:
            p.y[h, s, k] = value

        return ((Stage.START, edit),)

    def message(value: float) -> str:
        return f"{name}{_sample(q, s)} is read as {shown(value)}, not as {shown(own)}"

    return Family("wrong_target", (name,), edits, message, (own - 1, own + 1), own, rank=RARE, late=True)


def _scaled(q: Problem) -> Iterator[Family]:
    """All gradients, those of a layer, of a neuron, or one, times an unexplained constant."""
    every = tuple(name for layer in q.every for name in q.weights_of(layer))
    yield _constant(every, "every gradient", tuple((k, slice(None), slice(None)) for k in q.every), PLAIN)
    for layer in q.every if q.layers > 1 else ():
        where = ((layer, slice(None), slice(None)),)
        yield _constant(q.weights_of(layer), f"every gradient of layer {layer}", where, PLAIN)
    for layer in q.every:
        columns = q.width(layer - 1) + 1
        for j, neuron in enumerate(q.neurons(layer)):
            names = q.weights_of(layer)[j * columns : (j + 1) * columns]
            yield _constant(names, f"every gradient of {neuron}'s weights", ((layer, j, slice(None)),), RARE)
            for i, name in enumerate(names if q.ends[-1] <= _FEW_WEIGHTS else ()):
                yield _constant((name,), f"the gradient of {name}", ((layer, j, i),), RARE)


Place = tuple[int, int | slice, int | slice]


def _constant(names: tuple[str, ...], what: str, places: tuple[Place, ...], rank: int) -> Family:
    def edits(value: Numbers) -> tuple[Edit, ...]:
        return tuple(_multiplied(place, value) for place in places)

    def message(value: float) -> str:
        return f"{what} is {shown(value)} times the right one, and nothing explains that"

    def change(value: float) -> Change:
        return Change("whole", None, times(Number(shown(value))))

    return Family("scaled", names, edits, message, (0.5, 2.0), 1.0, change, rank, True, frozenset(names))


def _multiplied(place: Place, value: Numbers) -> Edit:
    """A whole layer's gradients are multiplied before anything is done with them."""
    layer, j, i = place

    def whole(p: Passes, h: Index) -> None:
        p.scale[h, layer] *= value

    def part(p: Passes, h: Index) -> None:
        p.G[layer][h, j, i] = (p.G[layer][h, j, i].T * value).T

    return (Stage.START, whole) if j == slice(None) else (Stage.GRADIENTS, part)
