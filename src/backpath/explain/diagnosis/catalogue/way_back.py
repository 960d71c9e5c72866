"""Mistakes in the weights of the backward pass: W in δ_H = δ_A × W × σ′(u_H)."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from backpath.explain import symbols as sy
from backpath.explain.diagnosis.catalogue.uses import layer_words
from backpath.explain.diagnosis.mistakes import LOCAL, PLAIN, RARE, Change, Mistake
from backpath.explain.diagnosis.passes import Edit, Index, Passes, Stage
from backpath.explain.diagnosis.problem import Problem
from backpath.explain.expression import Expression, Partial, Product, minus
from backpath.maths.arrays import Array
from backpath.maths.notation import weight_name

WeightsUsed = Callable[[Array], Array]  # W of a layer in some passes, with its bias column -> the weights used instead
_MANY = 400  # pairs; confusions of single weights are tried only in networks with fewer pairs
_COMMON = 8  # neurons; in larger layers, confused neurons are not combined with another mistake


def ways_back(q: Problem) -> Iterator[Mistake]:
    """All mistakes in a layer's weights in the backward pass."""
    yield from _missing(q)
    yield from _transposed(q)
    for layer in q.every[1:]:
        yield from _columns(q, layer)
        yield from _rows(q, layer)
        yield from _other_layer(q, layer)
        yield from _single(q, layer)
        yield from _left_out(q, layer)
        yield from _shares(q, layer)
    yield from _updated(q)


def _used(layer: int, matrix: WeightsUsed) -> Edit:
    def edit(p: Passes, h: Index) -> None:
        if p.at == layer:
            p.P[h] = matrix(p.then[h])

    return Stage.WAY_BACK, edit


def _missing(q: Problem) -> Iterator[Mistake]:
    layers = list(q.every[1:])
    for chosen in ([layers] if len(layers) > 1 else []) + [[layer] for layer in layers]:
        where = tuple(name for layer in chosen for name in _path_weights(q, layer))
        message = f"the weights of {layer_words(chosen)} are missing from the backward pass"
        edits = tuple(_used(layer, lambda W: np.ones_like(W[..., :-1])) for layer in chosen)
        rank = PLAIN if len(chosen) == len(layers) else LOCAL
        yield Mistake("missing_path_weight", where, message, edits, Change("weight", max(chosen)), rank)


def _path_weights(q: Problem, layer: int) -> tuple[str, ...]:
    return tuple(name for name in q.weights_of(layer) if "~" not in name)


def _transposed(q: Problem) -> Iterator[Mistake]:
    for layer in q.every[1:]:
        rows, columns = q.width(layer), q.width(layer - 1)
        if 1 in (rows, columns):
            continue
        what = "is transposed" if rows == columns else "is reshaped where it should be transposed"
        edit = _used(layer, lambda W: flipped(W[..., :-1]))
        change = Change("weight", layer, _weight(lambda layer, k, j: (j, k)) if rows == columns else None)
        message = f"the weight matrix of layer {layer} {what} in the backward pass"
        yield Mistake("transposed_weights", _path_weights(q, layer), message, (edit,), change)


def flipped(W: Array) -> Array:
    """The transposes; for matrices that are not square, the transposes reshaped to the matrices' own shape."""
    passes, rows, columns = W.shape
    return W.reshape(passes, columns, rows).swapaxes(1, 2).copy() if rows != columns else W.swapaxes(1, 2).copy()


def _weight(place: Callable[[int, int, int], tuple[int, int | None]]) -> Callable[[int, int, int], Expression]:
    """The symbol of the weight that is used instead of the one from neuron j to neuron k."""

    def claimed(layer: int, k: int, j: int) -> Expression:
        to, source = place(layer, k, j)
        return sy.weight(weight_name(layer, to, source))

    return claimed


def _columns(q: Problem, layer: int) -> Iterator[Mistake]:
    """A hidden neuron's weights confused with another's, or with the biases; or all columns shifted by one."""
    n = q.width(layer - 1)
    moved = {"shifted one to the right": [-1, *range(n - 1)], "shifted one to the left": [*range(1, n), -1]}
    if n > 1:
        moved |= {"rotated to the left": [*range(1, n), 0], "rotated to the right": [n - 1, *range(n - 1)]}
        moved |= {"in reverse order": list(range(n - 1, -1, -1))}
    for what, order in moved.items():
        message = f"in the backward pass the columns of layer {layer}'s weights are {what}"
        edit = _used(layer, _picked(order))
        change = Change("weight", layer, _weight(_source(order)))
        yield Mistake("wrong_path_weight", _path_weights(q, layer), message, (edit,), change, LOCAL)
    for j in range(n):
        for other in [*(k for k in range(n) if k != j), -1]:
            order = [*range(j), other, *range(j + 1, n)]
            yield _taken(q, layer, j, order, rank=RARE if n > _COMMON else LOCAL)
        for other in range(j + 1, n):
            order = list(range(n))
            order[j], order[other] = other, j
            yield _taken(q, layer, j, order, rank=RARE if n > _COMMON else LOCAL)


