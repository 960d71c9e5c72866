"""How a user's function expects to be called, and how it returns its gradients."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from backpath.errors import InputError
from backpath.explain.diagnosis.layouts import WeightLayout, WeightReading, readings
from backpath.maths.arrays import Array
from backpath.maths.network import Network

Form = Literal["arrays", "pairs", "in turn", "named", "arguments"]
UserFunction = Callable[..., Any]


class _RaisedError(InputError):
    """The function raised an error; ``within``: in its own lines, not because of its number of arguments."""

    within = False


NOTES = WeightLayout()
_MANY = 99


@dataclass(frozen=True)
class Calling:
    """One way to call a function of weights and samples.

    Attributes
    ----------
    layout : of the weights that it gets, and returns the gradients of
    form : arrays by layer; pairs (W, b); W and b in turn; a dictionary with W1, b1; or each an argument of its own
    columns : whether samples are columns
    """

    layout: WeightLayout = NOTES
    form: Form = "arrays"
    columns: bool = False

    @property
    def words(self) -> str:
        samples = "your samples are in columns" if self.columns else ""
        return "; ".join(filter(None, (self.layout.words, samples)))

    def figures(self, function: UserFunction, net: Network, X: Array, y: Array) -> dict[str, Any]:
        """What the function returns for a network, by weight name.

        Raises
        ------
        InputError
            If it raises, or returns what is no gradients of the network.
        """
        inputs, targets = (X.T.copy(), y.T.copy()) if self.columns else (X.copy(), y.copy())
        try:
            returned = function(*self._arguments(net), inputs, targets)
        except Exception as error:
            raised = _RaisedError(f"the function raised {type(error).__name__}: {error}")
            raised.within = error.__traceback__ is not None and error.__traceback__.tb_next is not None
            raise raised from error
        figures = self._read(net, returned).figures
        values = np.array([_number(v) for v in figures.values()])
        if not np.isfinite(values).all():
            raise InputError("the function must return finite gradients, but some are not")
        return figures

    def _arguments(self, net: Network) -> list[Any]:
        laid = [self.layout.laid(np.array(W), net.biases) for W in net.weights]
        if self.layout.bias != "apart":
            arrays = [W for W, _ in laid]
            return arrays if self.form == "arguments" else [arrays]
        pairs = [(W, self._bias(b)) for W, b in laid if b is not None]
        if self.form == "pairs":
            return [pairs]
        in_turn = [part for pair in pairs for part in pair]
        if self.form == "named":
            names = [f"{letter}{k}" for k in range(1, len(pairs) + 1) for letter in "Wb"]
            return [dict(zip(names, in_turn, strict=True))]
        return in_turn if self.form == "arguments" else [in_turn]

    def _bias(self, b: Array) -> Array:
        """A column where samples are columns, else a row."""
        return b.reshape(-1, 1) if self.columns else b

    def _read(self, net: Network, returned: object) -> WeightReading:
        """The reading in the layout of the call, or the first that fits."""
        try:
            given = returned if isinstance(returned, dict) else list(returned)  # type: ignore[call-overload]  # caught
        except TypeError:
            raise InputError(
                f"the function must return gradients by layer, but returned {type(returned).__name__}"
            ) from None
        found = readings(net, given, "what the function returns")
        called = (self.layout.bias, self.layout.transposed)
        return next((r for r in found if (r.layout.bias, r.layout.transposed) == called), found[0])


def calls(function: UserFunction, net: Network, X: Array, y: Array) -> Iterator[Calling]:
    """The ways to call it that give gradients of the network's shapes; the notes' own way first.

    Raises
    ------
    InputError
        If there is none: what it returned in a way that it can be called in, or what it raised in the notes' way.
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
    """How much an error tells: most what it returned, least that it cannot be called in this way."""
    return 1 + error.within if isinstance(error, _RaisedError) else 3


def _ways(function: UserFunction, net: Network) -> Iterator[Calling]:
    count = _positional(function)
    if count == _MANY:
        yield from _forms(net, several=False)
    yield from _forms(net, several=count > 3)


def _forms(net: Network, several: bool) -> Iterator[Calling]:
    if not net.biases:
        layouts = [WeightLayout(bias="absent"), WeightLayout(transposed=True, bias="absent")]
    else:
        layouts = [WeightLayout(transposed=t, bias=b) for b in ("last", "first") for t in (False, True)]
    within = [Calling(layout, "arguments" if several else "arrays") for layout in layouts]
    forms: Sequence[Form] = ("arguments",) if several else ("pairs", "named", "in turn")
    apart = [Calling(WeightLayout(t, "apart"), form) for form in forms for t in (False, True)] if net.biases else []
    for call in (*within, *apart):
        yield call
    for call in (*within, *apart):
        yield replace(call, columns=True)


def _positional(function: UserFunction) -> int:
    """How many arguments it needs; many, if it takes any number."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return 3
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return _MANY
    return sum(p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in parameters)


def _number(value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type]  # what is no number is refused
    except (TypeError, ValueError):
        raise InputError("the function must return finite gradients, but some are not numbers") from None
