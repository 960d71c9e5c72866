"""Mistakes with δ and with reductions over the samples: another quantity instead of δ, or a wrong reduction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from backpath.explain.diagnosis.catalogue.slopes import IN_OUTPUT
from backpath.explain.diagnosis.catalogue.uses import (
    BACK,
    BIAS,
    EVERYWHERE,
    GRADIENT,
    Values,
    changed,
    layer_words,
    places,
    used,
)
from backpath.explain.diagnosis.mistakes import LOCAL, PLAIN, RARE, Mistake
from backpath.explain.diagnosis.passes import Edit, Index, Passes, Stage, Use
from backpath.explain.diagnosis.problem import Problem
from backpath.maths.arrays import Array
from backpath.maths.costs import cost_function

_OF_THE_ERROR = ("|δ| is used", "relu(δ) is used")  # for the outputs, the mistakes of the error include these


def deltas(q: Problem) -> Iterator[Mistake]:
    """Another quantity instead of a layer's δ, everywhere or at one use."""
    for layer in q.every:
        for words, values in _quantities(q, layer):
            for place in places(q, layer):
                if layer == q.layers and place is EVERYWHERE and words in _OF_THE_ERROR:
                    continue
                if place is BIAS and words.startswith("the sum of δ"):
                    continue  # a reduction
                message = f"{words} instead of δ of layer {layer}{place.of(layer)}"
                rank = LOCAL if place in (EVERYWHERE, BACK) else RARE
                edits = (used(layer, place, values),)
                by_size = words.startswith("relu")
                yield Mistake("wrong_delta", q.neurons(layer), message, edits, rank=rank, by_size=by_size)


def _quantities(q: Problem, layer: int) -> Iterator[tuple[str, Values]]:
    yield "the output σ(u) is used", lambda p, h: p.a[layer][h]
    yield "the net input u is used", lambda p, h: p.u[layer][h]
    yield "|δ| is used", lambda p, h: np.abs(p.delta[layer][h])
    yield "relu(δ) is used", lambda p, h: p.by_size(p.delta[layer][h], h, lambda d: np.maximum(d, 0))
    if q.width(layer) > 1:
        yield "the δ of the first neuron is used", lambda p, h: _like(p.delta[layer][h, :, :1], p.delta[layer][h])
        yield "the δ of the last neuron is used", lambda p, h: _like(p.delta[layer][h, :, -1:], p.delta[layer][h])
        yield "the sum of δ over the neurons is used", lambda p, h: _over_neurons(p.delta[layer][h])
        yield "the δ of the next neuron is used", lambda p, h: np.roll(p.delta[layer][h], -1, axis=2)
        yield "the δ of the neuron before is used", lambda p, h: np.roll(p.delta[layer][h], 1, axis=2)
    if layer == q.layers:
        yield "the target is used", lambda p, h: p.y[h]
        if q.cost not in ("squared_error", "half_squared_error"):  # of those, that is a missing σ′
            yield "the error A − y is used", lambda p, h: p.a[layer][h] - p.y[h]
    for other in range(layer + 1, q.layers + 1):
        if q.width(other) in (q.width(layer), 1):
            yield f"the δ of layer {other} is used", _of_layer(other, layer)
    if layer + 1 < q.layers and q.width(layer) == q.width(layer + 1):
        words = f"the error backpropagated to layer {layer + 1}, times σ′ of layer {layer}, is used"
        yield words, lambda p, h: p.dC_da[layer + 1][h] * p.slopes[layer][h]


def _of_layer(other: int, layer: int) -> Values:
    return lambda p, h: _like(p.delta[other][h], p.u[layer][h])


def _like(values: Array, like: Array) -> Array:
    return np.broadcast_to(values, like.shape)


def _over_neurons(delta: Array) -> Array:
    return _like(delta.sum(axis=2, keepdims=True), delta)


Transform = Callable[[Array], Array]


