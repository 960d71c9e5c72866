"""The catalogue's mistakes, each in the ways in which somebody's code would make it.

``VARIANTS[code][name]`` edits a Pass; ``planted`` runs one, or two at once. Names in ``READINGS`` are further readings
of a code, kept apart from the ones that the catalogue describes in so many words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from explain.mistaken import DERIVATIVES, SLOPES, VALUES, Array, Impossible, Pass, through

Edit = Callable[[Pass, np.random.Generator], None]
VARIANTS: dict[str, dict[str, Edit]] = {}
READINGS: set[tuple[str, str]] = set()


def _variant(code: str, name: str, *, reading: bool = False) -> Callable[[Edit], Edit]:
    def add(edit: Edit) -> Edit:
        VARIANTS.setdefault(code, {})[name] = edit
        if reading:
            READINGS.add((code, name))
        return edit

    return add


def planted(
    mistakes: Sequence[tuple[str, str]],
    weights: Sequence[Array],
    activations: Sequence[str],
    cost: str,
    X: Array,
    y: Array,
    learning_rate: float,
    seed: int,
) -> list[Array] | None:
    """The gradients with these mistakes (code, variant) made at once; None where they cannot be made here.

    What a mistake picks (a neuron, a misread value) follows from the seed and the mistake, alone or with another.
    """
    wrong = Pass(weights, activations, cost, X, y, learning_rate)
    try:
        for code, name in mistakes:
            VARIANTS[code][name](wrong, np.random.default_rng([seed, *f"{code} {name}".encode()]))
    except Impossible:
        return None
    return wrong.gradients()


def _need(condition: object) -> None:
    if not condition:
        raise Impossible


def _hidden(p: Pass) -> range:
    _need(p.output > 0)
    return range(p.output)


def _one_hidden(p: Pass, rng: np.random.Generator) -> list[int]:
    _need(p.output > 1)  # with one hidden layer it would be all of them
    return [int(rng.integers(p.output))]


def _one_layer(p: Pass, rng: np.random.Generator) -> int:
    return int(rng.integers(p.output + 1))


PLACES: dict[str, Callable[[Pass, np.random.Generator], Sequence[int]]] = {
    "output": lambda p, rng: [p.output],
    "hidden": lambda p, rng: _hidden(p),
    "one_hidden": _one_hidden,
    "all": lambda p, rng: [*_hidden(p), p.output],
}


# --- the cost, its average and sign


@_variant("cost_convention", "half_or_not")
def _half_or_not(p: Pass, rng: np.random.Generator) -> None:
    p.take("slope")
    other = {"squared_error": "half_squared_error", "half_squared_error": "squared_error"}
    _need(p.cost in other)
    p.slope = SLOPES[other[p.cost]]


@_variant("cost_convention", "in_hidden_layers", reading=True)
def _half_in_hidden(p: Pass, rng: np.random.Generator) -> None:
    p.take("slope")
    factor = {"squared_error": 0.5, "half_squared_error": 2.0}.get(p.cost)
    _need(factor)
    for layer in _hidden(p):
        p.each[layer].append(lambda g: g * factor)


@_variant("cost_convention", "mean_over_outputs", reading=True)
def _mean_over_outputs(p: Pass, rng: np.random.Generator) -> None:
    p.take("slope")
    _need(p.sizes[-1] > 1)
    right = p.slope
    p.slope = lambda A, y: right(A, y) / A.shape[1]


@_variant("missing_batch_average", "sum")
def _sum(p: Pass, rng: np.random.Generator) -> None:
    p.take("average")
    _need(len(p.X) > 1)
    p.divisor = 1.0


@_variant("missing_batch_average", "twice")
def _twice(p: Pass, rng: np.random.Generator) -> None:
    p.take("average")
    _need(len(p.X) > 1)
    p.divisor **= 2


@_variant("missing_batch_average", "one_layer", reading=True)
def _sum_in_one_layer(p: Pass, rng: np.random.Generator) -> None:
    p.take("average")
    _need(len(p.X) > 1 and p.output)
    p.each[_one_layer(p, rng)].append(lambda g: g * len(p.X))


@_variant("sign_flipped", "all")
def _sign(p: Pass, rng: np.random.Generator) -> None:
    p.take("sign")
    right = p.slope
    p.slope = lambda A, y: -right(A, y)


@_variant("sign_flipped", "one_layer")
def _sign_of_layer(p: Pass, rng: np.random.Generator) -> None:
    p.take("sign")
    _need(p.output)
    p.each[_one_layer(p, rng)].append(lambda g: -g)


def _constant(p: Pass, rng: np.random.Generator) -> float:
    """A factor that none of the known conventions explains."""
    known = np.array([1, 2, 0.5, 4, 0.25, len(p.X), 1 / len(p.X), p.sizes[-1], 1 / p.sizes[-1], 10, 0.1])
    while True:
        factor = round(float(rng.uniform(0.15, 6)), 2)
        if np.all(np.abs(factor / known - 1) > 0.04):
            return factor


@_variant("scaled", "all")
def _scaled(p: Pass, rng: np.random.Generator) -> None:
    p.take("scale")
    factor, right = _constant(p, rng), p.slope
    p.slope = lambda A, y: factor * right(A, y)


@_variant("scaled", "one_layer")
def _scaled_layer(p: Pass, rng: np.random.Generator) -> None:
    p.take("scale")
    _need(p.output)
    factor = _constant(p, rng)
    p.each[_one_layer(p, rng)].append(lambda g: factor * g)


@_variant("single_sample_only", "divided")
def _single_divided(p: Pass, rng: np.random.Generator) -> None:
    p.take("average", "rows")
    _need(len(p.X) > 1)
    p.rows = np.array([rng.choice([0, len(p.X) - 1, int(rng.integers(len(p.X)))])])


@_variant("single_sample_only", "undivided")
def _single_undivided(p: Pass, rng: np.random.Generator) -> None:
    _single_divided(p, rng)
    p.divisor = 1.0


# --- activations and their derivatives


def _missing_derivative(p: Pass, layers: Sequence[int]) -> None:
    for layer in layers:
        p.take(("derivative", layer))
        p.chain[layer] = lambda u, a, dC_da: dC_da


@_variant("missing_output_derivative", "output")
def _missing_output_derivative(p: Pass, rng: np.random.Generator) -> None:
    _missing_derivative(p, [p.output])


@_variant("missing_hidden_derivative", "all")
def _missing_hidden_derivative(p: Pass, rng: np.random.Generator) -> None:
    _missing_derivative(p, _hidden(p))


@_variant("missing_hidden_derivative", "one_layer")
def _missing_one_hidden_derivative(p: Pass, rng: np.random.Generator) -> None:
    _missing_derivative(p, _one_hidden(p, rng))


@_variant("missing_hidden_derivative", "one_neuron", reading=True)
def _missing_derivative_of_neuron(p: Pass, rng: np.random.Generator) -> None:
    layer = int(rng.integers(len(_hidden(p))))
    p.take(("derivative", layer))
    neuron, right = int(rng.integers(p.sizes[layer + 1])), p.chain[layer]

    def chain(u: Array, a: Array, dC_da: Array) -> Array:
        delta = right(u, a, dC_da).copy()
        delta[:, neuron] = dC_da[:, neuron]
        return delta

    p.chain[layer] = chain


def _of_activation(place: str) -> None:
    @_variant("derivative_of_activation", place, reading=place == "one_hidden")
    def edit(p: Pass, rng: np.random.Generator) -> None:
        for layer in PLACES[place](p, rng):
            p.take(("derivative", layer))
            p.chain[layer] = lambda u, a, dC_da, name=p.activations[layer]: through(name, a, dC_da)


def _twice_activated(place: str, chain: str) -> None:
    """a = σ(σ(u)); its derivative taken at u, at σ(u) (which stands where u did), or through both."""

    @_variant("activation_twice", f"{place}_{chain}", reading=place == "one_hidden")
    def edit(p: Pass, rng: np.random.Generator) -> None:
        for layer in PLACES[place](p, rng):
            _need(chain != "at_u" or layer < p.output or "cross_entropy" not in p.cost)  # there it is A - y
            p.take(("derivative", layer), ("activation", layer))
            name, value = p.activations[layer], VALUES[p.activations[layer]]
            p.activate[layer] = lambda u, value=value: value(value(u))
            if chain == "at_activation":
                p.chain[layer] = lambda u, a, d, name=name, value=value: through(name, value(u), d)
            elif chain == "through_both":
                p.chain[layer] = lambda u, a, d, name=name, value=value: through(name, u, through(name, value(u), d))


def _wrong_derivative(place: str) -> None:
    @_variant("wrong_activation_derivative", place)
    def edit(p: Pass, rng: np.random.Generator) -> None:
        layers = PLACES[place](p, rng)
        names = {p.activations[layer] for layer in layers}
        other = rng.choice(sorted(DERIVATIVES.keys() - names - {"identity"}))  # identity's would be a missing one
        for layer in layers:
            p.take(("derivative", layer))
            p.chain[layer] = lambda u, a, dC_da: dC_da * DERIVATIVES[other](u)


for _place in PLACES:
    _of_activation(_place)
    _wrong_derivative(_place)
    for _chain in ("at_u", "at_activation", "through_both"):
        _twice_activated(_place, _chain)


_OF_A = {"sigmoid": lambda a: a * (1 - a), "tanh": lambda a: 1 - a * a}  # σ′ as code writes it, in terms of a


@_variant("wrong_activation_derivative", "formula_of_a", reading=True)
def _formula_of_a(p: Pass, rng: np.random.Generator) -> None:
    """a(1 - a) in a tanh layer, 1 - a² in a sigmoid layer."""
    layers = [layer for layer in p.layers if p.activations[layer] in _OF_A]
    _need(layers)
    for layer in layers:
        p.take(("derivative", layer))
        formula = _OF_A["tanh" if p.activations[layer] == "sigmoid" else "sigmoid"]
        p.chain[layer] = lambda u, a, dC_da, formula=formula: dC_da * formula(a)


@_variant("wrong_activation_derivative", "of_a_given_u", reading=True)
def _of_a_given_u(p: Pass, rng: np.random.Generator) -> None:
    """The formula in terms of a, given u: u(1 - u)."""
    layers = [layer for layer in p.layers if p.activations[layer] in _OF_A]
    _need(layers)
    for layer in layers:
        p.take(("derivative", layer))
        p.chain[layer] = lambda u, a, dC_da, formula=_OF_A[p.activations[layer]]: dC_da * formula(u)


@_variant("wrong_activation_derivative", "softmax_diagonal", reading=True)
def _softmax_diagonal(p: Pass, rng: np.random.Generator) -> None:
    _need(p.activations[-1] == "softmax")
    p.take(("derivative", p.output))
    p.chain[p.output] = lambda u, a, dC_da: dC_da * a * (1 - a)


# --- the weights on the way back


def _edit_backward(p: Pass, layers: Sequence[int], edit: Callable[[Array], Array]) -> None:
    """Layers here are those whose weights are read on the way to the layer below."""
    for layer in layers:
        p.take(("backward", layer))
        p.backward[layer].append(edit)


def _behind(p: Pass, rng: np.random.Generator, *, one: bool) -> list[int]:
    """The layers that have a hidden layer behind them, or one of several."""
    return [layer + 1 for layer in (_one_hidden(p, rng) if one else _hidden(p))]


def _any_behind(p: Pass, rng: np.random.Generator, wide: int = 1) -> int:
    """A layer with at least that many hidden neurons behind it."""
    layers = [layer + 1 for layer in _hidden(p) if p.sizes[layer + 1] >= wide]
    _need(layers)
    return int(rng.choice(layers))


@_variant("missing_path_weight", "all")
def _missing_path_weight(p: Pass, rng: np.random.Generator) -> None:
    _edit_backward(p, _behind(p, rng, one=False), np.ones_like)


@_variant("missing_path_weight", "one_layer")
def _missing_path_weight_of_layer(p: Pass, rng: np.random.Generator) -> None:
    _edit_backward(p, _behind(p, rng, one=True), np.ones_like)


@_variant("missing_path_weight", "one_neuron")
def _missing_path_weight_of_neuron(p: Pass, rng: np.random.Generator) -> None:
    layer = _any_behind(p, rng, wide=2)
    j = int(rng.integers(p.sizes[layer]))
    _edit_backward(p, [layer], lambda W: _with_column(W, j, np.ones(len(W))))


@_variant("missing_path_weight", "one_path", reading=True)
def _missing_path_weight_of_path(p: Pass, rng: np.random.Generator) -> None:
    layer = _any_behind(p, rng)
    j, m = int(rng.integers(p.sizes[layer])), int(rng.integers(p.sizes[layer + 1]))
    _need(p.sizes[layer + 1] > 1)

    def edit(W: Array) -> Array:
        W = W.copy()
        W[m, j] = 1
        return W

    _edit_backward(p, [layer], edit)


def _with_column(W: Array, j: int, column: Array) -> Array:
    W = W.copy()
    W[:, j] = column
    return W


@_variant("wrong_path_weight", "column_of_another")
def _column_of_another(p: Pass, rng: np.random.Generator) -> None:
    layer = _any_behind(p, rng, wide=2)
    j, k = rng.choice(p.sizes[layer], 2, replace=False)
    _edit_backward(p, [layer], lambda W: _with_column(W, j, W[:, k]))


@_variant("wrong_path_weight", "exchanged")
def _columns_exchanged(p: Pass, rng: np.random.Generator) -> None:
    layer = _any_behind(p, rng, wide=2)
    j, k = rng.choice(p.sizes[layer], 2, replace=False)
    _edit_backward(p, [layer], lambda W: _with_column(_with_column(W, j, W[:, k]), k, W[:, j]))


@_variant("wrong_path_weight", "one_path", reading=True)
def _one_wrong_path(p: Pass, rng: np.random.Generator) -> None:
    layer = _any_behind(p, rng, wide=2)
    _need(p.sizes[layer + 1] > 1)
    j, k = rng.choice(p.sizes[layer], 2, replace=False)
    m = int(rng.integers(p.sizes[layer + 1]))

    def edit(W: Array) -> Array:
        W = W.copy()
        W[m, j] = W[m, k]
        return W

    _edit_backward(p, [layer], edit)


@_variant("wrong_path_weight", "off_by_one", reading=True)
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
    _need(layers)
    return int(rng.choice(layers))


@_variant("transposed_weights", "backward")
def _transposed_backward(p: Pass, rng: np.random.Generator) -> None:
    _edit_backward(p, [_square(p, range(1, p.output + 1), rng)], _turned)


@_variant("transposed_weights", "backward_reshaped")
def _reshaped_backward(p: Pass, rng: np.random.Generator) -> None:
    layers = [m for m in p.layers[1:] if p.sizes[m] != p.sizes[m + 1] and min(p.sizes[m : m + 2]) > 1]
    _need(layers)
    _edit_backward(p, [int(rng.choice(layers))], _turned)


@_variant("transposed_weights", "forward", reading=True)
def _transposed_forward(p: Pass, rng: np.random.Generator) -> None:
    layer = _square(p, p.layers, rng)
    p.take(("forward", layer))
    p.forward[layer].append(_turned)


@_variant("transposed_weights", "whole_pass", reading=True)
def _transposed_in_whole_pass(p: Pass, rng: np.random.Generator) -> None:
    layer = _square(p, p.layers, rng)
    p.take(("forward", layer), ("backward", layer))
    p.weights[layer] = _turned(p.weights[layer])


@_variant("transposed_weights", "gradient", reading=True)
def _transposed_gradient(p: Pass, rng: np.random.Generator) -> None:
    layer = _square(p, p.layers, rng)
    p.take(("places", layer))
    p.whole.append(lambda found: [_turned(g) if m == layer else g for m, g in enumerate(found)])


@_variant("updated_weights_used", "all")
def _updated(p: Pass, rng: np.random.Generator) -> None:
    p.take("updated")
    p.updated = set(_behind(p, rng, one=False))


@_variant("updated_weights_used", "one_layer")
def _updated_one_layer(p: Pass, rng: np.random.Generator) -> None:
    p.take("updated")
    p.updated = set(_behind(p, rng, one=True))


@_variant("weights_swapped", "whole_pass")
def _swapped(p: Pass, rng: np.random.Generator) -> None:
    layer = _one_layer(p, rng)
    p.take(("forward", layer), ("backward", layer))
    p.weights[layer] = _exchanged(p.weights[layer], rng)


@_variant("weights_swapped", "gradients")
def _gradients_swapped(p: Pass, rng: np.random.Generator) -> None:
    layer = _one_layer(p, rng)
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


@_variant("weights_swapped", "across_layers", reading=True)
def _swapped_across_layers(p: Pass, rng: np.random.Generator) -> None:
    layer = int(rng.integers(len(_hidden(p))))
    p.take(*((part, m) for part in ("forward", "backward") for m in (layer, layer + 1)))
    one, other = p.weights[layer], p.weights[layer + 1]
    i, k = int(rng.integers(one.size)), int(rng.integers(other.size))
    one.flat[i], other.flat[k] = other.flat[k], one.flat[i]


# --- inputs and biases


def _misread(right: float, others: Array, rng: np.random.Generator) -> float:
    """What somebody might read instead: the sign lost, the point moved, a digit wrong, another's value, 0 or 1."""
    candidates = [-right, right * 10, right / 10, right + rng.choice([-0.1, 0.1, -1, 1]), round(right, 1), 0.0, 1.0]
    candidates += [float(rng.choice(others))] * 2
    while True:
        wrong = float(candidates[rng.integers(len(candidates))])
        if wrong != right:
            return wrong


