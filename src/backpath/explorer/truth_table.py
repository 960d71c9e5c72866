"""A row per sample: each neuron's output, the cost, and the sample's contribution to a weight's gradient."""

from __future__ import annotations

from typing import Any

import numpy as np

from backpath.explain.backward import backward
from backpath.explain.digits import added, agree, shown
from backpath.explorer import original
from backpath.explorer.data import Data
from backpath.explorer.even_digits import digits, filled
from backpath.explorer.scene import Scene
from backpath.files.preparation import Preparation
from backpath.files.wording import plain
from backpath.maths.notation import neuron_names, weight_index

ROWS = 25  # per page
SUMMED = 25  # samples whose contributions are rounded so that they add up to the sum as shown
SMALL = 1e-3
NEURONS = 16  # hidden neurons to show, in all layers together


def truth_table(scene: Scene, weight: str | None, first: int) -> dict[str, Any]:
    """``ROWS`` rows beginning with ``first`` (from 0), and the mean of all rows below.

    The columns are the inputs, the hidden neurons, the outputs, the targets, C, and ∂C/∂W of ``weight``: each sample's,
    and in the last line the batch's, which is their mean.
    """
    sizes, data = scene.network.sizes, scene.data
    labels = data.labels(sizes)
    rows = slice(first, first + ROWS)
    numbers = backward(scene.network, data.X[rows], data.y[rows], scene.settings.cost)
    hidden = [name for layer in range(1, len(sizes) - 1) for name in neuron_names(sizes, layer)]
    outputs = neuron_names(sizes, len(sizes) - 1)
    prepared = None if data.preparation is None or data.preparation.is_plain else data.preparation
    inputs = _inputs(data, rows, prepared) if prepared else [[_short(v) for v in row] for row in numbers.x]
    aims = [[text] for text in original.targets(prepared, numbers.y, original.OF_CELLS)] if prepared else None
    goal = plain(prepared.target.name) if prepared else "y"
    answers = [[_short(v) for v in row] for row in numbers.a[-1]]
    if prepared and prepared.target.task == "regression":
        answers = [[text] for text in original.targets(prepared, numbers.a[-1])]
    columns = [
        *[_column(title, "input", name) for title, name in _input_titles(sizes, labels, prepared)],
        *[_column(name, "hidden", name) for name in hidden[:NEURONS]],
        *[_column(labels.get(name, name) if len(outputs) > 1 else name, "output", name) for name in outputs],
        *(
            [_column(goal, "target")]
            if aims or len(outputs) == 1
            else [_column(f"y{k}", "target") for k in range(1, len(outputs) + 1)]
        ),
        _column("C", "cost"),
    ]
    of_hidden = np.concatenate(numbers.a[1:-1], axis=1)[:, :NEURONS] if hidden else np.zeros((len(numbers.x), 0))
    costs = numbers.costs.sum(axis=1)
    body = [
        [
            *inputs[k],
            *[_short(v) for v in of_hidden[k]],
            *answers[k],
            *(aims[k] if aims else [_short(v) for v in numbers.y[k]]),
            _short(costs[k]),
        ]
        for k in range(len(numbers.x))
    ]
    foot = [""] * (len(columns) - 1) + [shown(scene.cost, 4)]
    if weight is not None:
        columns.append(_column(f"∂C/∂{weight}", "gradient"))
        texts, mean = shares(scene, weight, rows)
        body = [[*cells, text] for cells, text in zip(body, texts, strict=True)]
        foot.append(mean)
    numbered = [data.number(first + k) for k in range(len(body))]
    table = {"columns": columns, "rows": body, "numbers": numbered, "mean": foot}
    return table | {"first": first, "all": len(data.X), "weight": weight}


def _short(value: float) -> str:
    """A number for a narrow column; a tiny one is written with a power of ten."""
    number = float(value)
    if 0 < abs(number) < SMALL:
        return f"{number:.1e}".replace("e-0", "e-")
    return _filled([shown(number, 3)], [number], 3)[0]


def _filled(texts: list[str], values: list[float], least: int) -> list[str]:
    """Numbers with equally many digits, unless they are exact with fewer."""
    is_exact = [float(text) == value for text, value in zip(texts, values, strict=True)]
    most = max([least, *(digits(text) for text, exact in zip(texts, is_exact, strict=True) if not exact)])
    return [text if exact else filled(text, most) for text, exact in zip(texts, is_exact, strict=True)]


def _inputs(data: Data, rows: slice, prepared: Preparation) -> list[list[str]]:
    return original.cells(prepared, data.X[rows])


def _input_titles(
    sizes: tuple[int, ...], labels: dict[str, str], prepared: Preparation | None
) -> list[tuple[str, str | None]]:
    """The values in the table's units, or the inputs."""
    if prepared:
        return [(plain(column.name), None) for column in prepared.inputs]
    return [(labels.get(name, name), name) for name in neuron_names(sizes, 0)]


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
        return _filled([shown(share, 4) for share in values], values, 4), _filled([shown(of_batch, 4)], [of_batch], 4)[
            0
        ]
    texts, mean = agree(values, of_batch, lambda terms: added(terms) / len(terms), 4, float(abs(shares).max()))
    return _filled(texts, values, 4)[rows], _filled([mean], [of_batch], 4)[0]
