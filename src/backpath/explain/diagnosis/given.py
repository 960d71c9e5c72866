"""Given arrays by layer, from lists, pairs, dictionaries, or one flat row."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpath.errors import InputError
from backpath.maths.network import Network

Objects = NDArray[Any]  # numbers, or strings as printed

_BIAS = re.compile(r"(?:^|[^a-z])(?:d|grad|delta|g)?_?(?:b|bias|biases|intercept|intercepts|bh|bo|b_h|b_o)(?:[^a-z]|$)")
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True)
class Parts:
    """The given arrays by layer, and the biases if they are separate."""

    weights: list[Objects]
    biases: list[Objects] | None = None

    def backwards(self) -> Parts:
        """With the output layer first, or with the first layer first again."""
        return Parts(self.weights[::-1], self.biases and self.biases[::-1])


def parts_of(given: object, net: Network, what: str) -> Parts:
    """Arrays by layer from a list, pairs, two lists, W and b in turn, or a dictionary."""
    count = len(net.sizes) - 1
    if isinstance(given, Mapping):
        return _of_mapping(given, count, what)
    items = items_of(given)
    if items is None:
        raise InputError(
            f"{what} must be a mapping of names to figures, or arrays by layer, but is of type {type(given).__name__}"
        )
    if count == 1 and depth(given) == 2:
        return Parts([_array(given, what)])
    ways = list(_apart(items, what))
    if ways:
        return _fitting(ways, net)
    if len(items) == count and (layers := _of_mappings(items, what)):
        return layers
    arrays = _arrays(items, what)
    return _with_biases(arrays, net) if len(items) == 2 * count and net.biases else Parts(arrays)


def _of_mappings(items: list[Any], what: str) -> Parts | None:
    """A dictionary for each layer; None if they are something else."""
    if not all(isinstance(item, Mapping) for item in items):
        return None
    layers = [_of_mapping(item, 1, what) for item in items]
    if any(len(part.weights) != 1 for part in layers):
        return None
    biases = [part.biases[0] for part in layers if part.biases]
    return Parts([part.weights[0] for part in layers], biases if len(biases) == len(layers) else None)


def _apart(items: list[Any], what: str) -> Iterator[Parts]:
    """Pairs of weights and biases, or a list of each, depending on the depth of the lists."""
    if all(_is_pair(item) for item in items):
        yield Parts(*(_arrays(column, what) for column in zip(*items, strict=True)))
    if len(items) == 2 and min(map(depth, items)) >= 2 and max(map(depth, items)) >= 3:
        first, second = (_arrays(item, what) for item in items)
        yield Parts(first, second)
        yield Parts(second, first)


def _has_sizes(parts: Parts, net: Network) -> bool:
    """Whether weights and biases have the network's sizes, from the first or from the last layer."""
    sizes = [(len(W) * (W.shape[1] - 1), len(W)) for W in net.weights]
    given = [(W.size, b.size) for W, b in zip(parts.weights, parts.biases or [], strict=False)]
    return len(given) == len(sizes) and any(
        all(w == W and b in (1, n) for (w, b), (W, n) in zip(given, wanted, strict=True))
        for wanted in (sizes, sizes[::-1])
    )


def _with_biases(arrays: list[Objects], net: Network) -> Parts:
    """W and b in turn, or b and W, or all weights and then all biases, or the reverse, depending on the sizes."""
    count = len(arrays) // 2
    ways = [
        Parts(arrays[::2], arrays[1::2]),
        Parts(arrays[1::2], arrays[::2]),
        Parts(arrays[:count], arrays[count:]),
        Parts(arrays[count:], arrays[:count]),
    ]
    return _fitting(ways, net)


def _fitting(ways: Sequence[Parts], net: Network) -> Parts:
    """The first that has the network's sizes, or the first."""
    return next((way for way in ways if _has_sizes(way, net)), ways[0])


def _of_mapping(given: Mapping[Any, Any], count: int, what: str) -> Parts:
    """Arrays by names such as W1, dW1, theta1, layer1.weight; or two lists, coefs_ and intercepts_."""
    weights, biases = (_by_layer(named, count, what) for named in _weights_and_biases(given))
    return Parts(weights, biases or None)


def _by_layer(named: list[tuple[str, Any]], count: int, what: str) -> list[Objects]:
    """The arrays in a single list, or by their names."""
    values = [value for _, value in _in_order(named)]
    if len(values) == 1 and (count > 1 or depth(values[0]) == 3):
        values = list(values[0]) if depth(values[0]) else values
    return _arrays(values, what)


def _weights_and_biases(given: Mapping[Any, Any]) -> tuple[list[tuple[str, Any]], list[tuple[str, Any]]]:
    weights: list[tuple[str, Any]] = []
    biases: list[tuple[str, Any]] = []
    for key, value in given.items():
        (biases if _BIAS.search(str(key).lower()) else weights).append((str(key), value))
    return weights, biases


def _arrays(given: Iterable[object], what: str) -> list[Objects]:
    return [_array(item, what) for item in given]


def _in_order(named: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Sorted by the numbers in their names if these differ, otherwise in the given order."""
    numbers = [_NUMBER.findall(name) for name, _ in named]
    keys = [int(found[-1]) if found else None for found in numbers]
    if None in keys or len(set(keys)) < len(keys):
        return named
    return [pair for _, pair in sorted(zip(keys, named, strict=True), key=lambda item: item[0] or 0)]


def items_of(given: object) -> list[Any] | None:
    if isinstance(given, str | bytes | Mapping) or not isinstance(given, Sequence | np.ndarray):
        return None
    return list(given)


def depth(given: object) -> int:
    """The nesting depth of the figures: 0 for a figure, 2 for a matrix."""
    if isinstance(given, np.ndarray) and given.dtype != object:
        return given.ndim
    if hasattr(given, "shape") and not isinstance(given, np.ndarray):
        return len(given.shape)
    items = items_of(given)
    return 0 if items is None else 1 + max(map(depth, items), default=0)


def _is_pair(item: object) -> bool:
    """Whether it is (W, b): a matrix and a vector, or for one neuron a vector and a number."""
    if not isinstance(item, tuple | list) or len(item) != 2:
        return False
    first, second = map(depth, item)
    return (first == 2 and second <= 2) or (first == 1 and second == 0)


def one_row(given: object) -> Objects | None:
    """All figures in one flat row."""
    items = items_of(given)
    if items is None or not items or any(depth(item) or isinstance(item, Mapping) for item in items):
        return None
    return _filled(items, (len(items),))


def _array(given: object, what: str) -> Objects:
    """An array of the given figures; strings and NumPy's float32 keep their types."""
    try:
        array = np.asarray(given, dtype=object)
    except ValueError:  # rows of unequal length
        array = np.empty((0, 0, 0), dtype=object)
    if array.ndim <= 2 and not any(items_of(v) is not None for v in array.ravel()):
        whole = np.asarray(given) if not isinstance(given, list | tuple) else array
        return _filled(list(whole.ravel()), array.shape)
    raise InputError(f"{what} must hold rows of equal length, but one of its arrays does not")


def _filled(values: Sequence[Any], shape: tuple[int, ...]) -> Objects:
    found = np.empty(len(values), dtype=object)
    for k, value in enumerate(values):
        found[k] = value
    return found.reshape(shape)
