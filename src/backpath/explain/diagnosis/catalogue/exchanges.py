"""Swapped weights: two exchanged, or a whole matrix transposed."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace

from backpath.explain.diagnosis.catalogue.way_back import flipped
from backpath.explain.diagnosis.mistakes import LOCAL, RARE, Mistake
from backpath.explain.diagnosis.passes import Index, Passes, Stage
from backpath.explain.diagnosis.problem import Problem
from backpath.maths.arrays import Array
from backpath.maths.notation import weight_index, weight_name

WeightPlace = tuple[int, int, int]  # layer, row and column of a weight

_MOST_SWAPS = 4000  # pairs of weights to try; in larger networks only those that people are likely to exchange
_SWAPS_IN_PAIRS = 13  # weights; in larger networks, exchanges are not combined with another mistake


def exchanges(q: Problem) -> Iterator[Mistake]:
    yield from _transposed(q)
    yield from _swaps(q)


def _transposed(q: Problem) -> Iterator[Mistake]:
    """A layer's weight matrix transposed in the sums, or its gradient transposed."""
    for layer in q.every:
        rows, columns = q.width(layer), q.width(layer - 1)
        if 1 in (rows, columns):
            continue
        square = rows == columns
        where = tuple(name for name in q.weights_of(layer) if "~" not in name)
        what = "transposed" if square else "reshaped where it should be transposed"

        def whole(p: Passes, h: Index, layer: int = layer) -> None:
            p.W[layer][h, :, :-1] = flipped(p.W[layer][h, :, :-1])

        def sums(p: Passes, h: Index, layer: int = layer) -> None:
            p.U[layer][h, :, :-1] = flipped(p.W[layer][h, :, :-1])

        def gradient(p: Passes, h: Index, layer: int = layer) -> None:
            p.G[layer][h, :, :-1] = flipped(p.G[layer][h, :, :-1])

        for edits, place in (
            (((Stage.SUMS, sums),), "in the forward pass"),
            (((Stage.START, whole),), "in both passes"),
            (((Stage.GRADIENTS, gradient),), "in its gradient"),
        ):
            message = f"the weight matrix of layer {layer} is {what} {place}"
            yield Mistake("transposed_weights", where, message, edits)


def _swaps(q: Problem) -> Iterator[Mistake]:
    """Two weights exchanged in the whole pass, or their two figures exchanged."""
    places = [
        (layer, j, i)
        for layer in q.every
        for j in range(q.width(layer))
        for i in range(q.width(layer - 1) + 1)
    ]  # fmt: skip
    pairs: Iterator[tuple[WeightPlace, WeightPlace]] = itertools.combinations(places, 2)
    if len(places) * (len(places) - 1) // 2 > _MOST_SWAPS:
        pairs = (pair for place in places for pair in _likely(q, place))
    for one, other in pairs:
        names = tuple(_name(q, place) for place in (one, other))
        rank = RARE if len(places) > _SWAPS_IN_PAIRS else LOCAL
        whole = ((Stage.START, _exchange(one, other)),)
        message = f"{names[0]} and {names[1]} are exchanged"
        yield Mistake("weights_swapped", names, message, whole, rank=rank)
        yield replace(exchanged_gradients(q, *names), rank=rank)


def exchanged_gradients(q: Problem, one: str, other: str) -> Mistake:
    """The gradients of two weights exchanged."""
    places = [_place(q, name) for name in (one, other)]
    message = f"the gradients of {one} and {other} are exchanged"
    edit = (Stage.GRADIENTS, _exchange_gradients(*places))
    return Mistake("weights_swapped", (one, other), message, (edit,), rank=RARE)


def _place(q: Problem, name: str) -> WeightPlace:
    layer, j, i = weight_index(name, q.net.sizes)
    return layer, j - 1, q.width(layer - 1) if i is None else i - 1


def _likely(q: Problem, one: WeightPlace) -> Iterator[tuple[WeightPlace, WeightPlace]]:
    """Pairs of a weight with the one beside it, the one below it, and the one with swapped indices."""
    layer, j, i = one
    rows, columns = q.width(layer), q.width(layer - 1) + 1
    others = {(j, i + 1), (j + 1, i), *([(i, j)] if i > j else [])}
    yield from ((one, (layer, *other)) for other in sorted(others) if other[0] < rows and other[1] < columns)


def _name(q: Problem, place: WeightPlace) -> str:
    layer, j, i = place
    return weight_name(layer, j + 1, None if i == q.width(layer - 1) else i + 1)


def _exchange(one: WeightPlace, other: WeightPlace) -> Callable[[Passes, Index], None]:
    return lambda p, h: _exchanged(p.W, h, one, other)


def _exchange_gradients(one: WeightPlace, other: WeightPlace) -> Callable[[Passes, Index], None]:
    return lambda p, h: _exchanged(p.G, h, one, other)


def _exchanged(arrays: list[Array], h: Index, one: WeightPlace, other: WeightPlace) -> None:
    (k, *place), (m, *place_2) = one, other
    first, second = arrays[k][h, place[0], place[1]], arrays[m][h, place_2[0], place_2[1]]
    arrays[k][h, place[0], place[1]], arrays[m][h, place_2[0], place_2[1]] = second, first