def _picked(order: list[int]) -> WeightsUsed:
    return lambda W: W[..., order]


def _source(order: list[int]) -> Callable[[int, int, int], tuple[int, int | None]]:
    return lambda layer, k, j: (k, None if order[j - 1] == -1 else order[j - 1] + 1)


def _taken(q: Problem, layer: int, j: int, order: list[int], rank: int) -> Mistake:
    """Neuron j's paths with the weights of another neuron; perhaps also the other's paths with neuron j's weights."""
    moved = [i for i in range(len(order)) if order[i] != i]
    used, own = _source(order)(layer, 1, j + 1)[1], weight_name(layer, 1, j + 1)
    other = weight_name(layer, 1, used)
    what = f"{other} is used instead of {own}" if len(moved) == 1 else f"{own} and {other} are exchanged"
    message = f"in the backward pass to {' and '.join(q.neuron(layer - 1, i + 1) for i in moved)}, {what}"
    if q.width(layer) > 1:
        message += ", and likewise for the other outputs of that layer"
    where = tuple(weight_name(layer, k, i + 1) for i in moved for k in range(1, q.width(layer) + 1))
    change = Change("weight", layer, _weight(_source(order)))
    return Mistake("wrong_path_weight", where, message, (_used(layer, _picked(order)),), change, rank)


def _rows(q: Problem, layer: int) -> Iterator[Mistake]:
    """The weights to one neuron confused with those to another."""
    m = q.width(layer)
    orders: set[tuple[int, ...]] = {(*range(1, m), 0), (m - 1, *range(m - 1)), tuple(range(m - 1, -1, -1))}
    for k in range(m):
        for other in range(k + 1, m):
            order = list(range(m))
            order[k], order[other] = other, k
            orders.add(tuple(order))
            orders |= {(*range(k), other, *range(k + 1, m)), (*range(other), k, *range(other + 1, m))}
    for chosen in sorted(orders - {tuple(range(m))}):
        names = ", ".join(
            f"{q.neuron(layer, o + 1)}'s for {q.neuron(layer, k + 1)}" for k, o in enumerate(chosen) if k != o
        )
        message = f"in the backward pass the weights to another neuron are used: {names}"
        edit = _used(layer, lambda W, rows=list(chosen): W[:, rows, :-1])  # type: ignore[misc]  # bound now
        change = Change("weight", layer, _weight(lambda layer, k, j, rows=chosen: (rows[k - 1] + 1, j)))  # type: ignore[misc]
        yield Mistake(
            "wrong_path_weight", _path_weights(q, layer), message, (edit,), change, RARE if m > _COMMON else LOCAL
        )


def _other_layer(q: Problem, layer: int) -> Iterator[Mistake]:
    """The weights with the same indices, but from the layer before."""
    rows, columns = q.width(layer), q.width(layer - 1)
    if q.width(layer - 1) < rows or q.width(layer - 2) < columns:
        return

    def edit(p: Passes, h: Index) -> None:
        if p.at == layer:
            p.P[h] = p.W[layer - 1][h, :rows, :columns]

    message = f"in the backward pass the weights of layer {layer - 1} are used instead of those of layer {layer}"
    change = Change("weight", layer, lambda layer, k, j: sy.weight(weight_name(layer - 1, k, j)))
    yield Mistake("wrong_path_weight", _path_weights(q, layer), message, ((Stage.WAY_BACK, edit),), change, LOCAL)


def _single(q: Problem, layer: int) -> Iterator[Mistake]:
    """One weight missing, all weights to one neuron missing, or one weight confused with another of its layer."""
    rows, columns = q.width(layer), q.width(layer - 1)
    for j in range(columns if rows * columns > 1 else 0):
        yield from _missing_from(q, layer, j)
    if rows == 1 or (rows * columns) ** 2 > _MANY:
        return
    places, sources = (itertools.product(range(rows), inputs) for inputs in (range(columns), [*range(columns), -1]))
    for place, source in itertools.product(places, sources):
        if place != source:
            yield _replaced(layer, place, source)


