"""Usual layouts of weights and gradients, and the layouts in which given figures fit a network.

A layer's weights may have a row per neuron or a column per neuron, and the bias last, first, separate or absent; the
layers may be in a list, in pairs, in a dictionary by their usual names, or all in one flat row.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from backpath.errors import InputError
from backpath.explain.diagnosis.given import Objects, Parts, depth, items_of, one_row, parts_of
from backpath.files.wording import listed
from backpath.maths.network import Network
from backpath.maths.notation import weight_index

BiasPlace = Literal["last", "first", "apart", "absent"]


@dataclass(frozen=True)
class WeightLayout:
    """One way to lay out a network's weights.

    Attributes
    ----------
    transposed : whether a layer has a column per neuron, (inputs, neurons)
    bias : its place in a row, or "apart" in separate arrays, or "absent"
    backwards : whether the output layer is first
    by_columns : whether a flat row is in column order
    weights_first : whether all weights precede all biases in a flat row
    """

    transposed: bool = False
    bias: BiasPlace = "last"
    backwards: bool = False
    by_columns: bool = False
    weights_first: bool = False

    @property
    def words(self) -> str:
        """The differences from the notes' layout: "your weights have the bias first"; "" if there are none."""
        said: list[str] = []
        if self.bias in ("first", "apart"):
            apart = "" if self.weights_first else "have their biases in separate arrays"
            said += filter(None, ["have the bias first" if self.bias == "first" else apart])
        if self.transposed:
            said.append("are (inputs, neurons), a column per neuron")
        if self.by_columns:
            said.append("are unrolled column by column")
        if self.weights_first:
            said.append("come before all biases")
        if self.backwards:
            said.append("have the output layer first")
        return f"your weights {' and '.join(said)}" if said else ""

    def shape(self, neurons: int, inputs: int) -> tuple[int, int]:
        columns = inputs + (self.bias in ("last", "first"))
        return (columns, neurons) if self.transposed else (neurons, columns)

    def rows(self, W: Objects, b: Objects | None) -> Objects:
        """A layer's array in the notes' layout, with a row per neuron and the bias last."""
        rows = W.T if self.transposed else W
        if self.bias == "first":
            return np.concatenate([rows[:, 1:], rows[:, :1]], axis=1)
        return rows if b is None else np.concatenate([rows, b.reshape(-1, 1)], axis=1)

    def laid(self, W: Objects, biases: bool) -> tuple[Objects, Objects | None]:
        """The inverse of ``rows``: a layer in this layout, with its biases if they are separate."""
        if not biases:
            return (W.T if self.transposed else W).copy(), None
        weights, bias = W[:, :-1], W[:, -1:]
        row = {"last": [weights, bias], "first": [bias, weights]}.get(self.bias, [weights])
        whole = np.concatenate(row, axis=1)
        apart = bias.ravel().copy() if self.bias == "apart" else None
        return (whole.T if self.transposed else whole).copy(), apart


@dataclass(frozen=True)
class WeightReading:
    """The given figures by weight name, read in one layout."""

    layout: WeightLayout
    figures: dict[str, Any]


def readings(net: Network, given: object, what: str) -> list[WeightReading]:
    """All readings of ``given`` that fit the network, with the notes' own layout first.

    Raises
    ------
    InputError
        If there is none; the message gives the expected and the actual shapes.
    """
    if isinstance(given, Mapping) and _is_by_name(given, net):
        return [WeightReading(WeightLayout(), dict(given))]
    flat = one_row(given)
    found = list(_of_row(net, flat) if flat is not None else _of_parts(net, parts_of(given, net, what)))
    if not found:
        raise _refused(net, given, what)
    return found


def _is_by_name(given: Mapping[Any, object], net: Network) -> bool:
    """Whether the keys are the notes' names: at least one is, or all values are single figures."""
    for name in given:
        try:
            weight_index(name, net.sizes)
        except InputError:
            continue
        return True
    return all(not depth(value) for value in given.values())


def _layers(net: Network) -> list[tuple[int, int]]:
    return [(neurons, inputs) for inputs, neurons in pairwise(net.sizes)]


def _of_parts(net: Network, parts: Parts) -> Iterator[WeightReading]:
    """Readings of arrays by layer."""
    layers = _layers(net)
    if not len(layers) == len(parts.weights) == len(parts.biases or layers):
        return
    orders = [(False, parts), (True, parts.backwards())][: len(layers)]  # one layer has one order
    for (is_backwards, given), place, transposed in itertools.product(orders, _bias_places(net, parts), (False, True)):
        layout, biases = WeightLayout(transposed, place, is_backwards), given.biases
        arrays = [_fitted(W, layout.shape(*layer)) for W, layer in zip(given.weights, layers, strict=True)]
        if not biases or all(b.size in (1, n) for b, (n, _) in zip(biases, layers, strict=True)):
            yield from _named(net, layout, arrays, biases or [None] * len(layers))


