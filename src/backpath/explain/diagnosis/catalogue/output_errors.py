"""Mistakes in the error: another cost, another quantity instead of ∂C/∂A, or the undifferentiated cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from backpath.explain import symbols as sy
from backpath.explain.diagnosis.catalogue.uses import Values
from backpath.explain.diagnosis.mistakes import LOCAL, PLAIN, Change, Mistake
from backpath.explain.diagnosis.passes import Index, Passes, Stage
from backpath.explain.diagnosis.problem import Problem
from backpath.explain.expression import (
    ONE,
    Call,
    Expression,
    Negative,
    Number,
    Partial,
    Power,
    Product,
    Quotient,
    Symbol,
    Truth,
    minus,
)
from backpath.explain.formulas import of_output
from backpath.maths.activations import activation
from backpath.maths.arrays import Array
from backpath.maths.costs import COSTS, cost_function
from backpath.maths.notation import neuron_index

_HALF, _ZERO = Number("½"), Number("0")
_SAME_BUT_FOR_A_CONSTANT = {"squared_error", "half_squared_error"}


def errors(q: Problem) -> Iterator[Mistake]:
    yield from _other_costs(q)
    yield from _not_differentiated(q)
    yield from _in_its_place(q)
    yield from _of_costs_that_are_not_here(q)
    yield from _of_cross_entropy(q)


def _other_costs(q: Problem) -> Iterator[Mistake]:
    """The gradient of another cost."""
    for name in COSTS:
        if not _is_other_cost(q, name):
            continue

        def edit(p: Passes, h: Index, name: str = name) -> None:
            u, a, y = p.u[-1][h], p.a[-1][h], p.y[h]
            cost = cost_function(name)
            p.dC_da[-1][h] = cost.derivative(u, a, y)
            p.delta[-1][h] = cost.output_delta(p.q.net.activations[-1], u, a, y)

        also = " (or squared_error, which is twice that)" if name == "half_squared_error" else ""
        message = f"the gradient is that of {name}{also}, not of {q.cost}"
        yield Mistake("other_cost", (), message, ((Stage.ERROR, edit),), None, PLAIN, convention=True)


def _is_other_cost(q: Problem, name: str) -> bool:
    """Whether a cost fits the outputs and the targets, and has another gradient by more than a constant."""
    row = COSTS[name]
    if name in (q.cost, "squared_error") or {name, q.cost} <= _SAME_BUT_FOR_A_CONSTANT:
        return False
    if row.output_activation is None:
        is_half_squared_error = name == "huber" and (np.abs(q.net.predict(q.X) - q.y) <= 1).all()
        return not is_half_squared_error
    fits = row.output_activation == q.net.activations[-1]
    return fits and bool(((q.y >= 0) & (q.y <= row.highest)).all())


@dataclass(frozen=True)
class Written:
    """The symbols of an output for a formula: its A and y, the error, and the error as a function of any A and y."""

    A: Expression
    y: Expression
    error: Expression
    of: Callable[[Expression, Expression], Expression]


Formula = Callable[[Written], Expression]


def _change(q: Problem, formula: Formula, is_delta: bool = False) -> Change:
    """∂C/∂A replaced by a formula, or with ``is_delta`` ∂C/∂u of the outputs, which is A − y."""

    def claimed(name: str, *right: Expression) -> Expression:
        _, j = neuron_index(name, q.net.sizes)
        A, y = sy.neuron(name), sy.target(j, q.width(q.layers))
        if is_delta:
            return formula(Written(A, y, minus(A, y), minus))
        slope = of_output(q.cost, j).slope
        return formula(Written(A, y, Partial(sy.C, A), lambda A, y: slope(A, y, minus(A, y))))

    return Change("delta" if is_delta else "cost", q.layers, claimed)


def _error(
    code: str, q: Problem, message: str, values: Values, formula: Formula, rank: int = LOCAL, by_sample: bool = False
) -> Mistake:
    """∂C/∂A replaced."""

    def edit(p: Passes, h: Index) -> None:
        p.dC_da[-1][h] = values(p, h)
        p.changed_error[h] = True

    edits = ((Stage.ERROR, edit),)
    return Mistake(code, q.neurons(q.layers), message, edits, _change(q, formula), rank, by_sample=by_sample)


def _call(name: str, *arguments: Expression) -> Expression:
    return Call(Symbol(name, name), arguments)


def _in_its_place(q: Problem) -> Iterator[Mistake]:
    """Another quantity instead of ∂C/∂A, or instead of δ if the cost makes δ = A − y."""
    is_delta = cost_function(q.cost).delta is not None
    kinds = [*_replacements(q), *_changes(q)]  # in this order, because both may be wrong
    for formula, message, values, difference, by_sample in kinds:
        made = _error("wrong_error", q, message, values, formula, by_sample=by_sample)
        if is_delta:
            made = replace(made, edits=((Stage.BACKWARD, _delta(difference)),), change=_change(q, formula, True))
        yield made


# the formula, the message, ∂C/∂A, δ of A and y, and whether it depends on the other samples
WrongError = tuple[Formula, str, Values, Callable[[Array, Array], Array], bool]


def _replacements(q: Problem) -> Iterator[WrongError]:
    """Other quantities than the error."""
    yield lambda w: w.y, "the target is used instead of the error", lambda p, h: p.y[h], lambda a, y: y, False
    yield lambda w: w.A, "the output is used instead of the error", lambda p, h: p.a[-1][h], lambda a, y: a, False
    yield (
        lambda w: w.of(Truth(w.A, "≥", _HALF), w.y),
        "the error is computed from the output rounded to 0 or 1",
        lambda p, h: _slope(p, h, np.where(p.a[-1][h] >= 0.5, 1.0, 0.0), p.y[h]),
        lambda a, y: np.where(a >= 0.5, 1.0, 0.0) - y,
        False,
    )
    if q.samples > 1:
        yield (
            lambda w: w.of(w.A, _call("mean", w.y)),
            "every output is compared with every target, as (N, 1) − (N,) does: A − mean y",
            lambda p, h: _slope(p, h, p.a[-1][h], _mean(p.y[h])),
            lambda a, y: a - _mean(y),
            True,
        )
        yield (
            lambda w: w.of(_call("mean", w.A), w.y),
            "every target is compared with every output: mean A − y",
            lambda p, h: _slope(p, h, _mean(p.a[-1][h]), p.y[h]),
            lambda a, y: _mean(a) - y,
            True,
        )
    if q.width(q.layers) > 1 and np.isin(q.y, (0, 1)).all() and (q.y.sum(axis=1) == 1).all():
        for first in (0, 1):
            words = f"the number of the class, counted from {first}, is used instead of each target"
            yield lambda w: w.of(w.A, Symbol("class", "class")), words, *_class_error(first), False


def _changes(q: Problem) -> Iterator[WrongError]:
    """Functions of the error."""
    if q.samples > 1:
        words = "the mean error of the batch is used instead of each error"
        yield lambda w: _call("mean", w.error), words, *_both(_mean), True
        words = "the error of the last sample is used instead of each error"
        yield lambda w: _call("last", w.error), words, *_both(_last), True
    if q.width(q.layers) > 1:
        words = "the sum of the errors over the outputs is used instead of each error"
        yield lambda w: _call("Σ", w.error), words, *_both(lambda e: _all(e.sum(axis=2, keepdims=True), e)), False
    words = "the error's absolute value is used instead of the error"
    yield lambda w: _call("abs", w.error), words, *_both(np.abs), False
    words = "negative errors are set to 0"
    yield lambda w: _call("max", w.error, _ZERO), words, *_both(lambda e: np.maximum(e, 0)), False
    words = "positive errors are set to 0"
    yield lambda w: _call("min", w.error, _ZERO), words, *_both(lambda e: np.minimum(e, 0)), False


def _class_error(first: int) -> tuple[Values, Callable[[Array, Array], Array]]:
    def number(y: Array) -> Array:
        return _all(first + y.argmax(axis=2, keepdims=True), y)

    return lambda p, h: _slope(p, h, p.a[-1][h], number(p.y[h])), lambda a, y: a - number(y)


def _slope(p: Passes, h: Index, A: Array, y: Array) -> Array:
    return cost_function(p.q.cost).derivative(A, A, y)


def _both(change: Callable[[Array], Array]) -> tuple[Values, Callable[[Array, Array], Array]]:
    return lambda p, h: change(p.dC_da[-1][h]), lambda a, y: change(a - y)


def _delta(difference: Callable[[Array, Array], Array]) -> Callable[[Passes, Index], None]:
    def edit(p: Passes, h: Index) -> None:
        p.delta[-1][h] = difference(p.a[-1][h], p.y[h])

    return edit


def _all(values: Array, like: Array) -> Array:
    return np.broadcast_to(values, like.shape)


def _mean(e: Array) -> Array:
    return _all(e.mean(axis=1, keepdims=True), e)


def _last(e: Array) -> Array:
    return _all(e[:, -1:], e)


def _not_differentiated(q: Problem) -> Iterator[Mistake]:
    """An extra σ′, or the cost instead of its derivative."""
    row, cost, where = activation(q.net.activations[-1]), cost_function(q.cost), q.neurons(q.layers)
    if cost.delta is not None:

        def again(p: Passes, h: Index) -> None:
            p.delta[-1][h] = p.delta[-1][h] * row.derivative(p.u[-1][h])

        message = f"A − y is already ∂C/∂u with {q.cost}, but is multiplied by σ′(u) again"
        change = Change("delta", q.layers, lambda name, delta: Product((delta, sy.slope(sy.net_input(name)))))
        yield Mistake("extra_output_derivative", where, message, ((Stage.BACKWARD, again),), change)
    for whole in (False, True) if q.samples * q.width(q.layers) > 1 else (False,):

        def values(p: Passes, h: Index, whole: bool = whole) -> Array:
            costs = cost.value(p.u[-1][h], p.a[-1][h], p.y[h])
            return _all(costs.mean(axis=(1, 2), keepdims=True), costs) if whole else costs

        what = "the cost of the whole batch" if whole else "the cost itself"
        message = f"{what} is used instead of its derivative ∂C/∂A"
        made = _error("cost_not_differentiated", q, message, values, lambda w: sy.C, PLAIN, whole)
        yield made
        if cost.delta is not None:

            def direct(p: Passes, h: Index, values: Values = values) -> None:
                p.delta[-1][h] = values(p, h)

            message = f"{what} is used instead of ∂C/∂u"
            edits = ((Stage.BACKWARD, direct),)
            change = _change(q, lambda w: sy.C, is_delta=True)
            yield replace(made, message=message, edits=edits, change=change, rank=LOCAL)


def _of_costs_that_are_not_here(q: Problem) -> Iterator[Mistake]:
    """The gradient of a cost that backpath does not have, or not for these outputs."""
    kinds: list[tuple[Formula, str, Values]] = [
        (lambda w: _call("tanh", minus(w.A, w.y)), "ln cosh(A − y)", lambda p, h: np.tanh(p.a[-1][h] - p.y[h])),
        (
            lambda w: Product((Number("4"), Power(minus(w.A, w.y), Number("3")))),
            "(A − y)⁴",
            lambda p, h: 4 * (p.a[-1][h] - p.y[h]) ** 3,
        ),
    ]
    if q.net.activations[-1] == "sigmoid" and q.cost != "binary_cross_entropy":
        of = "−y ln A, the cross-entropy of softmax outputs"
        kinds.append((lambda w: Negative(Quotient(w.y, w.A)), of, lambda p, h: -p.y[h] / p.a[-1][h]))
    for formula, of, values in kinds:
        made = _error("other_cost", q, f"the gradient is that of the cost {of}, not of {q.cost}", values, formula)
        yield replace(made, where=(), convention=True)


def _of_cross_entropy(q: Problem) -> Iterator[Mistake]:
    """One of the cross-entropy's two terms left out, or with the wrong sign."""
    if q.cost != "binary_cross_entropy":
        return
    kinds: list[tuple[Formula, str, Callable[[Array, Array], Array]]] = [
        (
            lambda w: Negative(Quotient(w.y, w.A)),
            "the term with 1 − y of the cross-entropy is left out: −y/A",
            lambda A, y: -y / A,
        ),
        (_of_the_other_class, "the term with y of the cross-entropy is left out", lambda A, y: (1 - y) / (1 - A)),
        (
            lambda w: minus(Negative(Quotient(w.y, w.A)), _of_the_other_class(w)),
            "the cross-entropy's second term is subtracted: −y/A − (1 − y)/(1 − A)",
            lambda A, y: -y / A - (1 - y) / (1 - A),
        ),
    ]
    for formula, message, slope in kinds:

        def values(p: Passes, h: Index, slope: Callable[[Array, Array], Array] = slope) -> Array:
            return slope(p.a[-1][h], p.y[h])

        yield _error("wrong_error", q, message, values, formula)


def _of_the_other_class(w: Written) -> Expression:
    return Quotient(minus(ONE, w.y), minus(ONE, w.A))