def _missing_from(q: Problem, layer: int, j: int) -> Iterator[Mistake]:
    """The weights of one neuron of the layer before: all, and each."""
    rows, columns = q.width(layer), q.width(layer - 1)
    names = tuple(weight_name(layer, k + 1, j + 1) for k in range(rows))
    message = f"{', '.join(names)} {'is' if rows == 1 else 'are'} missing from the backward pass"
    rank = LOCAL if columns <= _COMMON else RARE
    edit = _used(layer, _ones(list(range(rows)), j))
    yield Mistake("missing_path_weight", names, message, (edit,), Change("weight", layer), rank)
    for k in range(rows if rows > 1 else 0):
        edit, message = _used(layer, _ones([k], j)), f"{names[k]} is missing from the backward pass"
        yield Mistake("missing_path_weight", (names[k],), message, (edit,), rank=RARE)


def _ones(rows: list[int], column: int) -> WeightsUsed:
    def matrix(W: Array) -> Array:
        used = W[..., :-1].copy()
        used[:, rows, column] = 1.0
        return used

    return matrix


def _replaced(layer: int, place: tuple[int, int], other: tuple[int, int]) -> Mistake:
    def matrix(W: Array) -> Array:
        used = W[..., :-1].copy()
        used[:, place[0], place[1]] = W[:, other[0], other[1]]
        return used

    own = weight_name(layer, place[0] + 1, place[1] + 1)
    name = weight_name(layer, other[0] + 1, None if other[1] == -1 else other[1] + 1)
    message = f"in the backward pass {name} is used instead of {own}"
    return Mistake("wrong_path_weight", (own,), message, (_used(layer, matrix),), rank=RARE)


def _left_out(q: Problem, layer: int) -> Iterator[Mistake]:
    """Only one of several paths is counted, or one is left out."""
    rows = q.width(layer)
    if rows == 1:
        return
    for k, name in enumerate(q.neurons(layer)):
        only = [other for other in range(rows) if other != k]
        message = f"in the backward pass to layer {layer - 1} only the path through {name} is counted"
        yield Mistake("missing_path", (name,), message, (_used(layer, _without(only)),), rank=LOCAL)
        if rows > 2:
            message = f"in the backward pass to layer {layer - 1} the path through {name} is left out"
            yield Mistake("missing_path", (name,), message, (_used(layer, _without([k])),), rank=LOCAL)


def _without(rows: list[int]) -> WeightsUsed:
    def matrix(W: Array) -> Array:
        used = W[..., :-1].copy()
        used[:, rows] = 0.0
        return used

    return matrix


def _shares(q: Problem, layer: int) -> Iterator[Mistake]:
    """The error divided in proportion to the weights."""
    if q.width(layer - 1) > 1:
        edit = _used(layer, lambda W: W[..., :-1] / W[..., :-1].sum(axis=-1, keepdims=True))
        message = (
            f"in the backward pass each weight of layer {layer} is divided by the sum of the weights to its neuron"
        )
        yield Mistake("wrong_path_weight", _path_weights(q, layer), message, (edit,), rank=LOCAL)


def _updated(q: Problem) -> Iterator[Mistake]:
    """Weights that are already updated when the gradients of the layer before them are computed, with the gradient
    unchanged, or changed by a convention: summed, halved, doubled."""
    if q.learning_rate is None:
        return
    layers = list(q.every[1:])
    for chosen in ([layers] if len(layers) > 1 else []) + [[layer] for layer in layers]:
        for summed in (False, True) if q.samples > 1 else (False,):
            for times in (1.0, 0.5, 2.0):
                yield _updated_used(q, times, summed, tuple(chosen))


def _updated_used(q: Problem, times: float, summed: bool, layers: tuple[int, ...]) -> Mistake:
    def edit(p: Passes, h: Index) -> None:
        rate = (p.q.learning_rate or 0.0) * times * (p.q.samples if summed else 1)
        p.updated[np.ix_(h, np.array(layers))] = rate

    message = updated_message(layers, (q.learning_rate or 0.0) * times, summed)
    change = UPDATED_WEIGHT if len(layers) > 1 else replace(UPDATED_WEIGHT, layer=layers[0])
    rank = PLAIN if len(layers) == q.layers - 1 and times == 1 else LOCAL
    where = path_weights(q, layers)
    return Mistake(
        "updated_weights_used", where, message, ((Stage.START, edit),), change, rank, coupled=True, by_sample=summed
    )


def path_weights(q: Problem, layers: Sequence[int]) -> tuple[str, ...]:
    return tuple(name for layer in layers for name in _path_weights(q, layer))


def updated_message(layers: Sequence[int], rate: float, summed: bool) -> str:
    of = " and the summed gradient" if summed else ""
    return (
        f"in the backward pass the weights of {layer_words(layers)} are already the updated ones (η = {rate:.4g}{of})"
    )


def _updated_weight(layer: int, k: int, j: int) -> Expression:
    W = sy.weight(weight_name(layer, k, j))
    return minus(W, Product((sy.ETA, Partial(sy.C, W))))


UPDATED_WEIGHT = Change("weight", None, _updated_weight)