def _bias_places(net: Network, parts: Parts) -> tuple[BiasPlace, ...]:
    if not net.biases:
        return ("absent",)
    return ("last", "first", "absent") if parts.biases is None else ("apart",)


def _named(
    net: Network, layout: WeightLayout, arrays: Sequence[Objects | None], biases: Sequence[Objects | None]
) -> Iterator[WeightReading]:
    rows: list[Objects] = []
    for W, b in zip(arrays, biases, strict=True):
        if W is None:
            return
        rows.append(layout.rows(W, b if b is None else np.broadcast_to(b.ravel(), (W.shape[layout.transposed],))))
    names = [name for name in net.weight_names if layout.bias != "absent" or "~" not in name]
    yield WeightReading(layout, dict(zip(names, [v for row in rows for v in row.ravel().tolist()], strict=True)))


def _fitted(W: Objects, shape: tuple[int, int]) -> Objects | None:
    """The array in this shape, if it has the shape, or is a vector and one dimension is 1."""
    if W.shape == shape:
        return W
    return W.reshape(shape) if W.ndim == 1 and 1 in shape and W.size == shape[0] * shape[1] else None


def _of_row(net: Network, row: Objects) -> Iterator[WeightReading]:
    """Readings of a flat row: layer after layer, with a layer's biases within its rows, after them, or after the
    weights of all layers."""
    for place, weights_first in _arrangements(net, row.size):
        for transposed, by_columns in ((False, False), (True, False), (False, True)):
            layout = WeightLayout(transposed, place, by_columns=by_columns, weights_first=weights_first)
            yield from _named(net, layout, *_cut(net, layout, row))


def _arrangements(net: Network, size: int) -> list[tuple[BiasPlace, bool]]:
    """The places of the biases in a flat row of this size, and whether all weights are first."""
    if size == sum(W.size for W in net.weights):
        if not net.biases:
            return [("absent", False)]
        found: list[tuple[BiasPlace, bool]] = [("last", False), ("first", False), ("apart", False)]
        return [*found, ("apart", True)] if len(net.weights) > 1 else found
    without_biases = sum(neurons * inputs for neurons, inputs in _layers(net))
    return [("absent", False)] if net.biases and size == without_biases else []


def _cut(net: Network, layout: WeightLayout, row: Objects) -> tuple[list[Objects | None], list[Objects | None]]:
    """A flat row in arrays by layer, and the biases if they are separate."""
    layers, is_apart = _layers(net), layout.bias == "apart"
    arrays, biases, start = list[Objects | None](), list[Objects | None](), 0
    last = row.size - sum(neurons for neurons, _ in layers)  # the biases' start if all weights are first
    for neurons, inputs in layers:
        rows, columns = layout.shape(neurons, inputs)
        part = row[start : start + rows * columns]
        start += rows * columns
        arrays.append(part.reshape(rows, columns, order="F" if layout.by_columns else "C"))
        first = last if layout.weights_first else start
        biases.append(row[first : first + neurons] if is_apart else None)
        last += neurons
        start += neurons * (is_apart and not layout.weights_first)
    return arrays, biases


def _came(item: Any) -> str:
    try:
        return str(np.shape(item)) if depth(item) else "a number"
    except ValueError:
        return "rows of unequal length"


def _refused(net: Network, given: object, what: str) -> InputError:
    shapes = [W.shape for W in net.weights]
    wanted = f"{what} must be figures by weight name, or arrays of the weights' shapes {shapes}"
    if isinstance(given, Mapping):
        return InputError(f"{wanted}, but its names are {listed(list(given))}")
    came = [_came(item) for item in (items_of(given) or [])][:8]
    if net.biases and len(came) > len(shapes):
        pairs = [((columns - 1, rows), (rows,)) for rows, columns in shapes]
        wanted += f", or with the biases apart {[shape for pair in pairs for shape in pair]}"
    return InputError(f"{wanted}, in any usual layout, but has {', '.join(came)}")


def sample_readings(net: Network, X: ArrayLike, y: ArrayLike, cost: str) -> Iterator[tuple[Any, Any, str]]:
    """The samples unchanged if they fit, and transposed if that fits; if both fit, unchanged first."""
    try:
        net.samples(X, y, cost)
        rows_fit = True
    except InputError:
        if np.ndim(X) != 2:
            raise
        rows_fit = False
    if rows_fit:
        yield X, y, ""
    if np.ndim(X) == 2 and np.ndim(y) <= 2:
        turned = np.transpose(X), np.transpose(np.atleast_2d(y))
        try:
            net.samples(*turned, cost)
        except InputError:
            if not rows_fit:
                net.samples(X, y, cost)  # raises the error
        else:
            yield *turned, "your samples are in columns"
