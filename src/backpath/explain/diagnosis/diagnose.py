"""``diagnose``: somebody's gradients or updated weights, right or with the mistake named."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np
from numpy.typing import ArrayLike

from backpath.errors import InputError
from backpath.explain.backward import backward, in_float64
from backpath.explain.diagnosis.claims import Claims, Figure, read_figure
from backpath.explain.diagnosis.formulas import formulas
from backpath.explain.diagnosis.mistakes import Mistake
from backpath.explain.diagnosis.problem import Problem
from backpath.explain.diagnosis.report import Claimed, Finding, Report
from backpath.explain.diagnosis.search import Explanation, Search, grouped
from backpath.explain.digits import shown
from backpath.maths.checks import check_learning_rate
from backpath.maths.network import Network
from backpath.maths.notation import neuron_names, weight_index, weight_name, weight_names

Figures = Mapping[str, object]
_ROUNDED = 10  # significant digits up to which a float looks like a rounded figure
_NUMERICAL = 1e-5  # as near as numerical derivatives come


def diagnose(
    net: Network,
    X: ArrayLike,
    y: ArrayLike,
    claimed: Figures | None = None,
    *,
    claimed_weights: Figures | None = None,
    claimed_values: Figures | None = None,
    cost: str = "squared_error",
    learning_rate: float | None = None,
    frozen: str | Iterable[str] = (),
) -> Report:
    """Whether somebody's figures of back-propagation are right, and if not, which mistake they come from.

    Every mistake of the catalogue is made, alone and two at a time, and the simplest ones that give all the figures,
    to the last digit given, are reported.

    Parameters
    ----------
    net : Network
    X, y : (N, inputs), (N, outputs); or one sample
    claimed : mapping of weight names to figures
        Gradients ∂C/∂W, of all weights or of some. A string is judged by the digits it has ("0.0123" by four
        decimals), a number by all of its digits, a NumPy float32 by those of a float32.
    claimed_weights : mapping of weight names to figures
        Updated weights in place of gradients; needs the learning rate.
    claimed_values : mapping of names to figures
        Values of the forward pass too: "H1", "u_H1", "A1", "cost"; of one sample.
    learning_rate : float
        η of the update, also for finding gradients that were computed with weights already updated.
    frozen : weight names, or "biases"
        Weights that are not updated.

    Returns
    -------
    Report
        ``correct``, ``findings``; and it prints itself, also as HTML, LaTeX or JSON.

    Raises
    ------
    InputError
        If a name does not exist, a figure is no finite number, or nothing is claimed.

    Examples
    --------
    >>> net = Network.from_weights([[[.1, .2, .3], [.4, .5, .6]], [[.7, .8, .9]]])
    >>> report = diagnose(net, [0.5, 1], [1], claimed={"W11_1": "-0.0011", "W11_2": "-0.0086", "W12_2": "-0.0097"})
    >>> report.correct, report.findings[0].mistake
    (False, 'cost_convention')
    """
    problem = _problem(net, X, y, cost, learning_rate, frozen, claimed, claimed_weights)
    figures, positions = _read(problem, claimed if claimed_weights is None else claimed_weights, claimed_values)
    given = {**((claimed if claimed_weights is None else claimed_weights) or {}), **(claimed_values or {})}
    return _report(problem, figures, positions, dict(zip(figures, given.values(), strict=True)))


def _problem(
    net: Network,
    X: ArrayLike,
    y: ArrayLike,
    cost: str,
    learning_rate: float | None,
    frozen: str | Iterable[str],
    claimed: Figures | None,
    claimed_weights: Figures | None,
) -> Problem:
    if claimed is not None and claimed_weights is not None:
        raise InputError("give gradients (claimed) or updated weights (claimed_weights), not both")
    if learning_rate is not None:
        check_learning_rate(learning_rate)
    elif claimed_weights is not None:
        raise InputError("claimed_weights needs the learning rate that they were updated with")
    wide = in_float64(net)
    right = backward(wide, X, y, cost)
    free = wide.free_weights(frozen)
    return Problem(wide, right.x, right.y, cost, learning_rate, free, updates=claimed_weights is not None)


def _read(q: Problem, weights: Figures | None, values: Figures | None) -> tuple[dict[str, Figure], list[int]]:
    """The claimed figures by canonical names, and where each stands among all figures."""
    found: dict[str, Figure] = {}
    positions: list[int] = []
    kind = "the updated weight" if q.updates else "the gradient of"
    for name, figure in _mapping(weights, "claimed").items():
        index = weight_index(name, q.net.sizes)
        canonical = weight_name(*index)
        if canonical in found:
            raise InputError(f"{canonical} is claimed twice; keep one of them")
        found[canonical] = read_figure(figure, f"{kind} {canonical}")
        positions.append(q.position(*index))
    names = value_names(q.net) if values else ()
    if values and q.samples > 1:
        raise InputError(f"values are claimed of one sample, but there are {q.samples}")
    for name, figure in _mapping(values, "claimed_values").items():
        if name not in names:
            raise InputError(f"there is no value {name!r}; there are {', '.join(names)}")
        found[name] = read_figure(figure, f"the value {name}")
        positions.append(q.ends[-1] + names.index(name))
    if not found:
        raise InputError("nothing is claimed; give at least one figure")
    return found, positions


def _mapping(figures: Figures | None, what: str) -> Figures:
    if figures is not None and not isinstance(figures, Mapping):
        raise InputError(f"{what} must be a mapping of names to figures, but is of type {type(figures).__name__}")
    return figures or {}


def value_names(net: Network) -> tuple[str, ...]:
    """The values of a forward pass that may be claimed, in the order of ``Passes.values``."""
    layers = [neuron_names(net.sizes, layer) for layer in range(len(net.sizes))]
    return (*(f"u_{name}" for layer in layers[1:] for name in layer), *(n for layer in layers for n in layer), "cost")


def _search(q: Problem, figures: dict[str, Figure], positions: Sequence[int]) -> Search:
    W = np.concatenate([W.ravel() for W in q.net.weights]) if q.updates else np.zeros(q.ends[-1])
    base = np.array([W[k] if k < len(W) else 0.0 for k in positions])
    return Search(q, Claims.of(figures, positions, base))


def _report(q: Problem, figures: dict[str, Figure], positions: list[int], given: Mapping[str, object]) -> Report:
    search = _search(q, figures, positions)
    rows = _rows(search, figures, given)
    if not search.wrong.any():
        return Report((), rows)
    printed = _as_printed(figures)
    rounded = _search(q, printed, positions) if printed else None
    if rounded is not None and not rounded.wrong.any():
        return Report([(_rounded(search),)], rows)
    found = search.explanations()
    if not found and rounded is not None:
        search, found = rounded, rounded.explanations()
    if not found and _is_numerical(search):
        note = "They are as near to the right ones as numerical derivatives come, but not equal to all digits."
        return Report((), [replace(row, is_right=True) for row in rows], note)
    if not found:
        return Report([(_unknown(search),)], rows)
    return Report([_findings(search, group[0]) for _, group in grouped(found)], rows)


def _rows(search: Search, figures: dict[str, Figure], given: Mapping[str, object]) -> list[Claimed]:
    right = search.right[search.claims.positions]
    rows = []
    for (name, figure), exact, wrong in zip(figures.items(), right, search.wrong, strict=True):
        decimals = -Decimal(str(figure.last)).adjusted() if figure.last else None
        text = shown(float(exact), 10) if decimals is None else f"{exact:.{max(decimals, 0)}f}"
        rows.append(Claimed(name, str(given[name]), text, not wrong))
    return rows


def _as_printed(figures: dict[str, Figure]) -> dict[str, Figure]:
    """The numbers as if they were strings, if all of them look rounded; else nothing."""
    found = {}
    for name, figure in figures.items():
        exponent = Decimal(repr(figure.value)).as_tuple()
        if figure.last or len(exponent.digits) > _ROUNDED or not isinstance(exponent.exponent, int):
            return {}
        found[name] = replace(figure, last=10.0**exponent.exponent)
    finest = min((f.last for f in found.values() if f.value), default=0.0)
    return {name: replace(f, last=finest if f.value == 0 else f.last) for name, f in found.items()}


def _is_numerical(search: Search) -> bool:
    claims, right = search.claims, search.right[search.claims.positions]
    allowed = _NUMERICAL * (np.abs(right - claims.base) + 0.1 * search.largest) + claims.last
    return bool((np.abs(claims.value - right) <= allowed).all())


def _rounded(search: Search) -> Finding:
    wrong = _names(search, search.wrong)
    message = (
        'the figures are right as far as they go, but are rounded; give them as strings ("0.0123") to have them judged '
        "by their digits"
    )
    return Finding("rounded", wrong, message, wrong)


def _unknown(search: Search) -> Finding:
    wrong = _names(search, search.wrong)
    message = "no mistake of the catalogue, and no two of them, give all these figures"
    nearest = search.nearest()
    if nearest is not None:
        mistake, met = nearest
        missed = _names(search, ~met)
        message += f"; the nearest: {mistake.message}, which gives all but {', '.join(missed[:6])}"
        message += f" and {len(missed) - 6} more" if len(missed) > 6 else ""
    return Finding("unknown", wrong, message, wrong)


def _names(search: Search, chosen: np.ndarray) -> tuple[str, ...]:
    return tuple(name for name, one in zip(search.claims.names, chosen, strict=True) if one)


def _findings(search: Search, explanation: Explanation) -> tuple[Finding, ...]:
    if len(explanation) == 1:
        return (_finding(search, explanation[0], _names(search, search.wrong)),)
    found = []
    for mistake in explanation:
        alone = search.figures(1, [(mistake.edits, np.array([0]))])
        changed = search.wrong & ~search.still(alone, search.right)[0]
        found.append(_finding(search, mistake, _names(search, changed)))
    return tuple(found)


def _finding(search: Search, mistake: Mistake, explains: tuple[str, ...]) -> Finding:
    q = search.q
    weights = [name for name in explains if name.startswith("W")]
    pair = formulas(q.net, q.cost, mistake.change, weights or weight_names(q.net.sizes)[:1])
    right, claimed = pair or (None, None)
    return Finding(mistake.code, mistake.where, mistake.message, explains, right, claimed)
