"""Activations and their derivatives."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from explain.mistaken import DERIVATIVES, VALUES, Array, Pass, through
from explain.mutations.table import PLACES, hidden, need, one_hidden, variant


def _missing_derivative(p: Pass, layers: Sequence[int]) -> None:
    for layer in layers:
        p.take(("derivative", layer))
        p.chain[layer] = lambda u, a, dC_da: dC_da


@variant("missing_output_derivative", "output")
def _missing_output_derivative(p: Pass, rng: np.random.Generator) -> None:
    _missing_derivative(p, [p.output])


@variant("missing_hidden_derivative", "all")
def _missing_hidden_derivative(p: Pass, rng: np.random.Generator) -> None:
    _missing_derivative(p, hidden(p))


@variant("missing_hidden_derivative", "one_layer")
def _missing_one_hidden_derivative(p: Pass, rng: np.random.Generator) -> None:
    _missing_derivative(p, one_hidden(p, rng))


@variant("missing_hidden_derivative", "one_neuron", reading=True)
def _missing_derivative_of_neuron(p: Pass, rng: np.random.Generator) -> None:
    layer = int(rng.integers(len(hidden(p))))
    p.take(("derivative", layer))
    neuron, right = int(rng.integers(p.sizes[layer + 1])), p.chain[layer]

    def chain(u: Array, a: Array, dC_da: Array) -> Array:
        delta = right(u, a, dC_da).copy()
        delta[:, neuron] = dC_da[:, neuron]
        return delta

    p.chain[layer] = chain


def _of_activation(place: str) -> None:
    @variant("derivative_of_activation", place, reading=place == "one_hidden")
    def edit(p: Pass, rng: np.random.Generator) -> None:
        for layer in PLACES[place](p, rng):
            p.take(("derivative", layer))
            p.chain[layer] = lambda u, a, dC_da, name=p.activations[layer]: through(name, a, dC_da)


def _twice_activated(place: str, chain: str) -> None:
    """a = σ(σ(u)); its derivative taken at u, at σ(u) (which stands where u did), or through both."""

    @variant("activation_twice", f"{place}_{chain}", reading=place == "one_hidden")
    def edit(p: Pass, rng: np.random.Generator) -> None:
        for layer in PLACES[place](p, rng):
            need(chain != "at_u" or layer < p.output or "cross_entropy" not in p.cost)  # there it is A - y
            p.take(("derivative", layer), ("activation", layer))
            name, value = p.activations[layer], VALUES[p.activations[layer]]
            p.activate[layer] = lambda u, value=value: value(value(u))
            if chain == "at_activation":
                p.chain[layer] = lambda u, a, d, name=name, value=value: through(name, value(u), d)
            elif chain == "through_both":
                p.chain[layer] = lambda u, a, d, name=name, value=value: through(name, u, through(name, value(u), d))


def _wrong_derivative(place: str) -> None:
    @variant("wrong_activation_derivative", place)
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


@variant("wrong_activation_derivative", "formula_of_a", reading=True)
def _formula_of_a(p: Pass, rng: np.random.Generator) -> None:
    """a(1 - a) in a tanh layer, 1 - a² in a sigmoid layer."""
    layers = [layer for layer in p.layers if p.activations[layer] in _OF_A]
    need(layers)
    for layer in layers:
        p.take(("derivative", layer))
        formula = _OF_A["tanh" if p.activations[layer] == "sigmoid" else "sigmoid"]
        p.chain[layer] = lambda u, a, dC_da, formula=formula: dC_da * formula(a)


@variant("net_input_in_derivative", "all")
def _of_a_given_u(p: Pass, rng: np.random.Generator) -> None:
    """The formula in terms of a, given u: u(1 - u)."""
    layers = [layer for layer in p.layers if p.activations[layer] in _OF_A]
    need(layers)
    for layer in layers:
        p.take(("derivative", layer))
        p.chain[layer] = lambda u, a, dC_da, formula=_OF_A[p.activations[layer]]: dC_da * formula(u)


@variant("softmax_diagonal", "output")
def _softmax_diagonal(p: Pass, rng: np.random.Generator) -> None:
    need(p.activations[-1] == "softmax")
    p.take(("derivative", p.output))
    p.chain[p.output] = lambda u, a, dC_da: dC_da * a * (1 - a)


@variant("missing_activation", "output")
def _linear_output(p: Pass, rng: np.random.Generator) -> None:
    need("cross_entropy" not in p.cost)
    _made_linear(p, [p.output])


@variant("missing_activation", "hidden")
def _linear_hidden(p: Pass, rng: np.random.Generator) -> None:
    _made_linear(p, hidden(p))


def _made_linear(p: Pass, layers: Sequence[int]) -> None:
    for layer in layers:
        p.take(("derivative", layer), ("activation", layer))
        p.activate[layer] = lambda u: u
        p.chain[layer] = lambda u, a, dC_da: dC_da


@variant("derivative_twice", "output")
def _output_derivative_twice(p: Pass, rng: np.random.Generator) -> None:
    need("cross_entropy" not in p.cost)
    _derivative_twice(p, [p.output])


@variant("derivative_twice", "hidden")
def _hidden_derivative_twice(p: Pass, rng: np.random.Generator) -> None:
    _derivative_twice(p, hidden(p))


def _derivative_twice(p: Pass, layers: Sequence[int]) -> None:
    for layer in layers:
        p.take(("derivative", layer))
        p.chain[layer] = lambda u, a, d, name=p.activations[layer]: through(name, u, through(name, u, d))


@variant("extra_output_derivative", "output")
def _extra_output_derivative(p: Pass, rng: np.random.Generator) -> None:
    """A cross-entropy's δ = A - y, times a σ′ that is in it already."""
    need("cross_entropy" in p.cost)
    p.take(("derivative", p.output), "slope")
    p.chain[p.output] = lambda u, a, dC_da: (a - p.y) * a * (1 - a)
