"""The weights, in the backward pass and in the whole pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from explain.mistaken import Array, Pass
from explain.mutations.table import hidden, misread, need, one_hidden, one_layer, variant, with_column


def _edit_backward(p: Pass, layers: Sequence[int], edit: Callable[[Array], Array]) -> None:
    """Layers here are those whose weights are read on the way to the layer below."""
    for layer in layers:
        p.take(("backward", layer))
        p.backward[layer].append(edit)


def _behind(p: Pass, rng: np.random.Generator, *, one: bool) -> list[int]:
    """The layers that have a hidden layer behind them, or one of several."""
    return [layer + 1 for layer in (one_hidden(p, rng) if one else hidden(p))]


def _any_behind(p: Pass, rng: np.random.Generator, wide: int = 1) -> int:
    """A layer with at least that many hidden neurons behind it."""
    layers = [layer + 1 for layer in hidden(p) if p.sizes[layer + 1] >= wide]
    need(layers)
    return int(rng.choice(layers))


@variant("missing_path_weight", "all")
def _missing_path_weight(p: Pass, rng: np.random.Generator) -> None:
    _edit_backward(p, _behind(p, rng, one=False), np.ones_like)


@variant("missing_path_weight", "one_layer")
def _missing_path_weight_of_layer(p: Pass, rng: np.random.Generator) -> None:
    _edit_backward(p, _behind(p, rng, one=True), np.ones_like)


@variant("missing_path_weight", "one_neuron")
def _missing_path_weight_of_neuron(p: Pass, rng: np.random.Generator) -> None:
    layer = _any_behind(p, rng, wide=2)
    j = int(rng.integers(p.sizes[layer]))
    _edit_backward(p, [layer], lambda W: with_column(W, j, np.ones(len(W))))


@variant("missing_path_weight", "one_path", reading=True)
def _missing_path_weight_of_path(p: Pass, rng: np.random.Generator) -> None:
    layer = _any_behind(p, rng)
    j, m = int(rng.integers(p.sizes[layer])), int(rng.integers(p.sizes[layer + 1]))
    need(p.sizes[layer + 1] > 1)

    def edit(W: Array) -> Array:
        W = W.copy()
        W[m, j] = 1
        return W

    _edit_backward(p, [layer], edit)


@variant("wrong_path_weight", "column_of_another")
def _column_of_another(p: Pass, rng: np.random.Generator) -> None:
    layer = _any_behind(p, rng, wide=2)
    j, k = rng.choice(p.sizes[layer], 2, replace=False)
    _edit_backward(p, [layer], lambda W: with_column(W, j, W[:, k]))


@variant("wrong_path_weight", "exchanged")
def _columns_exchanged(p: Pass, rng: np.random.Generator) -> None:
    layer = _any_behind(p, rng, wide=2)
    j, k = rng.choice(p.sizes[layer], 2, replace=False)
    _edit_backward(p, [layer], lambda W: with_column(with_column(W, j, W[:, k]), k, W[:, j]))


@variant("wrong_path_weight", "one_path", reading=True)
def _one_wrong_path(p: Pass, rng: np.random.Generator) -> None:
    layer = _any_behind(p, rng, wide=2)
    need(p.sizes[layer + 1] > 1)
    j, k = rng.choice(p.sizes[layer], 2, replace=False)
    m = int(rng.integers(p.sizes[layer + 1]))

    def edit(W: Array) -> Array:
        W = W.copy()
        W[m, j] = W[m, k]
        return W

    _edit_backward(p, [layer], edit)


@variant("wrong_path_weight", "off_by_one", reading=True)
def _off_by_one_column(p: Pass, rng: np.random.Generator) -> None:
    """The bias taken for the last path's weight: W[:, 1:] where W[:, :-1] is meant."""
    _edit_backward(p, _behind(p, rng, one=False), lambda W: np.roll(W, -1, axis=1))


def _turned(W: Array) -> Array:
    """Every column but the bias', read in the other order: the transpose of a square layer, a reshape of another."""
    W = W.copy()
    W[:, :-1] = W[:, :-1].reshape(W.shape[1] - 1, len(W)).T
    return W


def _square(p: Pass, layers: Sequence[int], rng: np.random.Generator) -> int:
    layers = [layer for layer in layers if p.sizes[layer] == p.sizes[layer + 1] > 1]
    need(layers)
    return int(rng.choice(layers))


