"""Worked-example files: a network with its weights, samples, and figures to check.

A file is one JSON object; ``source``, ``cost``, ``learning_rate``, ``frozen`` and ``claimed`` may be left out::

    {"source": "…", "network": {"sizes": [2, 2, 1], "activations": "sigmoid", "weights": {"W11_1": 0.1, …}},
     "x": [[0, 1]], "y": [[1]], "cost": "half_squared_error", "learning_rate": 0.5, "frozen": ["biases"],
     "claimed": {"gradients": {"W11_1": "0.0123"}, "weights": {"W11_1": "0.0999"}, "values": {"H1": "0.5932"}}}

A claimed figure is a number, or the printed string, whose digits show its precision. A network has no biases if the
file says ``"biases": false``, or if it names all weights except the biases.
"""

from __future__ import annotations

import difflib
import itertools
import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpath.errors import InputError
from backpath.files.file_paths import unreadable
from backpath.maths.activations import activation
from backpath.maths.arrays import Array
from backpath.maths.checks import check_activations, check_learning_rate, check_sizes
from backpath.maths.network import Network
from backpath.maths.notation import (
    layer_weights,
    named_biases,
    neuron_index,
    weight_index,
    weight_name,
    weight_names,
)
from backpath.maths.other_names import activation_called, cost_called, taken_as
from backpath.maths.printed import printed_array

ClaimedFigures = Mapping[str, str | float]

_FIELDS = ("source", "network", "x", "y", "cost", "learning_rate", "frozen", "claimed")
_OWN = ("network", "x", "y")  # fields that a model replaces
_NETWORK_FIELDS = ("sizes", "activations", "biases", "weights")
_CLAIM_FIELDS = ("gradients", "weights", "values")
_KINDS: dict[type, str] = {dict: "an object {…}", list: "a list […]", str: "a text in quotes"}


@dataclass(frozen=True, eq=False)
class WorkedExample:
    """The checked contents of a worked-example file.

    Attributes
    ----------
    source : str
        The source of the example ("" if the file does not say).
    network : Network
    x, y : arrays (N, inputs), (N, outputs)
    samples : x and y as in the file, with the digits of numbers in quotes
    cost : str
    learning_rate : float | None
    frozen : tuple of str
        Weights that are not updated: names, or "biases".
    taken : str
        A note on names from other libraries: "'mse' is read as squared_error."
    gradients, weights, values : dicts
        The claimed gradients, updated weights, and values of the forward pass ("H1", "u_A1", or "cost"), by name:
        numbers, or strings as printed. Gradients and weights may also be lists in any layout of ``diagnose``.
    """

    source: str
    network: Network
    x: Array
    y: Array
    cost: str
    learning_rate: float | None
    frozen: tuple[str, ...]
    gradients: ClaimedFigures = field(default_factory=dict)
    weights: ClaimedFigures = field(default_factory=dict)
    values: ClaimedFigures = field(default_factory=dict)
    samples: tuple[Any, Any] = ((), ())
    taken: str = ""


Sampled = tuple[Network, Array, Array, str]


def read_worked_example(path: str | Path, sampled: Sampled | None = None) -> WorkedExample:
    """The worked example in a JSON file.

    Parameters
    ----------
    path : str or path
        The file.
    sampled : (Network, x, y, cost), optional
        The network, its samples and the cost, if they are not in the file. The file may name another cost.

    Raises
    ------
    InputError
        If the file cannot be read, is not JSON (with line and column), or is not a valid worked example.

    >>> import tempfile
    >>> text = '{"network": {"sizes": [1, 1], "weights": {"W11_1": 0.5, "W1~_1": 0}}, "x": [2], "y": [1]}'
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "one.json")
    ...     _ = path.write_text(text)
    ...     read_worked_example(path).network["W11_1"]
    0.5
    """
    found = _parse(Path(path))
    try:
        return _worked_example(found, sampled)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _parse(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=_object)
    except OSError as error:
        raise unreadable(path, "a worked example", error) from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text: byte {error.start + 1} is not valid") from None
    except json.JSONDecodeError as error:
        raise InputError(f"{path}, line {error.lineno}, column {error.colno}: not JSON: {error.msg}") from None
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except (ValueError, RecursionError):
        raise InputError(f"{path}: a number with too many digits, or lists nested too deeply") from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise InputError(f"the key {key!r} occurs twice in one object; keep one of them")
        found[key] = value
    return found


