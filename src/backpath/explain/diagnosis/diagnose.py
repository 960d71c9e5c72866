"""``diagnose`` checks given gradients or updated weights and, if they are wrong, names the mistake."""

from __future__ import annotations

import difflib
import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from numpy.typing import ArrayLike

from backpath.errors import InputError
from backpath.explain.backward import backward, in_float64
from backpath.explain.diagnosis.bits import ABOUT
from backpath.explain.diagnosis.claims import Claim, Claims, read_figure
from backpath.explain.diagnosis.comparison import Comparison
from backpath.explain.diagnosis.conclude import conclude, is_numerical
from backpath.explain.diagnosis.layouts import readings, sample_readings
from backpath.explain.diagnosis.network_digits import Units, as_if_printed, by_their_own_digits, with_slack
from backpath.explain.diagnosis.problem import Problem
from backpath.explain.diagnosis.procedures import given_procedure
from backpath.explain.diagnosis.report import Report
from backpath.explain.learning.why import hindrances
from backpath.maths.checks import check_learning_rate
from backpath.maths.network import Network
from backpath.maths.notation import neuron_names, weight_index, weight_name
from backpath.maths.other_names import cost_called, taken_as
from backpath.maths.printed import printed_array

Figures = Mapping[str, object]
_STAGES = (16.0, math.inf)  # search all layouts for explanations up to this many bits before longer ones


def diagnose(
    net: Network,
    X: ArrayLike,
    y: ArrayLike,
    claimed: object | None = None,
    *,
    claimed_weights: object | None = None,
    claimed_values: Figures | None = None,
    cost: str = "squared_error",
    learning_rate: float | None = None,
    frozen: str | Iterable[str] = (),
    updates: int | None = None,
    order: str | Sequence[int] | None = None,
    momentum: float | None = None,
) -> Report:
    """Check figures from backpropagation and, if they are wrong, name the mistake.

    It tries every mistake in the catalogue, alone and in pairs, and reports the simplest ones that give all the figures
    to the last digit given.

    Parameters
    ----------
    net : Network
        Weights given as strings (see ``from_weights``) are exact only to their digits: figures are right
        if they are right for some network that rounds to these digits.
    X : array_like
        The inputs, (N, inputs), or (inputs,) for one sample; or samples in columns, if only those fit. Numbers, or
        strings as printed.
    y : array_like
        The targets, (N, outputs), in the same form.
    claimed : mapping of weight names to figures, or arrays in any usual layout
        Gradients ∂C/∂W, of all weights or of some. A string is compared to its own digits ("0.0123" to
        four decimals), a number to all its digits, a NumPy float32 to those of a float32. Arrays can be by layer, in
        pairs (W, b), in a dictionary (W1, b1, dW1, theta1, ``coefs_`` …) or one flat vector, with rows or columns for
        neurons and the bias last, first, separate or absent. The layout that fits is used and reported; if several
        fit, the figures decide.
    claimed_weights : the same of updated weights
        Alone or together with gradients; requires the learning rate.
    cost : str
        The cost of the figures. Names from other libraries work too ("mse", "cross_entropy"); the report gives
        backpath's names.
    claimed_values : mapping of names to figures
        Values of the forward pass for one sample: "H1", "u_H1", "A1", "cost".
    learning_rate : float
        η of the update, also used to find gradients that were computed with updated weights.
    frozen : weight names, or "biases"
        Weights that are not updated.
    updates : int, optional
        For ``claimed_weights`` after several updates: the number of full-batch steps, or of epochs if there is an
        update after each sample. The search tries what you leave out of this and the next two.
    order : "batch", "online" or sequence of int, optional
        "batch" for full-batch steps; for an update after each sample "online", or the order of the samples, from 0.
    momentum : float, optional
        μ of updates with momentum: v = μ v + ∂C/∂W, W = W - η v.

    Returns
    -------
    Report
        With ``correct`` and ``findings``; it prints itself as text, HTML, LaTeX or JSON.

    Raises
    ------
    InputError
        If a name does not exist, a figure is not a finite number, or there are no figures.

    Examples
    --------
    >>> net = Network.from_weights([[[.1, .2, .3], [.4, .5, .6]], [[.7, .8, .9]]])
    >>> report = diagnose(net, [0.5, 1], [1], claimed={"W11_1": "-0.0011", "W11_2": "-0.0083", "W12_2": "-0.0103"})
    >>> report.correct, report.findings[0].mistake
    (False, 'cost_convention')
    """
    called, cost = cost, cost_called(cost, net.activations[-1])
    options: list[Option] = []
    X, of_X = printed_array(X, "X")
    y, of_y = printed_array(y, "y")
    for inputs, targets, turned in sample_readings(net, X, y, cost):
        q = problem(net, inputs, targets, cost, learning_rate, frozen, claimed_weights is not None)
        if claimed_weights is not None:
            q = replace(q, procedure=given_procedure(q, updates, order, momentum))
        units = Units.of(q, net, of_X, of_y)
        for gradients, weights, layout in _readings(net, claimed, claimed_weights):
            claims = [*weight_claims(q, gradients, "gradient"), *weight_claims(q, weights, "weight")]
            claims += _of_values(q, claimed_values)
            if not claims:
                raise InputError("there is no figure to check; give at least one")
            if units.any:
                claims = with_slack(q, claims, units)
            options.append((q, claims, units, "; ".join(filter(None, (layout, turned)))))
    report, q = most_likely(options)
    hindered = hindrances(net, q.X, q.y, cost, learning_rate) if report.correct else ""
    report.note = " ".join(filter(None, [taken_as([(called, cost)]), report.note, hindered]))
    return report


