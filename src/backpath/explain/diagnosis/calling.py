"""How to call a user's function, and how to read its gradients."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from backpath.errors import InputError
from backpath.explain.diagnosis.given import depth
from backpath.explain.diagnosis.layouts import BiasPlace, WeightLayout, WeightReading, readings
from backpath.maths.arrays import Array
from backpath.maths.network import Network

Form = Literal["arrays", "pairs", "in turn", "named", "arguments", "weights first", "lists"]
UserFunction = Callable[..., Any]


class _RaisedError(InputError):
    """The function raised an error; ``within``: in its own lines, not because of its number of arguments."""

    within = False


NOTES = WeightLayout()
_INPUTS = {"x", "xs", "inputs", "input", "data", "features", "x_train", "xtrain", "x_batch"}  # usual names of X


@dataclass(frozen=True)
class Calling:
    """One way to call a function of weights and samples.

    Attributes
    ----------
    layout : the layout of the weights and of the returned gradients
    form : arrays by layer; pairs (W, b); W and b in turn; a dictionary with W1, b1; or separate arguments: each array,
        all weights before the biases, or a list of weights and one of biases
    columns : whether samples are columns
    samples_first : whether X and y precede the weights
    """

    layout: WeightLayout = NOTES
    form: Form = "arrays"
    columns: bool = False
    samples_first: bool = False

    @property
    def words(self) -> str:
        samples = "your samples are in columns" if self.columns else ""
        return "; ".join(filter(None, (self.layout.words, samples)))

    def figures(self, function: UserFunction, net: Network, X: Array, y: Array) -> dict[str, Any]:
        """The function's gradients for a network, by weight name.

        Raises
        ------
        InputError
            If it raises, or does not return gradients of the network.
        """
        samples = [X.T.copy(), y.T.copy()] if self.columns else [X.copy(), y.copy()]
        weights = self._arguments(net)
        before = copy.deepcopy(weights)
        try:
            returned = function(*(samples + weights if self.samples_first else weights + samples))
        except Exception as error:
            raised = _RaisedError(f"the function raised {type(error).__name__}: {error}")
            raised.within = error.__traceback__ is not None and error.__traceback__.tb_next is not None
            raise raised from error
        if returned is None and repr(weights) != repr(before):  # they are updated in place
            returned = weights if len(weights) > 1 else weights[0]
        figures = self._read(net, returned).figures
        values = np.array([_number(v) for v in figures.values()])
        if not np.isfinite(values).all():
            raise InputError("the function must return finite gradients, but some are not")
        return figures

    def _arguments(self, net: Network) -> list[Any]:
        """The weights as the function takes them."""
        laid = [self.layout.laid(np.array(W), net.biases) for W in net.weights]
        if self.layout.bias != "apart":
            arrays = [W for W, _ in laid]
            return arrays if self.form == "arguments" else [arrays]
        return _apart(self.form, [(W, self._bias(b)) for W, b in laid if b is not None])

    def _bias(self, b: Array) -> Array:
        """A column if samples are columns, otherwise a row."""
        return b.reshape(-1, 1) if self.columns else b

    def _read(self, net: Network, returned: object) -> WeightReading:
        """The gradients in the layout of the call, or in the first layout that fits."""
        try:
            given = returned if isinstance(returned, dict) else list(returned)  # type: ignore[call-overload]  # caught
        except TypeError:
            raise InputError(
                f"the function must return gradients by layer, but returned {type(returned).__name__}"
            ) from None
        found = _readings(net, given)
        called = (self.layout.bias, self.layout.transposed)
        return next((r for r in found if (r.layout.bias, r.layout.transposed) == called), found[0])


def _apart(form: Form, pairs: Sequence[tuple[Array, Array]]) -> list[Any]:
    """The arguments for weights and biases in separate arrays."""
    in_turn = [part for pair in pairs for part in pair]
    weights, biases = ([pair[k] for pair in pairs] for k in (0, 1))
    names = [f"{letter}{k}" for k in range(1, len(pairs) + 1) for letter in "Wb"]
    arguments: dict[Form, list[Any]] = {
        "pairs": [list(pairs)],
        "weights first": [*weights, *biases],
        "lists": [weights, biases],
        "named": [dict(zip(names, in_turn, strict=True))],
        "arguments": in_turn,
    }
    return arguments.get(form, [in_turn])


def _readings(net: Network, given: Any) -> list[WeightReading]:
    """The returned gradients in every layout that fits, without the cost if that is also returned."""
    what = "what the function returns"
    try:
        return readings(net, given, what)
    except InputError:
        arrays = [] if isinstance(given, dict) else [item for item in given if isinstance(item, Mapping) or depth(item)]
        if not arrays or len(arrays) == len(given):
            raise
        return readings(net, arrays[0] if len(arrays) == 1 else arrays, what)


def calls(function: UserFunction, net: Network, X: Array, y: Array) -> Iterator[Calling]:
    """The ways to call it that return gradients in the network's shapes; the notes' own way is first.

    Raises
    ------
    InputError
        If there is none; the message says what it returned or raised.
    """
    refused: InputError | None = None
    found = False
    for call in _ways(function, net):
        try:
            call.figures(function, net, X, y)
        except InputError as error:
            if refused is None or _telling(error) > _telling(refused):
                refused = error
        else:
            found = True
            yield call
    if not found and refused is not None:
        raise refused


def _telling(error: InputError) -> int:
    """The usefulness of an error: highest if it returned something, lowest if it cannot be called in this way."""
    return 1 + error.within if isinstance(error, _RaisedError) else 3


def _ways(function: UserFunction, net: Network) -> Iterator[Calling]:
    names = _positional(function)
    ways = list(_forms(net, several=names is None or len(names) > 3))
    if names is None:
        ways = [*_forms(net, several=False), *ways]
    turned = [replace(way, samples_first=True) for way in ways]
    yield from [*turned, *ways] if names and names[0].lower() in _INPUTS else [*ways, *turned]


def _forms(net: Network, several: bool) -> Iterator[Calling]:
    sides = (False, True)
    places: Sequence[BiasPlace] = ("last", "first") if net.biases else ("absent",)
    forms: Sequence[Form] = ("arguments", "weights first", "lists") if several else ("pairs", "named", "in turn")
    found = [Calling(WeightLayout(t, place), "arguments" if several else "arrays") for place in places for t in sides]
    if net.biases:
        found += [Calling(WeightLayout(t, "apart"), form) for form in forms for t in sides]
    yield from found
    yield from (replace(call, columns=True) for call in found)


def _positional(function: UserFunction) -> list[str] | None:
    """The names of the required arguments; None if it takes any number."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return ["weights", "X", "y"]
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return None
    return [
        p.name for p in parameters if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]


def _number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]  # anything that is not a number is refused
    except (TypeError, ValueError):
        raise InputError("the function must return finite gradients, but some are not numbers") from None