@_variant("wrong_input", "whole_pass")
def _input_misread(p: Pass, rng: np.random.Generator) -> None:
    p.take("X")
    n, i = int(rng.integers(len(p.X))), int(rng.integers(p.sizes[0]))
    p.X[n, i] = _misread(p.X[n, i], p.X.ravel(), rng)


def _misread_factor(p: Pass, layer: int, rng: np.random.Generator) -> None:
    p.take(("factor", layer))
    n, i = int(rng.integers(len(p.X))), int(rng.integers(p.sizes[layer]))

    def edit(factor: Array, before: Array | None) -> Array:
        factor = factor.copy()
        factor[n, i] = _misread(factor[n, i], factor[:, :-1].ravel(), np.random.default_rng(seed))
        return factor

    seed = int(rng.integers(2**32))  # the value is known only in the pass
    p.factors[layer].append(edit)


@_variant("wrong_input", "factor_X")
def _factor_X(p: Pass, rng: np.random.Generator) -> None:
    _misread_factor(p, 0, rng)


@_variant("wrong_input", "factor_H")
def _factor_H(p: Pass, rng: np.random.Generator) -> None:
    _misread_factor(p, int(rng.integers(len(_hidden(p)))) + 1, rng)


@_variant("wrong_input", "factor_of_one_weight")
def _factor_of_one_weight(p: Pass, rng: np.random.Generator) -> None:
    """One gradient has another input's factor, in every sample."""
    layer = int(rng.choice([m for m in p.layers if p.sizes[m] > 1]))
    p.take(("factor", layer))
    j, (i, k) = int(rng.integers(p.sizes[layer + 1])), rng.choice(p.sizes[layer], 2, replace=False)

    def edit(g: Array) -> Array:
        g = g.copy()
        g[j, i] = g[j, k]
        return g

    p.each[layer].append(edit)


