"""The input of ``backpath explain``: a network and samples from a model, a worked example, or the options."""

from __future__ import annotations

import difflib
import math
from collections.abc import Sequence, Sized
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from backpath.cli.explain.options import ExplainOptions, SampleOptions
from backpath.cli.options import whole_numbers
from backpath.errors import InputError
from backpath.files.preparation import Preparation
from backpath.files.wording import listed, quoted
from backpath.maths.arrays import Floats
from backpath.maths.checks import check_sizes
from backpath.maths.network import Network
from backpath.maths.notation import named_biases, neuron_names, weight_index, weight_name


@dataclass(frozen=True)
class Given:
    """The network and samples to explain."""

    network: Network
    x: NDArray[np.floating]
    y: NDArray[np.floating]
    cost: str = "squared_error"
    learning_rate: float = 0.5
    frozen: tuple[str, ...] = ()
    labels: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def network_of(path: str) -> Network:
    """The network in a worked example or a saved model."""
    if path.lower().endswith(".json"):
        from backpath.files.worked_examples import read_worked_example

        return read_worked_example(path).network
    from backpath.files.models import load_model

    return load_model(path).network


def from_file(path: str, options: SampleOptions) -> Given:
    """A worked example (.json) or a saved model."""
    is_example = path.lower().endswith(".json")
    _check_samples(options, is_example)
    return _worked_example(path, options.x, options.y) if is_example else _of_model(path, options)


def _check_samples(options: SampleOptions, is_example: bool) -> None:
    by_row = options.data is not None
    if by_row != (options.row is not None):
        raise InputError("--data gives a table and --row its rows; give both or neither")
    if by_row and (options.x, options.y) != (None, None):
        raise InputError("--data and --row replace --x and --y; leave those out")
    if by_row and is_example:
        raise InputError("--data is for a model of a table, but a worked example has its own samples")


def _of_model(path: str, options: SampleOptions) -> Given:
    from backpath.files.models import load_model

    model = load_model(path)
    cost = str(model.record.get("cost", "squared_error"))
    if model.preparation is None:
        if options.data is not None:
            raise InputError(f"{path} was not trained on a table; give its inputs with --x and --y")
        X, Y = _samples(model.network, *_both(options.x, options.y))
        return Given(model.network, X, Y, cost)
    X, Y = _of_table(model.preparation, options)
    names = neuron_names(model.network.sizes, 0)
    found = dict(zip(names, model.preparation.input_labels, strict=True))
    labels = {name: label for name, label in found.items() if name != label}
    taken = "--x and --y are" if options.data is None else f"row {options.row} of {options.data} is"
    note = f"{taken} read in the table's units and scaled as in training; X1 … are the scaled inputs."
    return Given(model.network, X, Y, cost, labels=labels, notes=() if model.preparation.is_plain else (note,))


def _of_table(preparation: Preparation, options: SampleOptions) -> tuple[Floats, Floats]:
    if options.data is None:
        return _prepared(preparation, *_both(options.x, options.y))
    from backpath.files.single_rows import read_rows

    return read_rows(options.data, preparation, whole_numbers(options.row or "", "--row"))


def _worked_example(path: str, x: str | None, y: str | None) -> Given:
    from backpath.files.worked_examples import read_worked_example

    found = read_worked_example(path)
    rate = 0.5 if found.learning_rate is None else found.learning_rate
    if (x, y) == (None, None):
        return Given(found.network, found.x, found.y, found.cost, rate, found.frozen)
    X, Y = _samples(found.network, *_both(x, y))
    return Given(found.network, X, Y, found.cost, rate, found.frozen)


def from_options(options: ExplainOptions) -> Given:
    """The network from --sizes and --weights, which must name all weights."""
    kinds = [name.strip() for name in (options.activations or "sigmoid").split(",")]
    sizes = check_sizes(whole_numbers(options.sizes or "", "--sizes"))
    pairs = [] if options.weights is None else list(_pairs(options.weights, "--weights"))
    biases = named_biases([name for name, _ in pairs], sizes)
    net = Network(sizes, activations=kinds[0] if len(kinds) == 1 else kinds, biases=biases)
    if options.weights is None:
        raise InputError(f"--sizes needs --weights too: a number for each of {listed(net.weight_names)}")
    net = net.replace(_weights(pairs, net))
    X, Y = _samples(net, *_both(options.x, options.y))
    return Given(net, X, Y)