def _worked_example(found: Any, sampled: Sampled | None) -> WorkedExample:
    network, samples, cost, names = _from_file(found) if sampled is None else _from_model(found, sampled)
    called = _of_kind(found.get("cost", cost), str, "cost")
    cost = cost_called(called, network.activations[-1])
    x, y = samples if sampled else (printed_array(samples[0], "x")[0], printed_array(samples[1], "y")[0])
    x, y = network.samples(x, y, cost)
    claimed = _check_fields(found.get("claimed", {}), "claimed", _CLAIM_FIELDS)
    return WorkedExample(
        source=_of_kind(found.get("source", ""), str, "source"),
        network=network,
        x=x,
        y=y,
        cost=cost,
        learning_rate=_learning_rate(found.get("learning_rate"), claimed),
        frozen=_frozen(found.get("frozen", []), network),
        gradients=_claims(claimed, "gradients", network, _weight),
        weights=_claims(claimed, "weights", network, _weight),
        values=_claims(claimed, "values", network, _value),
        samples=samples,
        taken=taken_as([*names, (called, cost)]),
    )


_Given = tuple[Network, tuple[Any, Any], str, list[tuple[str, str]]]  # network, samples, cost, activations by names


def _from_file(found: Any) -> _Given:
    _check_fields(found, "the file", _FIELDS, required=_OWN)
    return _network(found["network"]), (found["x"], found["y"]), "squared_error", _called(found["network"])


def _from_model(found: Any, sampled: Sampled) -> _Given:
    _check_fields(found, "the file", _FIELDS)
    if there := [name for name in _OWN if name in found]:
        raise InputError(f"both the file and --model define {', '.join(there)}; leave them out of one")
    network, x, y, cost = sampled
    return network, (x, y), cost, []


def _learning_rate(found: Any, claimed: Any) -> float | None:
    if found is not None:
        return check_learning_rate(found)
    if claimed.get("weights"):
        raise InputError('claimed.weights needs the learning rate they were updated with: add "learning_rate"')
    return None


def _network(found: Any) -> Network:
    _check_fields(found, "network", _NETWORK_FIELDS, required=("sizes", "weights"))
    sizes = check_sizes(_of_kind(found["sizes"], list, "network.sizes"))
    activations = check_activations(_activations(found.get("activations", "sigmoid")), sizes)
    weights = _of_kind(found["weights"], dict, "network.weights")
    biases = _biases(found, sizes)
    given = _named(weights, "network.weights", lambda name: weight_name(*weight_index(name, sizes, biases)))
    _check_complete(given, sizes, biases)
    for name, value in given.items():
        _number(value, f"network.weights.{name}")
    return Network.from_weights(_arrays(given, sizes, biases), activations, biases=biases)


def _check_complete(given: Mapping[str, Any], sizes: tuple[int, ...], biases: bool) -> None:
    count = sum(n_out * (n_in + biases) for n_in, n_out in itertools.pairwise(sizes))
    missing = count - len(given)
    if missing:
        every = (weight_name(*index) for layer in range(1, len(sizes)) for index in layer_weights(sizes, layer, biases))
        first = list(itertools.islice((name for name in every if name not in given), 5))
        more = f" and {missing - 5} more" if missing > 5 else ""
        raise InputError(f"network.weights lacks {', '.join(first)}{more}; every weight needs a number")


def _arrays(given: Mapping[str, Any], sizes: tuple[int, ...], biases: bool) -> list[NDArray[Any]]:
    """The weights by layer; numbers in quotes stay as they are."""
    values = [given[name] for name in weight_names(sizes, biases)]
    flat = np.array(values, dtype=object if any(isinstance(value, str) for value in values) else float)
    shapes = [(n_out, n_in + biases) for n_in, n_out in itertools.pairwise(sizes)]
    ends = np.cumsum([rows * columns for rows, columns in shapes])
    return [part.reshape(shape) for part, shape in zip(np.split(flat, ends[:-1]), shapes, strict=True)]


