"""Updated weights after more than one update: right ones, or with a slip in each step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from backpath.explain.diagnosis.candidate_mistakes import Candidates
from backpath.explain.diagnosis.catalogue import every_mistake
from backpath.explain.diagnosis.comparison import Comparison
from backpath.explain.diagnosis.conventions import ScopedConstants
from backpath.explain.diagnosis.explanation import Explanation
from backpath.explain.diagnosis.mistakes import Mistake
from backpath.explain.diagnosis.passes import Stage
from backpath.explain.diagnosis.problem import Procedure
from backpath.explain.diagnosis.procedures import scaled, usual

_LIKELY_SLIP = 10.0  # bits up to which a slip is tried in each of several updates
_LIKELY = 4.0  # bits up to which a procedure is tried with a slip


def after_several_updates(c: Comparison) -> list[Explanation]:
    """The procedures that give all claimed weights, right or with what is done in each step."""
    found = list(_right(c, usual(c.q)))
    return found or [e for procedure in usual(c.q) for e in _right(c, scaled(c.q, procedure), is_right=False)]


def with_slips(c: Comparison) -> list[Explanation]:
    """The most usual procedures, with a slip in each step."""
    return [e for procedure in usual(c.q) if procedure.bits <= _LIKELY for e in _with_slip(c, procedure)]


def _under(c: Comparison, procedure: Procedure) -> Comparison:
    return Comparison(replace(c.q, procedure=procedure), c.claims)


def _mistake(procedure: Procedure) -> Mistake:
    return Mistake("several_updates", (), f"the weights are those after {procedure.words}", (), convention=True)


def _right(c: Comparison, procedures: Iterator[Procedure], is_right: bool = True) -> Iterator[Explanation]:
    for procedure in procedures:
        if not _under(c, procedure).wrong.any():
            yield Explanation((_mistake(procedure),), ScopedConstants((), 0.0), procedure.bits, is_right=is_right)


def _with_slip(c: Comparison, procedure: Procedure) -> Iterator[Explanation]:
    under = _under(c, procedure)
    able = [m for m in every_mistake(c.q) if in_each_step(m)]
    tried = Candidates.of(under, able)
    for mistake, bits, exact in zip(tried.mistakes, tried.bits.tolist(), tried.ratios.exact, strict=True):
        if exact and bits <= _LIKELY_SLIP:
            yield Explanation((_mistake(procedure), mistake), ScopedConstants((), 0.0), procedure.bits + bits)


def in_each_step(mistake: Mistake) -> bool:
    """Whether it means the same for each sample, and can be made again and again."""
    return not mistake.by_sample and all(stage is not Stage.START for stage, _ in mistake.edits)