def _weights(pairs: Sequence[tuple[str, str]], net: Network) -> dict[str, float]:
    """All weights by the notes' names, from pairs of a name and a number."""
    found: dict[str, float] = {}
    for name, text in pairs:
        known = weight_name(*weight_index(name, net.sizes, net.biases))
        if known in found:
            raise InputError(f"--weights gives {known} twice")
        found[known] = _number(text, f"--weights, {known}")
    missing = [name for name in net.weight_names if name not in found]
    if missing:
        raise InputError(f"--weights lacks {listed(missing)}; every weight needs a number")
    return found


def _both(x: str | None, y: str | None) -> tuple[str, str]:
    if x is None or y is None:
        raise InputError(
            f"give the sample's inputs and targets with --x and --y; {'--x' if x is None else '--y'} is missing"
        )
    return x, y


def _samples(net: Network, x: str, y: str) -> tuple[Floats, Floats]:
    """Samples between semicolons, values between commas; inputs also by name."""
    names = neuron_names(net.sizes, 0)
    X = [_row(sample, names, "--x") for sample in x.split(";")]
    Y = [_row(sample, neuron_names(net.sizes, len(net.sizes) - 1), "--y") for sample in y.split(";")]
    _check_count(X, Y)
    return np.array(X), np.array(Y)


def _check_count(X: Sized, Y: Sized) -> None:
    if len(X) != len(Y):
        raise InputError(
            f"--x has {len(X)} sample{'s' * (len(X) > 1)}, but --y has {len(Y)}; give the same number of each"
        )


def _row(sample: str, names: Sequence[str], option: str) -> list[float]:
    texts = _values(sample, names, option)
    return [_number(text, f"{option}, {name}") for text, name in zip(texts, names, strict=True)]


def _values(sample: str, names: Sequence[str], option: str) -> list[str]:
    """The texts of a sample in the order of the names; they may be given in this order, or with their names."""
    parts = [part.strip() for part in sample.split(",")]
    strange = [part for part in parts if not any(part.startswith(f"{name}=") for name in names)]
    if not strange:
        return _by_name(parts, names, option)
    named = [part.partition("=")[0] for part in strange if "=" in part]
    if named:
        raise _unknown_name(named[0], names, option)
    if len(parts) != len(names):
        raise InputError(f"{option} needs {len(names)} values ({listed(names)}), but {quoted(sample)} has {len(parts)}")
    return parts


def _unknown_name(name: str, names: Sequence[str], option: str) -> InputError:
    near = difflib.get_close_matches(name, names, n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"expected one of {listed(names)}"
    return InputError(f"{option} has no value named {quoted(name)}; {hint}")


def _by_name(parts: Sequence[str], names: Sequence[str], option: str) -> list[str]:
    """The texts in the order of the names, from parts that each begin with a name and an equals sign."""
    found: dict[str, str] = {}
    for part in parts:
        name = max((name for name in names if part.startswith(f"{name}=")), key=len)
        if name in found:
            raise InputError(f"{option} gives {quoted(name)} twice")
        found[name] = part[len(name) + 1 :].strip()
    missing = [name for name in names if name not in found]
    if missing:
        raise InputError(f"{option} lacks {listed(missing)}")
    return [found[name] for name in names]


def _pairs(text: str, option: str) -> list[tuple[str, str]]:
    """``W11_1=.1,W12_1=.2``; a comma inside a name (W12,3_1) belongs to it."""
    found, start = [], ""
    for part in text.split(","):
        piece = f"{start},{part}" if start else part
        name, equals, value = piece.partition("=")
        if not equals:
            start = piece
            continue
        found.append((name.strip(), value.strip()))
        start = ""
    if start:
        raise InputError(f"{option} takes name=number pairs separated by commas, but has {quoted(start)}")
    return found


def _number(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{where} must be a finite number, but is {quoted(text)}")
    return value


def _prepared(preparation: Preparation, x: str, y: str) -> tuple[Floats, Floats]:
    """Samples given in the table's values: numbers are scaled and categories become 0 and 1, as in training."""
    from backpath.files.predicting import encode_texts
    from backpath.files.single_rows import encode_targets

    columns = [column.name for column in preparation.inputs]
    X = encode_texts(preparation, [_values(sample, columns, "--x") for sample in x.split(";")], "--x")
    Y = encode_targets(preparation, [sample.strip() for sample in y.split(";")], "--y")
    _check_count(X, Y)
    return X, Y