def _biases(found: Any, sizes: tuple[int, ...]) -> bool:
    """Whether there are biases: as the file says, otherwise no if it omits just them from the weights."""
    if "biases" not in found:
        return named_biases(found["weights"], sizes)
    if not isinstance(found["biases"], bool):
        raise InputError(f"network.biases must be true or false, but is {json.dumps(found['biases'])[:60]}")
    return bool(found["biases"])


def _activations(found: Any) -> str | list[str]:
    given: list[str] = [found] if isinstance(found, str) else _of_kind(found, list, "network.activations")
    names = [activation_called(name) for name in given]
    for name in names:
        activation(name)
    return names[0] if isinstance(found, str) else names


def _called(network: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The activations by backpath's names, from the names in the file."""
    given = network.get("activations", "sigmoid")
    return [(name, activation_called(name)) for name in ([given] if isinstance(given, str) else given)]


def _claims(claimed: Any, kind: str, network: Network, canonical: Callable[[str, Network], str]) -> ClaimedFigures:
    where = f"claimed.{kind}"
    if kind != "values" and _is_laid_out(claimed.get(kind)):
        return claimed[kind]  # diagnose reads it
    given = _of_kind(claimed.get(kind, {}), dict, where)
    named = _named(given, where, lambda name: canonical(name, network))
    for name, figure in named.items():
        _number(figure, f"{where}.{name}")
    return named


def _is_laid_out(found: Any) -> bool:
    """Whether figures are lists by layer, not by the notes' names."""
    if isinstance(found, dict):
        return bool(found) and all(isinstance(value, list) for value in found.values())
    return isinstance(found, list)


def _named(given: dict[str, Any], where: str, canonical: Callable[[str], str]) -> dict[str, Any]:
    """The figures by canonical names (W2,1_1 is W21_1); two names of one weight are refused."""
    found: dict[str, Any] = {}
    for name, value in given.items():
        try:
            key = canonical(name)
        except InputError as error:
            raise InputError(f"{where}: {error}") from None
        if key in found:
            raise InputError(f"{where}: {name!r} occurs twice, as {key} too; keep one of them")
        found[key] = value
    return found


def _weight(name: str, network: Network) -> str:
    return weight_name(*weight_index(name, network.sizes, network.biases))


def _value(name: str, network: Network) -> str:
    if name != "cost":
        layer, _ = neuron_index(name.removeprefix("u_"), network.sizes)
        if layer == 0 and name.startswith("u_"):
            raise InputError(f"{name!r} does not exist: an input has no net input")
    return name


def _frozen(found: Any, network: Network) -> tuple[str, ...]:
    names = (found,) if isinstance(found, str) else tuple(_of_kind(found, list, "frozen"))
    network.free_weights(names)
    return names


def _number(figure: Any, where: str) -> float:
    """A finite number, also as a string."""
    try:
        if isinstance(figure, bool) or not isinstance(figure, int | float | str):
            raise TypeError
        number = float(figure.replace("\N{MINUS SIGN}", "-") if isinstance(figure, str) else figure)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        came = json.dumps(figure, ensure_ascii=False)[:60]
        raise InputError(f"{where} must be a finite number, or one in quotes as it was printed, but is {came}")
    return number


def _of_kind(value: Any, kind: type, where: str) -> Any:
    if not isinstance(value, kind):
        raise InputError(f"{where} must be {_KINDS[kind]}, but is {json.dumps(value, ensure_ascii=False)[:60]}")
    return value


def _check_fields(found: Any, where: str, fields: tuple[str, ...], required: tuple[str, ...] = ()) -> Any:
    for name in _of_kind(found, dict, where):
        if name not in fields:
            near = difflib.get_close_matches(name, fields, n=1, cutoff=0.6)
            hint = f"did you mean {near[0]!r}?" if near else f"expected one of {', '.join(fields)}"
            raise InputError(f"{where} has no field {name!r}; {hint}")
    for name in required:
        if name not in found:
            raise InputError(f"{where} lacks the field {name!r}")
    return found
