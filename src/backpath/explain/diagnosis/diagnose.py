"""``diagnose``: somebody's gradients or updated weights, right or with the mistake named."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
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
        Updated weights, alone or together with gradients; they need the learning rate.
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
    q = _problem(net, X, y, cost, learning_rate, frozen, claimed_weights is not None)
    claims = [*_of_weights(q, claimed, "gradient"), *_of_weights(q, claimed_weights, "weight")]
    claims += _of_values(q, claimed_values)
    if not claims:
        raise InputError("nothing is claimed; give at least one figure")
    return _report(q, claims)


@dataclass(frozen=True)
class Claim:
    """One claimed figure: of what, as it was given, as it is read, and where it stands among all figures."""

    kind: str
    name: str
    given: object
    figure: Figure
    position: int
    base: float = 0.0


def _problem(
    net: Network,
    X: ArrayLike,
    y: ArrayLike,
    cost: str,
    learning_rate: float | None,
    frozen: str | Iterable[str],
    updates: bool,
) -> Problem:
    if learning_rate is not None:
        check_learning_rate(learning_rate)
    elif updates:
        raise InputError("claimed_weights needs the learning rate that they were updated with")
    wide = in_float64(net)
    right = backward(wide, X, y, cost)
    return Problem(wide, right.x, right.y, cost, learning_rate, wide.free_weights(frozen), updates)


def _of_weights(q: Problem, figures: Figures | None, kind: str) -> Iterator[Claim]:
    """Gradients or updated weights."""
    seen: set[str] = set()
    for name, figure in _mapping(figures, "claimed").items():
        index = weight_index(name, q.net.sizes)
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
    """Values of the forward pass, of one sample."""
    values, names = _mapping(figures, "claimed_values"), value_names(q.net)
    if values and q.samples > 1:
        raise InputError(f"values are claimed of one sample, but there are {q.samples}")
    start = q.ends[-1] * (2 if q.updates else 1)
    for name, figure in values.items():
        if name not in names:
            near = difflib.get_close_matches(str(name), names, n=3) or names
            raise InputError(f"the network has no value {name!r}; there are {', '.join(near)}")
        yield Claim("value", name, figure, read_figure(figure, f"the value {name}"), start + names.index(name))


def _mapping(figures: Figures | None, what: str) -> Figures:
    if figures is not None and not isinstance(figures, Mapping):
        raise InputError(f"{what} must be a mapping of names to figures, but is of type {type(figures).__name__}")
    return figures or {}


def value_names(net: Network) -> tuple[str, ...]:
    """The values of a forward pass that may be claimed, in the order of ``Passes.values``."""
    layers = [neuron_names(net.sizes, layer) for layer in range(len(net.sizes))]
    return (*(f"u_{name}" for layer in layers[1:] for name in layer), *(n for layer in layers for n in layer), "cost")


def _search(q: Problem, claims: Sequence[Claim], figures: Sequence[Figure]) -> Search:
    base = np.array([claim.base for claim in claims])
    return Search(q, Claims.of([c.name for c in claims], figures, [c.position for c in claims], base))


def _report(q: Problem, claims: Sequence[Claim]) -> Report:
    figures = [claim.figure for claim in claims]
    search = _search(q, claims, figures)
    rows = _rows(search, claims)
    if not search.wrong.any():
        return Report((), rows)
    printed = _as_printed(figures)
    rounded = _search(q, claims, printed) if printed else None
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


def _rows(search: Search, claims: Sequence[Claim]) -> list[Claimed]:
    rows = []
    for claim, wrong in zip(claims, search.wrong, strict=True):
        exact, last = float(search.right[claim.position]), claim.figure.last
        text = f"{exact:.{max(-Decimal(str(last)).adjusted(), 0)}f}" if last else shown(exact, 10)
        rows.append(Claimed(claim.kind, claim.name, str(claim.given), text, not wrong))
    return rows


def _as_printed(figures: Sequence[Figure]) -> list[Figure]:
    """The numbers as if they were strings, if all of them look rounded; else nothing."""
    found = []
    for figure in figures:
        digits = Decimal(repr(figure.value)).as_tuple()
        if figure.last or len(digits.digits) > _ROUNDED or not isinstance(digits.exponent, int):
            return []
        found.append(replace(figure, last=10.0**digits.exponent))
    finest = min((f.last for f in found if f.value), default=0.0)
    return [replace(f, last=finest if f.value == 0 else f.last) for f in found]


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
    return tuple(dict.fromkeys(name for name, one in zip(search.claims.names, chosen, strict=True) if one))


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