_PARTS: tuple[tuple[tuple[Use, ...], str], ...] = (
    (("own", "bias"), ""),
    (("bias",), "the biases"),
    (("own",), "the weights"),
)


def reductions(q: Problem) -> Iterator[Mistake]:
    """Wrong reductions over the samples, in the gradients of the weights, of the biases, or of both; or before."""
    for code, words, change, rank in _over_samples(q):
        for uses, of in _PARTS if q.has_biases else _PARTS[:1]:
            yield from _by_layer(q, code, words, change, uses, of, rank)
    for words, change, layers in _only_biases(q):
        yield from _by_layer(q, "wrong_reduction", words, change, ("bias",), "the biases", LOCAL, layers)


def _by_layer(
    q: Problem,
    code: str,
    words: str,
    change: Transform,
    uses: tuple[Use, ...],
    of: str,
    rank: int,
    able: Sequence[int] = (),
) -> Iterator[Mistake]:
    """All layers with these uses together, and each of them."""
    able = able or q.every
    scopes: list[tuple[int, ...]] = [tuple(able)]
    if len(able) > 1:
        scopes += [(layer,) for layer in able]
    for layers in scopes:
        part = f"of {of}" if of else ""
        part += f" of {layer_words(layers)}" if len(layers) < q.layers else ""
        message = f"in the gradients {part.strip()}, {words}" if part else words
        where = _names(q, layers, uses) if part else ()
        edits = tuple(changed(layer, uses, change) for layer in layers)
        yield Mistake(code, where, message, edits, rank=rank + bool(part), by_sample=True)


def _names(q: Problem, layers: Sequence[int], uses: tuple[Use, ...]) -> tuple[str, ...]:
    every = (name for layer in layers for name in q.weights_of(layer))
    if len(uses) == 2:
        return tuple(every)
    return tuple(name for name in every if ("~" in name) == (uses == ("bias",)))


def _over_samples(q: Problem) -> Iterator[tuple[str, str, Transform, int]]:
    """Code, words, the change of δ before the sum over the samples, and the rank."""
    N = q.samples
    if N == 1:
        return
    for s in range(N):
        which = _which(s, N)
        rank = PLAIN if s in (0, N - 1) else LOCAL
        yield "single_sample_only", f"only {which} of the {N} samples counts", _kept(s, N, True), rank
        if N > 2:
            yield "sample_left_out", f"{which} of the {N} samples is left out", _kept(s, N, False), rank
    yield (
        "wrong_reduction",
        "gradients are not reset between the samples: each sample adds the sum so far",
        lambda d: d * np.arange(d.shape[1], 0, -1.0)[:, None],
        PLAIN,
    )
    yield "wrong_reduction", "the mean δ is multiplied by the mean input", _mean, PLAIN
    yield (
        "wrong_reduction",
        "each δ is multiplied by the input of the sample before it",
        lambda d: np.roll(d, -1, axis=1),
        LOCAL,
    )
    yield (
        "wrong_reduction",
        "each δ is multiplied by the input of the sample after it",
        lambda d: np.roll(d, 1, axis=1),
        LOCAL,
    )
    yield "wrong_reduction", "the last sample's δ is used for each", lambda d: _like(d[:, -1:], d), PLAIN
    yield "wrong_reduction", "the first sample's δ is used for each", lambda d: _like(d[:, :1], d), PLAIN


def _which(s: int, N: int) -> str:
    return "the last sample" if s == N - 1 else "the first sample" if s == 0 else f"sample {s + 1}"


def _kept(s: int, N: int, only: bool) -> Transform:
    """Only one sample, or all others; the last sample stays the last in a batch of any size."""
    sample = -1 if s == N - 1 else s

    def change(d: Array) -> Array:
        count = d.shape[1]
        mask = np.full((count, 1), 0.0 if only else 1.0)
        mask[sample if sample < count else count - 1] = float(only)
        return d * mask

    return change


def _mean(d: Array) -> Array:
    return _like(d.mean(axis=1, keepdims=True), d)


