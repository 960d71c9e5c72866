"""From claims to a report: right, right except for rounding, or wrong with explanations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import numpy as np

from backpath.explain.diagnosis.bits import MARGIN
from backpath.explain.diagnosis.claims import ROUNDED, Claim, Claims
from backpath.explain.diagnosis.comparison import Bools, Comparison
from backpath.explain.diagnosis.differences import as_differences
from backpath.explain.diagnosis.explanation import Explanation
from backpath.explain.diagnosis.marked_formulas import formulas
from backpath.explain.diagnosis.mistakes import Mistake
from backpath.explain.diagnosis.places import is_marked, right_formula
from backpath.explain.diagnosis.problem import Problem
from backpath.explain.diagnosis.report import Claimed, Finding, Report
from backpath.explain.diagnosis.search import Search
from backpath.explain.digits import shown

_NUMERICAL = 1e-5  # the usual error of numerical derivatives
_CLOSE = 1e-3  # relative to a layer's largest figure; closer ones may be numerical derivatives with a large step
NEARLY_RIGHT = "They are as close to the right ones as numerical derivatives can be, but not equal to all digits."
_MEANT = 3  # readings of right figures to report
_NAMED = 6  # weights to name in a sentence


def conclude(q: Problem, claims: Sequence[Claim], most: float = math.inf) -> Report:
    """The report on these claims; ``most``: the longest explanations to search for, in bits."""
    given = Comparison(q, Claims.of(claims))
    rows = figures(given, claims)
    if not given.wrong.any():
        return Report((), rows)
    rounded = _rounded(q, claims)
    if rounded is not None and not rounded.wrong.any():
        return _right_if_rounded(given, rounded, rows)
    near = is_numerical(given)
    if not near and (differences := as_differences(given)):
        return all_right(rows, differences)
    if near:
        search = Search([given], most)
        found = search.explanations() if given.claims.last.any() else search.plain()
        return of_search(search, found, rows) if found else all_right(rows, NEARLY_RIGHT)
    return of_search(*_searched(given, rounded, most), rows)


def all_right(rows: Sequence[Claimed], note: str) -> Report:
    """The report on figures that are right for the reason in the note."""
    return Report((), [replace(row, is_right=True) for row in rows], note)


def _searched(given: Comparison, rounded: Comparison | None, most: float) -> tuple[Search, list[Explanation]]:
    """The search, and what it found; if that is nothing, the search among figures that are taken as rounded."""
    search = Search([given], most)
    found = search.explanations()
    if found or rounded is None:
        return search, found
    by_digits = Search([rounded], most)
    found = by_digits.explanations()
    return (by_digits if found else search), found


def of_search(search: Search, found: Sequence[Explanation], rows: Sequence[Claimed]) -> Report:
    """The report on the result of a search."""
    if not found:
        return Report([(_unknown(search),)], rows, certain=False)
    if found[0].is_right:
        said = dict.fromkeys(e.mistakes(search.c.q)[0].message for e in found if e.is_right)
        note = f"Right if this is intended: {'; or '.join(list(said)[:_MEANT])}."
        return all_right(rows, note)
    alternatives = [_findings(search.c, explanation) for explanation in found]
    report = Report(alternatives, rows, certain=search.is_certain(found))
    report.bits = found[0].bits
    return report


def figures(c: Comparison, claims: Sequence[Claim]) -> list[Claimed]:
    """All claimed figures beside the right ones."""
    rows = []
    for claim, wrong in zip(claims, c.wrong, strict=True):
        exact, last = float(c.right[claim.position]), claim.figure.last
        text = f"{exact:.{max(-Decimal(str(last)).adjusted(), 0)}f}" if last else shown(exact, 10)
        rows.append(Claimed(claim.kind, claim.name, str(claim.given), text, not wrong))
    return rows


def _rounded(q: Problem, claims: Sequence[Claim]) -> Comparison | None:
    """The comparison of numbers that look rounded, to their digits."""
    printed = _as_printed(claims)
    return Comparison(q, Claims.of(printed)) if printed else None


def _as_printed(claims: Sequence[Claim]) -> list[Claim]:
    """The numbers as strings if all of them look rounded; otherwise none."""
    found = []
    for claim in claims:
        digits = Decimal(repr(claim.figure.value)).as_tuple()
        if claim.figure.last or len(digits.digits) > ROUNDED or not isinstance(digits.exponent, int):
            return []
        found.append(replace(claim, figure=replace(claim.figure, last=10.0**digits.exponent)))
    finest = min((claim.figure.last for claim in found if claim.figure.value), default=0.0)
    zero = (replace(c, figure=replace(c.figure, last=finest)) if c.figure.value == 0 else c for c in found)
    return list(zero)


def is_numerical(c: Comparison) -> bool:
    """Whether the figures are as close to the right ones as numerical derivatives usually are."""
    right = c.right[c.claims.positions]
    allowed = _NUMERICAL * (np.abs(right - c.claims.base) + 0.1 * c.size) + 0.5 * c.claims.last
    return bool((np.abs(c.claims.value - right) <= allowed).all())


def _right_if_rounded(given: Comparison, rounded: Comparison, rows: Sequence[Claimed]) -> Report:
    """The note on plain numbers that are right to their digits."""
    wrong = _names(given, given.wrong)
    message = (
        "the figures are right to their digits, but rounded; give them as strings "
        '("0.0123") to compare only their digits'
    )
    with np.errstate(divide="ignore"):
        digits = np.log2(1 + np.abs(rounded.claims.value - rounded.claims.base) / rounded.claims.last)
    noted = (Finding("rounded", wrong, message, wrong, kind="note"),)
    right = [replace(row, is_right=True) for row in rows]
    is_certain = bool(digits.sum() >= MARGIN)
    return Report((), right, f"{message[0].upper()}{message[1:]}.", is_certain, noted)


def _unknown(search: Search) -> Finding:
    c, nearest = search.c, _nearest(search)
    wrong = _names(c, c.wrong)
    message = "no known mistake gives all these figures"
    if search.information < 2 * MARGIN:
        message = (
            "no simple explanation gives all these figures; to find two mistakes at once, more figures or digits are "
            "needed"
        )
    off = float(np.max(np.abs(c.claims.value - c.right[c.claims.positions]) / np.where(c.size > 0, c.size, np.inf)))
    if off < _CLOSE and not c.claims.last.any():
        message += f"; all are within {shown(100 * off, 1)}% of a layer's largest, like numerical derivatives with a "
        message += "large step"
    elif nearest is not None:
        mistake, met = nearest
        missed = _names(c, ~met)
        message += f"; the nearest: {mistake.message}, which gives all but {', '.join(missed[:_NAMED])}"
        message += f" and {len(missed) - _NAMED} more" if len(missed) > _NAMED else ""
    return Finding("unknown", wrong, message, wrong)


def _nearest(search: Search) -> tuple[Mistake, Bools] | None:
    """The mistake that gives more figures than any other, and these figures; None if it does not give most of them."""
    met = search.c.met(search.singles.figures)
    counts = met.sum(axis=1)
    best = int(counts.argmax())
    if counts[best] <= max((~search.c.wrong).sum() + 1, len(search.c.wrong) // 2):
        return None
    return search.singles.mistakes[best], met[best]


def _names(c: Comparison, chosen: Bools) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name, one in zip(c.claims.names, chosen, strict=True) if one))


def _findings(c: Comparison, explanation: Explanation) -> tuple[Finding, ...]:
    mistakes = explanation.mistakes(c.q)
    wrong = _names(c, c.wrong)
    if len(mistakes) == 1:
        return (_finding(c, mistakes[0], wrong),)
    found = []
    for mistake in mistakes:
        if mistake.edits:
            alone = c.figures(1, [(mistake.edits, np.array([0]))])
            explains = _names(c, c.wrong & ~c.still(alone, c.right)[0])
        else:
            explains = tuple(name for name in wrong if name in mistake.where) if mistake.where else wrong
        found.append(_finding(c, mistake, explains))
    return tuple(found)


def _finding(c: Comparison, mistake: Mistake, explains: tuple[str, ...]) -> Finding:
    weights = [name for name in explains if name.startswith("W")]
    pair = formulas(c.q.net, c.q.cost, mistake.change, weights or c.q.net.weight_names[:1])
    right, claimed = pair or (None, None)
    if right is None or not is_marked(right):
        place = right_formula(c.q.net, c.q.samples, mistake.code, weights)
        right, claimed = (place, None) if place else (right, claimed)
    kind = "convention" if mistake.convention else "slip"
    return Finding(mistake.code, mistake.where, mistake.message, explains, right, claimed, kind)