@_variant("wrong_input", "net_input_factor", reading=True)
def _net_input_factor(p: Pass, rng: np.random.Generator) -> None:
    """u_H for H in the factor of the layer after it."""
    layer = int(rng.integers(len(_hidden(p)))) + 1
    p.take(("factor", layer))
    p.factors[layer].append(lambda factor, before: np.hstack([before, factor[:, -1:]]))


@_variant("wrong_input", "columns_exchanged", reading=True)
def _input_columns_exchanged(p: Pass, rng: np.random.Generator) -> None:
    p.take("X")
    i, k = rng.choice(p.sizes[0], 2, replace=False)
    p.X[:, [i, k]] = p.X[:, [k, i]]


def _sum_without(p: Pass, layer: int, rows: object, column: int) -> None:
    p.take(("forward", layer))

    def edit(W: Array) -> Array:
        W = W.copy()
        W[rows, column] = 0
        return W

    p.forward[layer].append(edit)


@_variant("missing_input", "sum_of_layer")
def _missing_in_layer(p: Pass, rng: np.random.Generator) -> None:
    layer = _one_layer(p, rng)
    _sum_without(p, layer, slice(None), int(rng.integers(p.sizes[layer])))


@_variant("missing_input", "sum_of_neuron")
def _missing_in_neuron(p: Pass, rng: np.random.Generator) -> None:
    layer = _one_layer(p, rng)
    _sum_without(p, layer, int(rng.integers(p.sizes[layer + 1])), int(rng.integers(p.sizes[layer])))


