"""Descriptions of a network and its training, for terminals of 80 columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, groupby
from typing import Any

import click
import numpy as np
from numpy.typing import ArrayLike, NDArray

from backpath.cli.terminal import folded
from backpath.files.wording import counted, plain
from backpath.maths.network import Network
from backpath.maths.notation import layer_weights, neuron_name, weight_name
from backpath.training import TrainingResult
from backpath.training.bayesian import Bayesian

BARS = "▁▂▃▄▅▆▇█"
NAMED_UP_TO = 60  # the most weights to print by name; larger networks get a summary per layer


def bold(text: str) -> str:
    return click.style(text, bold=True)


def sparkline(values: ArrayLike, width: int = 28) -> str:
    """The values as a line of bars, on a logarithmic scale if they span more than a factor of ten.

    >>> sparkline([1, 2, 3, 4], 4)
    '▁▃▆█'
    """
    numbers = np.asarray(values, dtype=np.float64)
    if len(numbers) > width:
        numbers = np.array([part.mean() for part in np.array_split(numbers, width)])
    if numbers.min() > 0 and numbers.max() > 10 * numbers.min():
        numbers = np.log(numbers)
    low, high = numbers.min(), numbers.max()
    place = (numbers - low) / (high - low) if high > low else np.zeros(len(numbers))
    return "".join(BARS[int(p * (len(BARS) - 1) + 0.5)] for p in place)


def table(rows: Sequence[Sequence[str]], indent: str = "  ", left: Iterable[int] = (0,)) -> str:
    """Aligned columns: those in ``left`` to the left, numbers to the right.

    >>> print(table([["a", "1"], ["bb", "10"]]))
      a    1
      bb  10
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        indent
        + "  ".join(
            cell.ljust(w) if k in left else cell.rjust(w) for k, (cell, w) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def describe_network(network: Network) -> str:
    """A network in a line, such as ``2-2-1, sigmoid, 9 weights``."""
    kinds = " then ".join(name for name, _ in groupby(network.activations))
    count = sum(W.size for W in network.weights)
    bare = "" if network.biases else ", no biases"
    return f"{'-'.join(map(str, network.sizes))}, {kinds}, {count:,} weights{bare}"


def describe_weights(network: Network) -> str:
    """All weights by name, a line per neuron; for a large network, the range of each layer's weights."""
    layers = len(network.sizes) - 1
    if sum(W.size for W in network.weights) > NAMED_UP_TO:
        rows = [["layer", "weights", "lowest", "highest", "root mean square"]]
        for layer, W in enumerate(network.weights, 1):
            size = f"{W.shape[0]} × {W.shape[1]}"
            largest = float(np.abs(W).max()) or 1.0  # so that no square overflows
            rms = largest * float(np.sqrt(((W / largest) ** 2).mean()))
            rows.append([str(layer), size, f"{W.min():.4g}", f"{W.max():.4g}", f"{rms:.4g}"])
        return table(rows)
    lines = []
    for layer in range(1, layers + 1):
        names = [weight_name(*w) for w in layer_weights(network.sizes, layer, network.biases)]
        count = len(names) // network.sizes[layer]
        rows = []
        for j in range(network.sizes[layer]):
            pairs = [(name, f"{network[name]:.4f}") for name in names[j * count : (j + 1) * count]]
            rows.append([neuron_name(layer, j + 1, layers), *chain.from_iterable(pairs)])
        lines += wrapped(rows, count)
    return "\n".join(lines)


def wrapped(rows: list[list[str]], pairs: int, width: int = 78) -> list[str]:
    """Rows of a label and name-number pairs, broken so that no line is wider than a terminal."""
    cell = max(len(name) + len(number) + 4 for row in rows for name, number in zip(row[1::2], row[2::2], strict=True))
    fit = max(1, (width - 8) // cell)
    lines = []
    for start in range(0, pairs, fit):
        part = [[row[0] if start == 0 else "", *row[1 + 2 * start : 1 + 2 * (start + fit)]] for row in rows]
        lines.append(table(part, left=[0, *range(1, 2 * fit, 2)]))
    return lines


def describe_inputs(lines: Sequence[str], most: int = 16) -> str:
    """A model's inputs and target, one per line; only the first ones of many inputs."""
    *inputs, target = lines
    rest = [f"… {len(inputs) - most + 1} more"] if len(inputs) > most else []
    return "\n".join(folded(line, "  ") for line in [*(inputs[: most - 1] if rest else inputs), *rest, target])


def cost_curve(cost: NDArray[np.float64], seconds: float) -> str:
    """The first cost, the curve, the last cost, and how long it took."""
    took = f"{len(cost):,} epoch{'s' * (len(cost) != 1)} in {seconds:.1f} s"
    return f"{cost[0]:.3g} {sparkline(cost)} {cost[-1]:.3g}   {took}"


def describe_restarts(costs: NDArray[np.floating]) -> str:
    """The starts' costs; infinite ones diverged.

    >>> describe_restarts(np.array([0.125, 0.001, 0.002]))
    'the best of 3 starts, with costs from 0.001 to 0.125 (median 0.002)'
    """
    middle = float(
        np.sort(costs)[(len(costs) - 1) // 2]
    )  # the better one of two middle ones, because a mean could be infinite
    span = f"{costs.min():.3g} to {costs.max():.3g} (median {middle:.3g})"
    return f"the best of {len(costs):,} starts, with costs from {span}"


def describe_bayesian(found: Bayesian) -> str:
    """The result of Bayesian regularisation.

    >>> describe_bayesian(Bayesian(3.1, 1.1, 41.9, 61))
    'the data determine 41.9 of 61 weights: β = 1.1, α = 3.1'
    """
    determined = f"the data determine {found.gamma:.1f} of {found.parameters:,} weights"
    return f"{determined}: β = {found.beta:.3g}, α = {found.alpha:.3g}"


def truth_table_text(network: Network, X: NDArray[np.float64], y: NDArray[np.float64]) -> str:
    """Each input with the target, the network's answer, and the answer with threshold logic units instead."""
    A = network.predict(X)
    units = network.thresholded().predict(X)
    rows = [["X1", "X2", "y", "A1", "on TLUs"]]
    for x, wanted, answer, unit in zip(X, y[:, 0], A[:, 0], units[:, 0], strict=True):
        rows.append([f"{x[0]:g}", f"{x[1]:g}", f"{wanted:g}", f"{answer:.3f}", f"{unit:g}"])
    return table(rows, left=())


def describe_training(cost: str, solver: str, learning_rate: float | None, batch_size: int | None) -> str:
    """
    >>> describe_training("squared_error", "gd", 2, None)
    'squared_error, gd, learning rate 2, full batch'
    """
    if solver == "lm":
        return f"{cost}, lm (Levenberg-Marquardt)"
    rate = "its default learning rate" if learning_rate is None else f"learning rate {learning_rate:g}"
    return f"{cost}, {solver}, {rate}, {'full batch' if batch_size is None else f'batches of {batch_size:,}'}"


def stopped_early(result: TrainingResult) -> str:
    """Why training ended before its last epoch, and which epoch's network was kept, if either applies."""
    epochs = counted(result.epochs, "epoch")
    lines = {
        "converged": f"converged after {epochs}",
        "interrupted": f"interrupted after {epochs}; these are the results so far",
    }
    parts = [lines[result.stopped]] if result.stopped in lines else []
    validation = result.history.validation_cost
    if validation is not None and len(validation):
        parts.append(f"kept epoch {int(validation.argmin()) + 1:,}, the best on the held-out rows")
    return "; ".join(parts)


def describe_record(record: Mapping[str, Any]) -> str:
    """The facts of a model's training, a line each."""
    rows = []
    for name, value in record.items():
        if name == "quality" and isinstance(value, dict):
            rows += [[f"quality, {samples}", str(score)] for samples, score in value.items()]
        elif name == "table" and isinstance(value, dict):
            rows.append([name, ", ".join(map(str, value.get("files", ())))])
        else:
            rows.append([name.replace("_", " "), "full" if name == "batch_size" and value is None else str(value)])
    return table([[plain(name), plain(text)] for name, text in rows], left=(0, 1))
