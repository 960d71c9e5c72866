"""The notes' symbols as nodes of a formula."""

from __future__ import annotations

import re
from collections.abc import Sequence

from backpath.explain.expression import (
    ONE,
    Call,
    Ellipsis,
    Expression,
    Negative,
    Number,
    Partial,
    Product,
    Sum,
    Symbol,
    total,
)
from backpath.maths.notation import neuron_name, weight_name

C = Symbol("C", "C")
ETA = Symbol("η", "η")
SIGMA = Symbol("σ", "σ")
U = Symbol("u", "u")
_WRITTEN_OUT = 6  # inputs of a neuron to write out; with more, only the first ones and the last


def weight(name: str) -> Symbol:
    """W11_1 -> W with the subscript 11, whose subscript is 1."""
    index, layer = name[1:].rsplit("_", 1)
    return Symbol(name, "W", index, layer)


def neuron(name: str) -> Symbol:
    """A1, H1, X1; H1_2 has the hidden layer 2 as its subscript."""
    base, _, layer = name.partition("_")
    return Symbol(name, base, layer)


def net_input(name: str) -> Symbol:
    """u_H1, the net input of the neuron of that name."""
    return _of_neuron("u", name)


def delta(name: str) -> Symbol:
    """δ_H1 = ∂C/∂u_H1"""
    return _of_neuron("δ", name)


def _of_neuron(letter: str, name: str) -> Symbol:
    base, _, layer = name.partition("_")
    return Symbol(f"{letter}_{name}", letter, base, layer)


def target(output: int | str, outputs: int) -> Symbol:
    """y; with several outputs y1, y2 …"""
    return Symbol("y", "y") if outputs == 1 else Symbol(f"y{output}", "y", str(output))


def u_cost(output: int | str, outputs: int) -> Symbol:
    """u_cost = A1 - y; with several outputs u_cost1, u_cost2 …"""
    return Symbol("u_cost", "u", "cost") if outputs == 1 else Symbol(f"u_cost{output}", "u", "cost", str(output))


def sigma(argument: Expression) -> Call:
    return Call(SIGMA, (argument,))


def slope(argument: Expression) -> Call:
    """σ′(u)"""
    return Call(SIGMA, (argument,), prime=True)


def behind(sizes: Sequence[int], layer: int, i: int | None) -> Expression:
    """The quantity that a weight multiplies: the neuron before it, or the bias neuron's 1."""
    return ONE if i is None else neuron(neuron_name(layer - 1, i, len(sizes) - 1))


def by_weight(sizes: Sequence[int], layer: int, j: int, i: int | None) -> Partial:
    """∂u/∂W for a weight."""
    name = neuron_name(layer, j, len(sizes) - 1)
    return Partial(net_input(name), weight(weight_name(layer, j, i)))


def weighted_sum(sizes: Sequence[int], layer: int, j: int, biases: bool = True) -> Expression:
    """W1~_1 × 1 + X1 × W11_1 + X2 × W12_1: a neuron's net input, in the notes' order."""
    inputs = range(1, sizes[layer - 1] + 1)
    terms: list[Expression] = [Product((weight(weight_name(layer, j, None)), ONE))] if biases else []
    written = [Product((behind(sizes, layer, i), weight(weight_name(layer, j, i)))) for i in inputs[:_WRITTEN_OUT]]
    if len(inputs) > _WRITTEN_OUT:
        last = Product((behind(sizes, layer, inputs[-1]), weight(weight_name(layer, j, inputs[-1]))))
        return Sum((*terms, *written[:2], Ellipsis(), last))
    return total(*terms, *written)


def numbers(texts: Sequence[str]) -> tuple[Number, ...]:
    return tuple(map(Number, texts))


def sum_of(texts: Sequence[str]) -> Expression:
    """0.055 − 0.019: a sum of numbers, with negative ones subtracted."""
    first, *rest = map(Number, texts)
    others = (Negative(Number(n.text[1:])) if n.text.startswith("-") else n for n in rest)
    return total(first, *others)


def tokens(text: str) -> list[str]:
    """The typeset parts of a symbol: ``12,3`` -> 12 and , and 3; ``Ak`` -> A and k; ``cost`` is one part."""
    return re.findall(r"cost|max|min|ln|tanh|\d+|\S", text)
