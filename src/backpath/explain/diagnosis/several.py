"""Weights after several updates, or by another rule: right ones, or with a slip in each step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np

from backpath.explain.diagnosis.candidate_mistakes import in_each_step, lengths
from backpath.explain.diagnosis.catalogue import every_mistake
from backpath.explain.diagnosis.comparison import Comparison
from backpath.explain.diagnosis.conventions import ScopedConstants
from backpath.explain.diagnosis.explanation import Explanation
from backpath.explain.diagnosis.mistakes import Mistake
from backpath.explain.diagnosis.problem import Problem, Procedure
from backpath.explain.diagnosis.procedures import by_other_rules, course, usual, with_scales
from backpath.maths.arrays import Array

_LIKELY_SLIP = 10.0  # the most bits of a slip to try in each of several updates
_LIKELY = 4.0  # the most bits of a procedure to try with a slip

Outcomes = list[tuple[Procedure, Array]]


def in_all(
    comparisons: Sequence[Comparison], looked: Callable[[Comparison], Iterable[Explanation]]
) -> list[Explanation]:
    """The explanations of the first comparison that also hold in all others."""
    found = list(looked(comparisons[0]))
    for c in comparisons[1:]:
        others = {_said(e) for e in looked(c)} if found else set()
        found = [e for e in found if _said(e) in others]
    return found


def _said(e: Explanation) -> tuple[str, ...]:
    return tuple(slip.message for slip in e.slips)


def after_several_updates(c: Comparison) -> list[Explanation]:
    """The procedures that give all claimed weights, with or without a constant on each step."""

    def outcomes() -> Outcomes:
        return _outcomes(c.q, [v for procedure in usual(c.q) for v in (procedure, *with_scales(c.q, procedure))])

    found = list(_that_fit(c, c.q.once("usual procedures", outcomes)))
    return [e for e in found if e.is_right] or found


def by_another_rule(c: Comparison) -> list[Explanation]:
    """Other rules than gradient descent that give all claimed weights."""
    return list(_that_fit(c, c.q.once("other rules", lambda: _outcomes(c.q, list(by_other_rules(c.q))))))


def with_slips(c: Comparison) -> Iterator[Explanation]:
    """The most usual procedures, with a slip in each step."""
    for procedure, slips, bits, figures in c.q.once("slips in each step", lambda: list(_slips_in_each_step(c))):
        for h in np.flatnonzero(c.met(figures).all(axis=1)):
            mistakes = (_mistake(procedure), slips[h])
            yield Explanation(mistakes, ScopedConstants((), 0.0), procedure.bits + float(bits[h]))


def _slips_in_each_step(c: Comparison) -> Iterator[tuple[Procedure, list[Mistake], Array, Array]]:
    """Procedures, slips with their bits, and the resulting figures."""
    mistakes = [mistake for mistake in every_mistake(c.q) if in_each_step(mistake)]
    bits = lengths(mistakes)
    likely = np.flatnonzero(bits <= _LIKELY_SLIP)
    for group in _by_course([procedure for procedure in usual(c.q) if procedure.bits <= _LIKELY]):
        for block in c.blocks(len(likely)):
            slips = [mistakes[k] for k in likely[block]]
            for procedure, figures in _with_each(c.q, group, slips):
                yield procedure, slips, bits[likely[block]], figures


def _with_each(q: Problem, group: Sequence[Procedure], slips: Sequence[Mistake]) -> Iterator[tuple[Procedure, Array]]:
    """Each procedure of a group, with its figures with each of these slips in each step."""
    runs = [(slip.edits, np.array([h])) for h, slip in enumerate(slips)]
    for t, figures in enumerate(course(q, group[0].steps, [group[0]] * len(slips), runs), 1):
        yield from ((procedure, figures) for procedure in group if len(procedure.steps) == t)


def _that_fit(c: Comparison, outcomes: Outcomes) -> Iterator[Explanation]:
    for procedure, figures in outcomes:
        if c.met(figures[None]).all():
            is_right = procedure.scale == 1 and (procedure.rule is None or procedure.rule.is_right)
            slips = (_mistake(procedure),)
            yield Explanation(slips, ScopedConstants((), 0.0), procedure.bits, is_right=is_right)


def _outcomes(q: Problem, procedures: Sequence[Procedure]) -> Outcomes:
    """Each procedure with its figures."""
    found: Outcomes = []
    for group in _by_course(procedures):
        for t, figures in enumerate(course(q, group[0].steps, group, ()), 1):
            found += [(p, figures[k]) for k, p in enumerate(group) if len(p.steps) == t]
    return found


def _by_course(procedures: Sequence[Procedure]) -> list[list[Procedure]]:
    """Groups of procedures whose steps are the first steps of the longest one, which is first in the group."""
    groups: list[list[Procedure]] = []
    for procedure in sorted(procedures, key=lambda p: -len(p.steps)):
        for group in groups:
            if group[0].steps[: len(procedure.steps)] == procedure.steps:
                group.append(procedure)
                break
        else:
            groups.append([procedure])
    return groups


def _mistake(procedure: Procedure) -> Mistake:
    return Mistake("several_updates", (), f"the weights are those after {procedure.words}", (), convention=True)