@variant("transposed_weights", "backward")
def _transposed_backward(p: Pass, rng: np.random.Generator) -> None:
    _edit_backward(p, [_square(p, range(1, p.output + 1), rng)], _turned)


@variant("transposed_weights", "backward_reshaped")
def _reshaped_backward(p: Pass, rng: np.random.Generator) -> None:
    layers = [m for m in p.layers[1:] if p.sizes[m] != p.sizes[m + 1] and min(p.sizes[m : m + 2]) > 1]
    need(layers)
    _edit_backward(p, [int(rng.choice(layers))], _turned)


@variant("transposed_weights", "forward", reading=True)
def _transposed_forward(p: Pass, rng: np.random.Generator) -> None:
    layer = _square(p, p.layers, rng)
    p.take(("forward", layer))
    p.forward[layer].append(_turned)


@variant("transposed_weights", "whole_pass", reading=True)
def _transposed_in_whole_pass(p: Pass, rng: np.random.Generator) -> None:
    layer = _square(p, p.layers, rng)
    p.take(("forward", layer), ("backward", layer))
    p.weights[layer] = _turned(p.weights[layer])


@variant("transposed_weights", "gradient", reading=True)
def _transposed_gradient(p: Pass, rng: np.random.Generator) -> None:
    layer = _square(p, p.layers, rng)
    p.take(("places", layer))
    p.whole.append(lambda found: [_turned(g) if m == layer else g for m, g in enumerate(found)])


@variant("missing_path", "one_output")
def _missing_path(p: Pass, rng: np.random.Generator) -> None:
    """The sum over the paths leaves out the ones through one neuron of the layer after."""
    layers = [layer for layer in p.layers[1:] if p.sizes[layer + 1] > 1]
    need(layers)
    layer = int(rng.choice(layers))
    left_out = int(rng.integers(p.sizes[layer + 1]))
    _edit_backward(p, [layer], lambda W: np.where(np.arange(len(W))[:, None] == left_out, 0, W))


@variant("updated_weights_used", "all")
def _updated(p: Pass, rng: np.random.Generator) -> None:
    p.take("updated")
    p.updated = set(_behind(p, rng, one=False))


@variant("updated_weights_used", "one_layer")
def _updated_one_layer(p: Pass, rng: np.random.Generator) -> None:
    p.take("updated")
    p.updated = set(_behind(p, rng, one=True))


@variant("weights_swapped", "whole_pass")
def _swapped(p: Pass, rng: np.random.Generator) -> None:
    layer = one_layer(p, rng)
    p.take(("forward", layer), ("backward", layer))
    p.weights[layer] = _exchanged(p.weights[layer], rng)


@variant("weights_swapped", "gradients")
def _gradients_swapped(p: Pass, rng: np.random.Generator) -> None:
    layer = one_layer(p, rng)
    p.take(("places", layer))
    one, other = rng.choice(p.weights[layer].size, 2, replace=False)

    def edit(found: list[Array]) -> list[Array]:
        flat = found[layer].ravel().copy()
        flat[[one, other]] = flat[[other, one]]
        return [flat.reshape(g.shape) if m == layer else g for m, g in enumerate(found)]

    p.whole.append(edit)


def _exchanged(W: Array, rng: np.random.Generator) -> Array:
    flat = W.ravel().copy()
    one, other = rng.choice(flat.size, 2, replace=False)
    flat[[one, other]] = flat[[other, one]]
    return flat.reshape(W.shape)


@variant("weights_swapped", "across_layers", reading=True)
def _swapped_across_layers(p: Pass, rng: np.random.Generator) -> None:
    layer = int(rng.integers(len(hidden(p))))
    p.take(*((part, m) for part in ("forward", "backward") for m in (layer, layer + 1)))
    one, other = p.weights[layer], p.weights[layer + 1]
    i, k = int(rng.integers(one.size)), int(rng.integers(other.size))
    one.flat[i], other.flat[k] = other.flat[k], one.flat[i]


@variant("wrong_weight", "whole_pass")
def _weight_misread(p: Pass, rng: np.random.Generator) -> None:
    layer = one_layer(p, rng)
    p.take(("forward", layer), ("backward", layer))
    i = int(rng.integers(p.weights[layer].size))
    p.weights[layer].flat[i] = misread(p.weights[layer].flat[i], p.weights[layer].ravel(), rng)
