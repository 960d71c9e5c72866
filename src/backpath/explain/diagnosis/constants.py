"""Constant factors of gradients from conventions, and the gradients that have them: a ½, a sum instead of a mean, a
sign, the learning rate."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from backpath.explain.diagnosis.mistakes import Change, Mistake
from backpath.explain.diagnosis.problem import Problem
from backpath.explain.digits import shown
from backpath.explain.expression import ONE, TWO, Expression, Marked, Number, Product, Quotient

Group = tuple[int, bool, bool]  # layer, biases, updates


@dataclass(frozen=True)
class Constant:
    """A known constant: its code and bits, its value for a problem (1 if it does not apply), its description, and its
    expression in the formula."""

    code: str
    bits: float
    value: Callable[[Problem], float]
    words: Callable[[Problem], str]
    written: Callable[[Problem], Expression]


def _fixed(code: str, bits: float, value: float, words: str, written: Expression) -> Constant:
    return Constant(code, bits, lambda q: value, lambda q: words, lambda q: written)


HALF = _fixed(
    "cost_convention", 2.0, 0.5, "half of what this cost gives: an extra ½, or a missing 2", Quotient(ONE, TWO)
)
TWICE = _fixed("cost_convention", 2.0, 2.0, "twice what this cost gives: a missing ½, or an extra 2", TWO)
_MINUS = Constant(
    "sign_flipped",
    2.0,
    lambda q: -1.0,
    lambda q: "of the opposite sign" + (": the step is added, not subtracted" if q.updates else ""),
    lambda q: Number("-1"),
)
_SUMMED = Constant(
    "missing_batch_average",
    2.0,
    lambda q: float(q.samples),
    lambda q: f"summed over the {q.samples} samples, not averaged",
    lambda q: Number(str(q.samples)),
)
_AVERAGED_TWICE = Constant(
    "missing_batch_average",
    3.5,
    lambda q: 1 / q.samples,
    lambda q: f"averaged over the {q.samples} samples twice",
    lambda q: Quotient(ONE, Number(str(q.samples))),
)
_ONE_LESS = Constant(
    "wrong_reduction",
    5.0,
    lambda q: q.samples / (q.samples - 1) if q.samples > 2 else 1.0,
    lambda q: f"divided by {q.samples - 1}, one less than the number of samples",
    lambda q: Quotient(Number(str(q.samples)), Number(str(q.samples - 1))),
)
_BY_INPUTS = Constant(
    "wrong_reduction",
    8.0,
    lambda q: q.samples / q.width(0) if q.samples > 1 else 1.0,
    lambda q: f"divided by {q.width(0)}, the number of inputs, not by the {q.samples} samples",
    lambda q: Quotient(Number(str(q.samples)), Number(str(q.width(0)))),
)
_ROOT = Constant(
    "other_cost",
    7.0,
    lambda q: 0.5 / math.sqrt(q.mean_cost) if q.mean_cost > 0 else 1.0,
    lambda q: "that of the square root of the cost, √C: divided by 2√C",
    lambda q: Quotient(ONE, Number("2√C")),
)
_OUTPUTS = Constant(
    "output_average",
    3.0,
    lambda q: 1 / q.width(q.layers),
    lambda q: f"averaged over the {q.width(q.layers)} outputs, not summed",
    lambda q: Quotient(ONE, Number(str(q.width(q.layers)))),
)
_RATE = Constant(
    "learning_rate_included",
    2.5,
    lambda q: q.learning_rate or 1.0,
    lambda q: f"already multiplied by the learning rate {q.learning_rate:g}",
    lambda q: Number(f"{q.learning_rate:g}"),
)
NO_RATE = Constant(
    "missing_learning_rate",
    3.0,
    lambda q: 1 / (q.learning_rate or 1.0),
    lambda q: "subtracted without the learning rate",
    lambda q: ONE,
)
SLOTS: tuple[tuple[Constant, ...], ...] = (
    (_MINUS,),
    (HALF, TWICE, _ROOT),
    (_SUMMED, _AVERAGED_TWICE, _ONE_LESS, _BY_INPUTS),
    (_RATE, NO_RATE),
    (_OUTPUTS,),
)  # at most one of each


def fitted(value: float, bits: float) -> Constant:
    """A constant without an explanation."""
    code, words, written = (
        "scaled",
        f"{shown(value)} times the right one, without an explanation",
        Number(shown(value)),
    )
    return _fixed(code, bits + 3.0, value, words, written)


def other_rate(value: float, rate: float, bits: float) -> Constant:
    """A round learning rate that differs from the given one."""
    words = f"multiplied by a learning rate of {shown(value)}, not {shown(rate)}"
    return _fixed("other_learning_rate", bits, value / rate, words, Number(shown(value / rate)))


def some_rate(value: float, bits: float) -> Constant:
    """A round constant with an unknown learning rate."""
    words = f"{shown(value)} times the right one, as if it included a learning rate of {shown(value)}"
    return _fixed("learning_rate_included", bits, value, words, Number(shown(value)))


NOTHING = _fixed("all_zero", 4.0, 0.0, "0, as if computed with integers", Number("0"))


@dataclass(frozen=True)
class Scope:
    """Some of the groups, with a description and its bits."""

    words: str
    holds: Callable[[Group], bool]
    bits: float
    layers: tuple[int, ...] = ()
    biases: bool = False
    power: bool = False  # once more for each layer further back


ALL = Scope("every gradient", lambda group: True, 0.0)


def scopes(q: Problem, groups: Sequence[Group]) -> list[Scope]:
    """All parts of the groups that may have a constant alone."""
    both = len({is_bias for _, is_bias, _ in groups}) > 1
    found: list[Scope] = []
    if q.layers > 1:
        found += [scope for layer in q.every for scope in _of_layer(layer, both)]
    if q.layers > 2:
        hidden = Scope("every gradient of the hidden layers", lambda group: group[0] < q.layers, 0.0, tuple(q.hidden))
        words = "every gradient of the hidden layers, once more for each layer further back,"
        found += [hidden, replace(hidden, words=words, power=True)]
    if both:
        words = "the gradients of the weights without the biases"
        found.append(Scope(words, lambda group: not group[1], 1.0))
        found.append(Scope("the gradients of the biases", lambda group: group[1], 0.0, tuple(q.every), True))
    if len({is_update for *_, is_update in groups}) > 1:
        found.append(Scope("every update", lambda group: group[2], 0.0))
    bits = 2.5 + math.log2(max(len(found), 1))
    return [replace(scope, bits=scope.bits + bits) for scope in found]


def _of_layer(layer: int, both: bool) -> Iterator[Scope]:
    """``both``: whether there are weights and biases to distinguish."""
    yield Scope(f"every gradient of layer {layer}", _in_layer(layer), 0.0, (layer,))
    if both:
        words = f"the gradients of the biases of layer {layer}"
        yield Scope(words, _biases_of(layer), 0.0, (layer,), True)
        words = f"the gradients of the weights of layer {layer} without its biases"
        yield Scope(words, _weights_of(layer), 1.0, (layer,))


def _in_layer(layer: int) -> Callable[[Group], bool]:
    return lambda group: group[0] == layer


def _biases_of(layer: int) -> Callable[[Group], bool]:
    return lambda group: group[0] == layer and group[1]


def _weights_of(layer: int) -> Callable[[Group], bool]:
    return lambda group: group[0] == layer and not group[1]


def as_mistake(q: Problem, constant: Constant, scope: Scope) -> Mistake:
    """A constant in the report."""
    names: tuple[str, ...] = ()
    for layer in scope.layers:
        names += q.biases(layer) if scope.biases else q.weights_of(layer)
    verb = "are" if scope.words.startswith("the gradients") else "is"
    code = _code(constant, scope)
    message = f"{scope.words} {verb} {constant.words(q)}"
    if constant is NOTHING and scope is not ALL:
        message = f"{scope.words} {verb} 0: {'they are not updated' if q.updates else 'nothing reaches them'}"
    change = Change("whole", None, times(constant.written(q)))
    is_choice = scope is ALL and code not in ("scaled", "all_zero")
    is_fitted = code in ("scaled", "other_learning_rate") or (
        code == "learning_rate_included" and constant is not _RATE
    )
    return Mistake(code, names, message, (), change, convention=is_choice, fitted=is_fitted)


def _code(constant: Constant, scope: Scope) -> str:
    if scope.biases and constant.code == "sign_flipped":
        return "bias_sign"
    return "bias_not_updated" if scope.biases and constant is NOTHING else constant.code


def times(number: Expression) -> Callable[[Expression], Expression]:
    """A product with a further factor."""
    return lambda whole: Product((Marked(number), *(whole.factors if isinstance(whole, Product) else (whole,))))
