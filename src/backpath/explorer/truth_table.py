"""A row per sample: each neuron's output, the cost, and the sample's contribution to a weight's gradient."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from backpath.explain.backward import Backward, backward
from backpath.explain.digits import added, agree, shown
from backpath.explorer import original
from backpath.explorer.data import Data
from backpath.explorer.even_digits import digits, padded
from backpath.explorer.scene import Scene
from backpath.files.wording import plain
from backpath.maths.arrays import Array
from backpath.maths.notation import neuron_names, weight_index

ROWS = 25  # per page
SUMMED = 25  # samples whose contributions are rounded so that they add up to the sum as shown
_SMALL = 1e-3
_NEURONS = 16  # hidden neurons to show, in all layers together


@dataclass(frozen=True)
class ColumnGroup:
    """Neighbouring columns: their titles, the cells of each row, and what the last line has below each of them."""

    columns: list[dict[str, Any]]
    cells: list[list[str]]
    mean: str = ""


def truth_table(scene: Scene, weight: str | None, first: int) -> dict[str, Any]:
    """``ROWS`` rows beginning with ``first`` (from 0), and the mean of all rows below.

    The columns are the inputs, the hidden neurons, the outputs, the targets, C, and ∂C/∂W of ``weight``: each sample's,
    and in the last line the batch's, which is their mean.
    """
    data, sizes = scene.data, scene.network.sizes
    rows = slice(first, first + ROWS)
    numbers = backward(scene.network, data.X[rows], data.y[rows], scene.settings.cost)
    groups = [
        _inputs(data, sizes, numbers),
        _hidden(sizes, numbers),
        _outputs(data, sizes, numbers),
        _targets(data, numbers),
        ColumnGroup(
            [_column("C", "cost")], _short_rows(numbers.costs.sum(axis=1, keepdims=True)), shown(scene.cost, 4)
        ),
    ]
    if weight is not None:
        texts, mean = shares(scene, weight, rows)
        groups.append(ColumnGroup([_column(f"∂C/∂{weight}", "gradient")], [[text] for text in texts], mean))
    return {
        "columns": list(chain.from_iterable(group.columns for group in groups)),
        "rows": [list(chain(*cells)) for cells in zip(*(group.cells for group in groups), strict=True)],
        "numbers": [data.number(first + k) for k in range(len(numbers.x))],
        "mean": list(chain.from_iterable([group.mean] * len(group.columns) for group in groups)),
        "first": first,
        "all": len(data.X),
        "weight": weight,
    }


def _inputs(data: Data, sizes: tuple[int, ...], numbers: Backward) -> ColumnGroup:
    """The table's cells, or the inputs."""
    if data.units:
        columns = [_column(plain(column.name), "input") for column in data.units.inputs]
        return ColumnGroup(columns, original.cells(data.units, numbers.x))
    labels = data.labels(sizes)
    columns = [_column(labels.get(name, name), "input", name) for name in neuron_names(sizes, 0)]
    return ColumnGroup(columns, _short_rows(numbers.x))


def _hidden(sizes: tuple[int, ...], numbers: Backward) -> ColumnGroup:
    names = [name for layer in range(1, len(sizes) - 1) for name in neuron_names(sizes, layer)]
    values = np.hstack([np.empty((len(numbers.x), 0)), *numbers.a[1:-1]])[:, :_NEURONS]
    return ColumnGroup([_column(name, "hidden", name) for name in names[:_NEURONS]], _short_rows(values))


def _outputs(data: Data, sizes: tuple[int, ...], numbers: Backward) -> ColumnGroup:
    names, labels = neuron_names(sizes, len(sizes) - 1), data.labels(sizes) if sizes[-1] > 1 else {}
    columns = [_column(labels.get(name, name), "output", name) for name in names]
    if data.units and data.units.target.task == "regression":
        return ColumnGroup(columns, [[text] for text in original.targets(data.units, numbers.a[-1])])
    return ColumnGroup(columns, _short_rows(numbers.a[-1]))


def _targets(data: Data, numbers: Backward) -> ColumnGroup:
    """The table's target, or the numbers y."""
    if data.units:
        texts = original.targets(data.units, numbers.y, original.OF_CELLS)
        return ColumnGroup([_column(plain(data.units.target.name), "target")], [[text] for text in texts])
    outputs = numbers.y.shape[1]
    titles = ["y"] if outputs == 1 else [f"y{k}" for k in range(1, outputs + 1)]
    return ColumnGroup([_column(title, "target") for title in titles], _short_rows(numbers.y))


def _short_rows(values: Array) -> list[list[str]]:
    return [[_short(value) for value in row] for row in values]


def _short(value: float) -> str:
    """A number for a narrow column; a tiny one is written with a power of ten."""
    number = float(value)
    if 0 < abs(number) < _SMALL:
        return f"{number:.1e}".replace("e-0", "e-")
    return _filled([shown(number, 3)], [number], 3)[0]


def _filled(texts: list[str], values: list[float], least: int) -> list[str]:
    """Numbers with equally many digits, unless they are exact with fewer."""
    is_exact = [float(text) == value for text, value in zip(texts, values, strict=True)]
    most = max([least, *(digits(text) for text, exact in zip(texts, is_exact, strict=True) if not exact)])
    return [text if exact else padded(text, most) for text, exact in zip(texts, is_exact, strict=True)]


def _column(title: str, kind: str, neuron: str | None = None) -> dict[str, Any]:
    return {"title": title, "kind": kind, "neuron": neuron}


def shares(scene: Scene, weight: str, rows: slice) -> tuple[list[str], str]:
    """∂C/∂W of each sample in these rows, and the mean over all samples."""
    layer, neuron, source = weight_index(weight, scene.network.sizes, scene.network.biases)
    data, cost = scene.data, scene.settings.cost
    of_batch = scene.network.gradients(data.X, data.y, cost)[weight]
    whole = len(data.X) <= SUMMED
    part = slice(None) if whole else rows
    numbers = backward(scene.network, data.X[part], data.y[part], cost)
    shares = numbers.delta[layer - 1][:, neuron - 1]
    if source is not None:
        shares = shares * numbers.a[layer - 1][:, source - 1]
    values = shares.tolist()
    if not whole:
        mean = _filled([shown(of_batch, 4)], [of_batch], 4)[0]
        return _filled([shown(share, 4) for share in values], values, 4), mean
    texts, mean = agree(values, of_batch, lambda terms: added(terms) / len(terms), 4, float(abs(shares).max()))
    return _filled(texts, values, 4)[rows], _filled([mean], [of_batch], 4)[0]