Option = tuple[Problem, list[Claim], Units, str]  # one layout, with its note


def most_likely(options: Sequence[Option]) -> tuple[Report, Problem]:
    """The layout in which the figures are right, otherwise the one with the shortest explanation, or the first.

    All layouts are searched for short explanations before any is searched for long ones.
    """
    in_turn = [*filter(_is_numerical, options), *options]
    for most in _STAGES if len(options) > 1 else _STAGES[-1:]:
        reports = _until_right(in_turn, most)
        best, q = min(reports, key=lambda pair: _doubt(pair[0]))
        if best.bits + ABOUT <= most:
            break
    others = [report for report, _ in reports if report.layout != best.layout and report.bits < best.bits + ABOUT]
    if others and not best.correct:
        best.certain = False
        best.note = " ".join(filter(None, (best.note, _read_otherwise(others))))
    return best, q


def _is_numerical(option: Option) -> bool:
    q, claims, *_ = option
    return is_numerical(Comparison(q, Claims.of(claims)))


def _until_right(options: Sequence[Option], most: float) -> list[tuple[Report, Problem]]:
    """The reports on the layouts, up to the first in which the figures are right."""
    reports: list[tuple[Report, Problem]] = []
    for option in options:
        reports.append((_of_layout(option, most), option[0]))
        if reports[-1][0].correct:
            break
    return reports


def _of_layout(option: Option, most: float) -> Report:
    q, claims, units, layout = option
    report = conclude(q, claims, most)
    if not any(claim.slack for claim in claims):
        if not report.certain:
            report = min(filter(None, (report, as_if_printed(q, claims, most))), key=_doubt)
    elif math.isinf(report.bits):
        report = by_their_own_digits(q, claims, units, most) or report
    report.layout = layout
    return report


def _read_otherwise(others: Sequence[Report]) -> str:
    """A note on the explanations in other layouts."""
    said = dict.fromkeys(f"{report.layout or 'as in the notes'}: {report.findings[0].message}" for report in others)
    return f"In another layout, the figures have another explanation: {'; or '.join(said)}."


def _doubt(report: Report) -> tuple[bool, bool, float]:
    """A sort key: right figures first, then a certain mistake, then the shortest explanation."""
    return not report.correct, not report.certain, report.bits


def _readings(net: Network, claimed: object, claimed_weights: object) -> Iterator[tuple[Figures, Figures, str]]:
    """Gradients and updated weights by name, and the note on their layout."""
    gradients = [None] if claimed is None else readings(net, claimed, "claimed")
    weights = [None] if claimed_weights is None else readings(net, claimed_weights, "claimed_weights")
    for g, w in itertools.product(gradients, weights):
        words = dict.fromkeys(reading.layout.words for reading in (g, w) if reading)
        yield g.figures if g else {}, w.figures if w else {}, "; ".join(filter(None, words))


def problem(
    net: Network,
    X: ArrayLike,
    y: ArrayLike,
    cost: str,
    learning_rate: float | None,
    frozen: str | Iterable[str],
    updates: bool,
) -> Problem:
    if learning_rate is not None:
        learning_rate = check_learning_rate(learning_rate)
    elif updates:
        raise InputError("claimed_weights needs the learning rate that they were updated with")
    net.free_weights(frozen)  # refuses names that the network lacks
    wide = in_float64(net).with_zero_biases()
    right = backward(wide, X, y, cost)
    free = wide.free_weights(frozen)
    for mask in free:
        mask[:, -1] &= net.biases
    return Problem(wide, right.x, right.y, cost, learning_rate, free, updates, has_biases=net.biases)


def weight_claims(q: Problem, figures: Figures | None, kind: str) -> Iterator[Claim]:
    """Claims about gradients or updated weights."""
    seen: set[str] = set()
    for name, figure in _mapping(figures, "claimed").items():
        index = weight_index(name, q.net.sizes, q.has_biases)
        canonical = weight_name(*index)
        if canonical in seen:
            raise InputError(f"{canonical} is claimed twice; keep one of them")
        seen.add(canonical)
        position = q.position(*index)
        if kind == "gradient":
            read = read_figure(figure, f"the gradient of {canonical}")
            yield Claim(kind, canonical, figure, read, position)
        else:
            read = read_figure(figure, f"the updated weight {canonical}")
            yield Claim(kind, canonical, figure, read, q.ends[-1] + position, q.net[canonical])


def _of_values(q: Problem, figures: Figures | None) -> Iterator[Claim]:
    """Claims about values of the forward pass of one sample."""
    values, names = _mapping(figures, "claimed_values"), value_names(q.net)
    if values and q.samples > 1:
        raise InputError(f"values of the forward pass are for one sample, but there are {q.samples}")
    start = q.ends[-1] * (2 if q.updates else 1)
    for name, figure in values.items():
        if name not in names:
            near = difflib.get_close_matches(str(name), names, n=3) or names
            raise InputError(f"the network has no value {name!r}; expected one of {', '.join(near)}")
        yield Claim("value", name, figure, read_figure(figure, f"the value {name}"), start + names.index(name))


def _mapping(figures: Figures | None, what: str) -> Figures:
    if figures is not None and not isinstance(figures, Mapping):
        raise InputError(f"{what} must be a mapping of names to figures, but is of type {type(figures).__name__}")
    return figures or {}


def value_names(net: Network) -> tuple[str, ...]:
    """The values of a forward pass that may be claimed, in the order of ``Passes.values``."""
    layers = [neuron_names(net.sizes, layer) for layer in range(len(net.sizes))]
    return (*(f"u_{name}" for layer in layers[1:] for name in layer), *(n for layer in layers for n in layer), "cost")