@_variant("missing_input", "bias_of_layer")
def _missing_bias_in_layer(p: Pass, rng: np.random.Generator) -> None:
    _sum_without(p, _one_layer(p, rng), slice(None), -1)


@_variant("missing_input", "bias_everywhere")
def _missing_bias(p: Pass, rng: np.random.Generator) -> None:
    for layer in p.layers:
        _sum_without(p, layer, slice(None), -1)


@_variant("missing_input", "factor")
def _missing_factor(p: Pass, rng: np.random.Generator) -> None:
    """δ alone where δ × X is meant, for one input."""
    layer = _one_layer(p, rng)
    p.take(("factor", layer))
    i = int(rng.integers(p.sizes[layer]))
    p.factors[layer].append(lambda factor, before: _with_column(factor, i, np.ones(len(factor))))


@_variant("missing_input", "factors_of_layer")
def _missing_factors(p: Pass, rng: np.random.Generator) -> None:
    layer = _one_layer(p, rng)
    p.take(("factor", layer))
    p.factors[layer].append(lambda factor, before: np.ones_like(factor))


@_variant("bias_not_updated", "all")
def _bias_not_updated(p: Pass, rng: np.random.Generator) -> None:
    for layer in p.layers:
        p.take(("bias", layer))
        p.each[layer].append(lambda g: _with_column(g, -1, np.zeros(len(g))))


