"""Updated weights after more than one update: right ones, or with a slip in each step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from weakref import WeakKeyDictionary

import numpy as np

from backpath.explain.diagnosis.candidate_mistakes import Candidates
from backpath.explain.diagnosis.comparison import Comparison
from backpath.explain.diagnosis.conventions import ScopedConstants
from backpath.explain.diagnosis.explanation import Explanation
from backpath.explain.diagnosis.mistakes import Mistake
from backpath.explain.diagnosis.passes import Index, Passes, Stage
from backpath.explain.diagnosis.problem import Problem, Procedure
from backpath.explain.diagnosis.procedures import scaled, updated, usual
from backpath.maths.arrays import Array

_LIKELY_SLIP = 10.0  # bits up to which a slip is tried in each of several updates
_LIKELY = 4.0  # bits up to which a procedure is tried with a slip


@dataclass(frozen=True, eq=False)
class _Updates:
    """A procedure with its variants, and the figures of each; ``under`` is the problem with that procedure."""

    under: Problem
    variants: tuple[Procedure, ...]
    figures: Array

    @classmethod
    def of(cls, q: Problem, procedure: Procedure) -> _Updates:
        under = replace(q, procedure=procedure)
        variants = (procedure, *scaled(q, procedure))
        runs = [(((Stage.START, _step_times(v.scale)),), np.array([k])) for k, v in enumerate(variants)]
        return cls(under, variants, updated(under, len(variants), runs))


_UPDATES: WeakKeyDictionary[Problem, list[_Updates]] = WeakKeyDictionary()


def _updates(q: Problem) -> list[_Updates]:
    """Of every usual procedure; they are the same for all claims about a problem."""
    if q not in _UPDATES:
        _UPDATES[q] = [_Updates.of(q, procedure) for procedure in usual(q)]
    return _UPDATES[q]


def _step_times(scale: float) -> Callable[[Passes, Index], None]:
    def edit(p: Passes, h: Index) -> None:
        p.rate[h] *= scale

    return edit


def after_several_updates(c: Comparison) -> list[Explanation]:
    """The procedures that give all claimed weights, right or with a constant on each step."""
    found = []
    for updates in _updates(c.q):
        met = c.met(updates.figures).all(axis=1)
        for k in np.flatnonzero(met):
            procedure = updates.variants[k]
            mistakes = (_mistake(procedure),)
            found.append(Explanation(mistakes, ScopedConstants((), 0.0), procedure.bits, is_right=k == 0))
    return [e for e in found if e.is_right] or found


def with_slips(c: Comparison) -> list[Explanation]:
    """The most usual procedures, with a slip in each step."""
    likely = [updates for updates in _updates(c.q) if updates.variants[0].bits <= _LIKELY]
    return [e for updates in likely for e in _with_slip(c, updates)]


def _mistake(procedure: Procedure) -> Mistake:
    return Mistake("several_updates", (), f"the weights are those after {procedure.words}", (), convention=True)


def _with_slip(c: Comparison, updates: _Updates) -> Iterator[Explanation]:
    procedure, tried = updates.variants[0], Candidates.of_all(Comparison(updates.under, c.claims))
    for mistake, bits, exact in zip(tried.mistakes, tried.bits.tolist(), tried.ratios.exact, strict=True):
        if exact and bits <= _LIKELY_SLIP:
            yield Explanation((_mistake(procedure), mistake), ScopedConstants((), 0.0), procedure.bits + bits)
