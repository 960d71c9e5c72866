"""Mistakes in the forward pass, and in the quantity that a weight multiplies."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

from backpath.explain import symbols as sy
from backpath.explain.diagnosis.catalogue.uses import layer_words
from backpath.explain.diagnosis.catalogue.wrong_activations import activation_mistakes
from backpath.explain.diagnosis.mistakes import LOCAL, PLAIN, RARE, Change, Mistake
from backpath.explain.diagnosis.passes import Edit, Index, Passes, Stage
from backpath.explain.diagnosis.problem import Problem
from backpath.explain.expression import Number

_COMMON = 8  # inputs; with more, an omitted input is not combined with another mistake
_FEW_WEIGHTS = 50  # with more, an input omitted from one neuron's sum is not combined with another mistake
_FEW_NEURONS = 60  # with more, inputs omitted from one neuron's sum are not tried


def forward_mistakes(q: Problem) -> Iterator[Mistake]:
    yield from activation_mistakes(q)
    yield from _missing_inputs(q)
    yield from _missing_factors(q)
    yield from _columns(q)
    yield from _bias_signs(q)
    yield from _bias_not_updated(q)


def _missing_inputs(q: Problem) -> Iterator[Mistake]:
    """An input, a hidden neuron or the bias left out of the sums of a layer, or of one neuron's sum."""
    for layer in q.every:
        names = [*q.neurons(layer - 1), "the bias"]
        is_single = 1 < q.width(layer) <= _FEW_NEURONS // len(names)
        for i, name in enumerate(names):
            yield from _left_out(q, layer, i, name, None)
            for j in range(q.width(layer)) if is_single else ():
                yield from _left_out(q, layer, i, name, j)
    if q.has_biases:
        yield from _no_biases(q)


def _no_biases(q: Problem) -> Iterator[Mistake]:
    of_all = [tuple(e for k in q.every for e in _without(q, k, q.width(k - 1), None, kept)) for kept in (True, False)]
    if q.layers > 1:
        yield Mistake("missing_input", (), "the bias is left out of every weighted sum", of_all[0])
    message = "the network has no biases: they are left out of every weighted sum, and have no gradient"
    yield Mistake("no_biases", (), message, of_all[1], convention=True, is_right=True)


def _left_out(q: Problem, layer: int, i: int, name: str, j: int | None) -> Iterator[Mistake]:
    """``i``: the input, the last for the bias; ``j``: the neuron whose sum lacks it, None for all of the layer."""
    is_bias = i == q.width(layer - 1)
    neurons, biases = q.neurons(layer), q.biases(layer)
    if j is not None:
        neurons, biases = neurons[j : j + 1], biases[j : j + 1]
    where = biases if is_bias else (name,)
    message = f"{name} is left out of the weighted sum of {', '.join(neurons)}"
    change = Change("sum", layer, terms={None if is_bias else i + 1: None}, neuron=(j or 0) + 1)
    rank = LOCAL if _is_likely(q, layer, j) else RARE
    for kept in (True, False):
        yield Mistake("missing_input", where, message, _without(q, layer, i, j, kept), change, rank)
    if j is None and layer > 1 and not is_bias:
        edits = (*_without(q, layer, i, j, False), (Stage.WAY_BACK, _no_path(layer, i)))
        yield Mistake("missing_input", where, message, edits, change, rank)


def _is_likely(q: Problem, layer: int, j: int | None) -> bool:
    return q.width(layer - 1) <= _COMMON and (j is None or q.ends[-1] <= _FEW_WEIGHTS)


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
        factor, are = ("factor", "is") if q.width(layer - 1) == 1 else ("factors", "are")
        message = f"the {factor} {', '.join(q.neurons(layer - 1))} {are} missing from the gradients of layer {layer}"
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
    for layers in q.all_and_each:
        where = q.biases_of(layers)
        for sums, gradient, what in (
            (True, True, "everywhere in"),
            (True, False, "in the weighted sums of"),
            (False, True, "in the gradients of"),
        ):
            edits: list[Edit] = []
            for layer in layers:
                edits += [(Stage.SUMS, _minus_sum(layer))] if sums else []
                edits += [(Stage.BACKWARD, _minus_factor(layer))] if gradient else []
            message = f"the bias neuron's 1 is taken as -1 {what} {layer_words(layers)}"
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
    for layers in q.all_and_each:
        where = q.biases_of(layers)
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