@_variant("bias_not_updated", "one_layer")
def _bias_of_layer_not_updated(p: Pass, rng: np.random.Generator) -> None:
    _need(p.output)
    layer = _one_layer(p, rng)
    p.take(("bias", layer))
    p.each[layer].append(lambda g: _with_column(g, -1, np.zeros(len(g))))


def _minus_one(W: Array) -> Array:
    return _with_column(W, -1, -W[:, -1])


@_variant("bias_sign", "factor")
def _bias_sign(p: Pass, rng: np.random.Generator) -> None:
    for layer in p.layers:
        p.take(("bias", layer))
        p.factors[layer].append(lambda factor, before: _minus_one(factor))


@_variant("bias_sign", "whole_pass")
def _bias_unit_of_minus_one(p: Pass, rng: np.random.Generator) -> None:
    for layer in p.layers:
        p.take(("bias", layer), ("forward", layer))
        p.forward[layer].append(_minus_one)
        p.factors[layer].append(lambda factor, before: _minus_one(factor))


@_variant("bias_sign", "one_layer", reading=True)
def _bias_sign_of_layer(p: Pass, rng: np.random.Generator) -> None:
    _need(p.output)
    layer = _one_layer(p, rng)
    p.take(("bias", layer))
    p.factors[layer].append(lambda factor, before: _minus_one(factor))
