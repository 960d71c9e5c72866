"""Inputs and biases."""

from __future__ import annotations

import numpy as np

from explain.mistaken import Array, Pass
from explain.mutations.table import hidden, misread, need, one_layer, variant, with_column


@variant("wrong_input", "whole_pass")
def _input_misread(p: Pass, rng: np.random.Generator) -> None:
    p.take("X")
    n, i = int(rng.integers(len(p.X))), int(rng.integers(p.sizes[0]))
    p.X[n, i] = misread(p.X[n, i], p.X.ravel(), rng)


def _misread_factor(p: Pass, layer: int, rng: np.random.Generator) -> None:
    p.take(("factor", layer))
    n, i = int(rng.integers(len(p.X))), int(rng.integers(p.sizes[layer]))

    def edit(factor: Array, before: Array | None) -> Array:
        factor = factor.copy()
        factor[n, i] = misread(factor[n, i], factor[:, :-1].ravel(), np.random.default_rng(seed))
        return factor

    seed = int(rng.integers(2**32))  # the value is known only in the pass
    p.factors[layer].append(edit)


@variant("wrong_input", "factor_X")
def _factor_X(p: Pass, rng: np.random.Generator) -> None:
    _misread_factor(p, 0, rng)


@variant("wrong_input", "factor_H")
def _factor_H(p: Pass, rng: np.random.Generator) -> None:
    _misread_factor(p, int(rng.integers(len(hidden(p)))) + 1, rng)


@variant("wrong_input", "factor_of_one_weight")
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


@variant("missing_activation", "factor")
def _net_input_factor(p: Pass, rng: np.random.Generator) -> None:
    """u_H for H in the factor of the layer after it."""
    layer = int(rng.integers(len(hidden(p)))) + 1
    p.take(("factor", layer))
    p.factors[layer].append(lambda factor, before: np.hstack([before, factor[:, -1:]]))


@variant("wrong_input", "columns_exchanged", reading=True)
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


@variant("missing_input", "sum_of_layer")
def _missing_in_layer(p: Pass, rng: np.random.Generator) -> None:
    layer = one_layer(p, rng)
    _sum_without(p, layer, slice(None), int(rng.integers(p.sizes[layer])))


@variant("missing_input", "sum_of_neuron")
def _missing_in_neuron(p: Pass, rng: np.random.Generator) -> None:
    layer = one_layer(p, rng)
    _sum_without(p, layer, int(rng.integers(p.sizes[layer + 1])), int(rng.integers(p.sizes[layer])))


@variant("missing_input", "bias_of_layer")
def _missing_bias_in_layer(p: Pass, rng: np.random.Generator) -> None:
    _sum_without(p, one_layer(p, rng), slice(None), -1)


@variant("missing_input", "bias_everywhere")
def _missing_bias(p: Pass, rng: np.random.Generator) -> None:
    for layer in p.layers:
        _sum_without(p, layer, slice(None), -1)


@variant("missing_input", "factor")
def _missing_factor(p: Pass, rng: np.random.Generator) -> None:
    """δ alone where δ × X is meant, for one input."""
    layer = one_layer(p, rng)
    p.take(("factor", layer))
    i = int(rng.integers(p.sizes[layer]))
    p.factors[layer].append(lambda factor, before: with_column(factor, i, np.ones(len(factor))))


@variant("missing_input", "factors_of_layer")
def _missing_factors(p: Pass, rng: np.random.Generator) -> None:
    layer = one_layer(p, rng)
    p.take(("factor", layer))
    p.factors[layer].append(lambda factor, before: np.ones_like(factor))


@variant("bias_not_updated", "all")
def _bias_not_updated(p: Pass, rng: np.random.Generator) -> None:
    for layer in p.layers:
        p.take(("bias", layer))
        p.each[layer].append(lambda g: with_column(g, -1, np.zeros(len(g))))


@variant("bias_not_updated", "one_layer")
def _bias_of_layer_not_updated(p: Pass, rng: np.random.Generator) -> None:
    need(p.output)
    layer = one_layer(p, rng)
    p.take(("bias", layer))
    p.each[layer].append(lambda g: with_column(g, -1, np.zeros(len(g))))


def _minus_one(W: Array) -> Array:
    return with_column(W, -1, -W[:, -1])


@variant("bias_sign", "factor")
def _bias_sign(p: Pass, rng: np.random.Generator) -> None:
    for layer in p.layers:
        p.take(("bias", layer))
        p.factors[layer].append(lambda factor, before: _minus_one(factor))


@variant("bias_sign", "whole_pass")
def _bias_unit_of_minus_one(p: Pass, rng: np.random.Generator) -> None:
    for layer in p.layers:
        p.take(("bias", layer), ("forward", layer))
        p.forward[layer].append(_minus_one)
        p.factors[layer].append(lambda factor, before: _minus_one(factor))


@variant("bias_sign", "one_layer", reading=True)
def _bias_sign_of_layer(p: Pass, rng: np.random.Generator) -> None:
    need(p.output)
    layer = one_layer(p, rng)
    p.take(("bias", layer))
    p.factors[layer].append(lambda factor, before: _minus_one(factor))


@variant("wrong_target", "one_sample")
def _target_misread(p: Pass, rng: np.random.Generator) -> None:
    need(p.cost != "categorical_cross_entropy")
    n, k = int(rng.integers(len(p.y))), int(rng.integers(p.sizes[-1]))
    wrong = round(p.y[n, k], 1) if rng.random() < 0.5 else 1 - p.y[n, k]
    p.take("y")
    p.y[n, k] = wrong
