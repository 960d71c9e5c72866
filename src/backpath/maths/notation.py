"""The notes' names for neurons and weights, for networks of any size.

| name                  | meaning                                                                  |
|-----------------------|--------------------------------------------------------------------------|
| ``X1``                | input 1                                                                  |
| ``H1``, ``H1_2``      | neuron 1 of the only hidden layer, of hidden layer 2 where there are more |
| ``A1``                | output neuron 1                                                          |
| ``u_H1``              | the net input of H1, the argument of its activation function             |
| ``W21_1``             | layer 1, to neuron 2, from input 1                                       |
| ``W2~_1``             | layer 1, to neuron 2, from the bias neuron                               |
| ``W12,3_1``           | the same where an index has two digits                                   |
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from backpath.errors import InputError

_INDEX = r"([1-9]\d{0,11})"  # longer ones are not names
_WEIGHT = re.compile(rf"W(?:(\d)(\d)|{_INDEX},{_INDEX}|{_INDEX},?(~))_{_INDEX}", re.ASCII)
_NEURON = re.compile(rf"([XHA]){_INDEX}(?:_{_INDEX})?", re.ASCII)
_MOST_SUGGESTED = 6
_SUGGEST_UP_TO = 5_000  # names to compare for "did you mean"; more would take seconds


class WeightIndex(NamedTuple):
    """The place of a weight, counted from 1 as in its name; ``input`` is None for a bias."""

    layer: int
    neuron: int
    input: int | None


def weight_name(layer: int, neuron: int, input: int | None) -> str:
    """The notes' name of a weight.

    >>> weight_name(1, 2, 1), weight_name(1, 2, None), weight_name(1, 12, 3)
    ('W21_1', 'W2~_1', 'W12,3_1')
    """
    if input is None:
        return f"W{neuron}~_{layer}"
    comma = "," if neuron > 9 or input > 9 else ""
    return f"W{neuron}{comma}{input}_{layer}"


def layer_weights(sizes: Sequence[int], layer: int, biases: bool = True) -> Iterator[WeightIndex]:
    """The weights of one layer, row by row: neuron 1's inputs, its bias if there are biases, neuron 2's inputs, …"""
    for neuron in range(1, sizes[layer] + 1):
        for i in range(1, sizes[layer - 1] + 1):
            yield WeightIndex(layer, neuron, i)
        if biases:
            yield WeightIndex(layer, neuron, None)


def weight_names(sizes: Sequence[int], biases: bool = True) -> tuple[str, ...]:
    """Every weight's name, layer by layer, in the order of the arrays.

    >>> weight_names((2, 2, 1))
    ('W11_1', 'W12_1', 'W1~_1', 'W21_1', 'W22_1', 'W2~_1', 'W11_2', 'W12_2', 'W1~_2')
    """
    return tuple(weight_name(*w) for layer in range(1, len(sizes)) for w in layer_weights(sizes, layer, biases))


def named_biases(names: Iterable[str], sizes: Sequence[int]) -> bool:
    """Whether the names have biases: not if there is one for each other weight, and none for a bias.

    >>> named_biases(["W11_1", "W12_1", "W11_2"], (2, 1, 1))
    False
    """
    given = list(names)
    count = sum(n_out * n_in for n_in, n_out in itertools.pairwise(sizes))
    return len(given) != count or any("~" in str(name) for name in given)


def weight_index(name: str, sizes: Sequence[int], biases: bool = True) -> WeightIndex:
    """The place of a weight in a network of these sizes, with or without bias neurons.

    Raises
    ------
    InputError
        If no weight has that name; the message says which names there are, or the nearest.

    >>> weight_index("W2,1_1", (2, 2, 1))
    WeightIndex(layer=1, neuron=2, input=1)
    """
    found = _WEIGHT.fullmatch(name) if isinstance(name, str) else None
    if found:
        j1, i1, j2, i2, j3, bias, layer = found.groups()
        index = WeightIndex(int(layer), int(j1 or j2 or j3), None if bias else int(i1 or i2))
        if _exists(index, sizes):
            if index.input is None and not biases:
                raise InputError(f"the network {_sizes(sizes)} has no biases, and so no weight {name!r}")
            return index
    raise InputError(f"the network {_sizes(sizes)} has no weight {name!r}; {_nearest_weight(name, sizes, biases)}")


def _exists(index: WeightIndex, sizes: Sequence[int]) -> bool:
    return (
        index.layer < len(sizes)
        and 1 <= index.neuron <= sizes[index.layer]
        and (index.input is None or 1 <= index.input <= sizes[index.layer - 1])
    )


def _nearest_weight(name: object, sizes: Sequence[int], biases: bool) -> str:
    last = len(sizes) - 1
    if sum(sizes[k] * (sizes[k - 1] + 1) for k in range(1, last + 1)) <= _SUGGEST_UP_TO:
        import difflib

        names, given = weight_names(sizes, biases), str(name)[:100]
        begun = [one for one in names if one.startswith(given)] if given[:1] == "W" else []
        near = [*begun, *difflib.get_close_matches(given, names, n=3, cutoff=0.5)]
        near = list(dict.fromkeys(near))[: max(3, min(len(begun), _MOST_SUGGESTED))]
        if near:
            return f"did you mean {' or '.join(near)}?"
    first, final = weight_name(1, 1, 1), weight_name(last, sizes[last], None if biases else sizes[last - 1])
    source = "from input or ~ for the bias" if biases else "from input"
    return f"its weights go from {first} to {final} (W, to neuron, {source}, _layer)"


def _sizes(sizes: Sequence[int]) -> str:
    return "-".join(map(str, sizes))


def neuron_name(layer: int, neuron: int, layers: int) -> str:
    """The name of a neuron; ``layer`` 0 is the input layer, ``layers`` the output layer's number.

    >>> [neuron_name(k, 1, 2) for k in range(3)], neuron_name(2, 3, 4)
    (['X1', 'H1', 'A1'], 'H3_2')
    """
    if layer == 0:
        return f"X{neuron}"
    if layer == layers:
        return f"A{neuron}"
    return f"H{neuron}" if layers == 2 else f"H{neuron}_{layer}"


def neuron_names(sizes: Sequence[int], layer: int) -> tuple[str, ...]:
    """The names of one layer's neurons.

    >>> neuron_names((2, 3, 1), 1)
    ('H1', 'H2', 'H3')
    """
    return tuple(neuron_name(layer, j, len(sizes) - 1) for j in range(1, sizes[layer] + 1))


def neuron_index(name: str, sizes: Sequence[int]) -> tuple[int, int]:
    """The (layer, neuron) of a neuron's name; layer 0 is the input layer, neurons count from 1.

    >>> neuron_index("H2", (2, 2, 1))
    (1, 2)
    """
    layers = len(sizes) - 1
    found = _NEURON.fullmatch(name) if isinstance(name, str) else None
    if found:
        kind, neuron, hidden = found[1], int(found[2]), found[3]
        layer = {"X": 0, "A": layers}.get(kind, int(hidden or 1))
        if layer <= layers and neuron <= sizes[layer] and neuron_name(layer, neuron, layers) == name:
            return layer, neuron
    known = ", ".join(f"{neuron_name(k, 1, layers)}…{neuron_name(k, n, layers)}" for k, n in enumerate(sizes))
    raise InputError(f"the network {_sizes(sizes)} has no neuron {name!r}; its neurons are {known}")