def _only_biases(q: Problem) -> Iterator[tuple[str, Transform, Sequence[int]]]:
    wide = [layer for layer in q.every if q.width(layer) > 1]
    if wide:
        yield "the sum goes over all neurons too, as np.sum without an axis does", _over_neurons, wide
        words = "the mean goes over all neurons too, as np.mean without an axis does"
        yield words, lambda d: _like(d.mean(axis=2, keepdims=True), d), wide
    if q.samples > 1:
        yield (
            "the maximum over the samples is used instead of the sum",
            lambda d: _like(d.max(axis=1, keepdims=True), d),
            q.every,
        )


def left_out(q: Problem) -> Iterator[Mistake]:
    """A neuron without a gradient, or without a backward pass through it."""
    for layer in q.every:
        for j, name in enumerate(q.neurons(layer)) if q.width(layer) > 1 else ():
            last = j in (0, q.width(layer) - 1)
            for place in places(q, layer):
                if place is BACK:
                    continue
                what = "gets no gradient" if place is EVERYWHERE else f"has a δ of 0{place.of(layer)}"
                message = f"{name} {what}"
                rank = (LOCAL if last else RARE) if place in (EVERYWHERE, GRADIENT) else RARE
                edits = (used(layer, place, _nought, slice(j, j + 1)),)
                yield Mistake("neuron_left_out", (name,), message, edits, rank=rank)


def _nought(p: Passes, h: Index) -> Array:
    return np.zeros_like(p.delta[p.at][h])


def rounding(q: Problem) -> Iterator[Mistake]:
    """Numbers rounded during the computation, with σ′ from the rounded numbers or from u."""
    for decimals in range(1, 5):
        yield from _rounded(q, f"to {_decimals(decimals)}", _round_to(decimals))
    yield from _rounded(q, "to integers", _round_to(0))
    yield from _rounded(q, "to half precision", lambda a: a.astype(np.float16).astype(float))


def _decimals(count: int) -> str:
    return f"{count} decimal" if count == 1 else f"{count} decimals"


def _round_to(decimals: int) -> Transform:
    return lambda a: np.round(a, decimals)


def _rounded(q: Problem, how: str, change: Transform) -> Iterator[Mistake]:
    def outputs(p: Passes, h: Index) -> None:
        p.a[p.at][h] = change(p.a[p.at][h])

    def through(p: Passes, h: Index) -> None:
        p.changed_error[h] = True

    def difference(p: Passes, h: Index) -> None:
        p.delta[-1][h] = p.a[-1][h] - p.y[h]

    message = f"the neurons' outputs are rounded {how}"
    kinds: list[tuple[Edit, ...]] = [((Stage.ERROR, through),)]
    if set(q.net.activations) & set(IN_OUTPUT):
        kinds.append(((Stage.BACKWARD, _slopes_of_outputs),))
    if cost_function(q.cost).delta is not None:
        kinds.append(((Stage.BACKWARD, difference),))
    for edits in kinds:
        yield Mistake("rounded_on_the_way", (), message, ((Stage.FORWARD, outputs), *edits), rank=LOCAL)


def _slopes_of_outputs(p: Passes, h: Index) -> None:
    """σ′ from the rounded outputs σ(u)."""
    for k, name in enumerate(p.q.net.activations, 1):
        if name in IN_OUTPUT:
            slope = IN_OUTPUT[name][0](p.a[k][h])
            if k < p.q.layers:
                p.slopes[k][h] = slope
            else:
                p.delta[k][h] = p.dC_da[k][h] * slope


def rounded_deltas(q: Problem) -> Iterator[Mistake]:
    for decimals in range(1, 5):

        def edit(p: Passes, h: Index, decimals: int = decimals) -> None:
            p.delta[p.at][h] = p.by_size(p.delta[p.at][h], h, lambda d: np.round(d, decimals))

        message = f"δ is rounded to {_decimals(decimals)}"
        yield Mistake("rounded_on_the_way", (), message, ((Stage.DELTA, edit),), rank=LOCAL, by_size=True)
