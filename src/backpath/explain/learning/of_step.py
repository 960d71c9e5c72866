"""Reasons in the length, the number and the result of steps."""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction

import numpy as np

from backpath.explain.digits import shown
from backpath.explain.learning.situation import Reason, Situation
from backpath.maths.arrays import Array

SLOW = 1e-3  # relative decrease of the cost per step; smaller steps count as too small
FALLING = 1e-6  # relative decrease; with a smaller one, the cost does not count as falling
LEARNED = 0.05  # relative to the best constant answer's cost
ALIKE, NEAR = 0.02, 0.05  # relative to the targets' range: answers that count as equal, and as a group's mean
MOST_GROUPS = 8


def step_too_large(s: Situation) -> Iterator[Reason]:
    """A step that raises the cost; on a parabola with curvature κ, this happens above η = 2/κ."""
    if s.rate is None or not s.slope:
        return
    after = s.cost_after(s.rate)
    if after <= s.cost * (1 + 1e-12):
        return
    limit = ""
    if s.curvature > 0:
        limit = f"; along the gradient the curvature κ is {shown(s.curvature, 3)}, so steps with η above 2/κ = "
        limit += f"{shown(2 / s.curvature, 2)} overshoot"
    rises = f"raises the cost from {shown(s.cost, 4)} to {shown(after, 4)}" if after < math.inf else "overflows"
    yield Reason("step_too_large", (), f"a step with η = {shown(s.rate)} {rises}{limit}")


def step_too_small(s: Situation) -> Iterator[Reason]:
    """A step whose effect stays proportional to the rate even at a hundred times the rate."""
    if s.rate is None or not s.slope or s.unlearned < LEARNED:
        return
    falls, further = s.cost - s.cost_after(s.rate), s.cost - s.cost_after(100 * s.rate)
    if not (0 < falls < SLOW * s.cost and further > 50 * falls):
        return
    best = f" (1/κ = {shown(1 / s.curvature, 2)} for the curvature κ along the gradient)" if s.curvature > 0 else ""
    yield Reason(
        "step_too_small",
        (),
        f"a step with η = {shown(s.rate)} lowers the cost of {shown(s.cost, 4)} by only {_percent(falls / s.cost)}, "
        f"and one with a hundred times that rate by {_percent(further / s.cost)}: use a larger η{best}",
    )


def plateau(s: Situation) -> Iterator[Reason]:
    """Samples with different targets whose answers are all the mean of their targets."""
    if s.unlearned < LEARNED or _falls(s) > SLOW:
        return
    groups = _groups(s)
    mixed = [g for g in groups if _differ(s.y[g]) and _differ(s.X[g])]
    if not mixed or len(groups) > MOST_GROUPS:
        return
    means = _means(s, groups)
    if (np.abs(s.A - means) > NEAR * float(np.ptp(s.y))).any():
        return
    yield _plateau_of(s, s.cost_of_answers(means), max(mixed, key=len))


def _plateau_of(s: Situation, cost: float, group: list[int]) -> Reason:
    answer = ", ".join(shown(float(v), 3) for v in s.A[group].mean(axis=0))
    who = f"samples {_listed(group)}" if len(group) < len(s.y) else f"all {len(s.y):,} samples"
    return Reason(
        "plateau",
        tuple(s.neuron(s.layers, j) for j in range(s.net.sizes[-1])),
        f"the cost of {shown(s.cost, 4)} is on a plateau of these data, at {_fraction(cost)}: {who} get the same "
        f"output {answer}, about the mean of their targets, and no nearby weights are much better; more epochs may get "
        "past it, and other initial weights may avoid it",
    )


def too_few_epochs(s: Situation) -> Iterator[Reason]:
    """The cost still falls."""
    if s.rate is None or s.unlearned < LEARNED:
        return
    falls = _falls(s)
    if falls > FALLING:
        yield Reason(
            "too_few_epochs",
            (),
            f"the cost of {shown(s.cost, 4)} still falls by {_percent(falls)} with each step over all samples; train "
            "for more epochs",
        )


def _falls(s: Situation) -> float:
    """The relative decrease of the cost by a step; without a rate, with 1/κ, or with length 1 if κ is not positive."""
    rate = s.rate
    if rate is None:
        rate = 1 / s.curvature if s.curvature > 0 else 1 / (s.slope or 1.0)
    return (s.cost - s.cost_after(rate)) / s.cost if s.cost else 0.0


def _groups(s: Situation) -> list[list[int]]:
    """Groups of samples with similar answers: those within a small distance of a group's first sample."""
    near, groups, firsts = ALIKE * float(np.ptp(s.y)), list[list[int]](), list[Array]()
    for n, answer in enumerate(s.A):
        for first, group in zip(firsts, groups, strict=True):
            if np.abs(answer - first).max() <= near:
                group.append(n)
                break
        else:
            if len(groups) > MOST_GROUPS:
                return groups
            groups.append([n])
            firsts.append(answer)
    return groups


def _means(s: Situation, groups: list[list[int]]) -> Array:
    """For each sample the mean of its group's targets."""
    found = np.empty_like(s.y)
    for group in groups:
        found[group] = s.y[group].mean(axis=0)
    return found


def _differ(rows: Array) -> bool:
    return bool((rows != rows[0]).any())


def _listed(samples: list[int]) -> str:
    names = [str(n + 1) for n in samples]
    return ", ".join(names[:6]) + (f" and {len(names) - 6:,} more" if len(names) > 6 else "")


def _percent(share: float) -> str:
    return f"{shown(100 * share, 2)}%"


def _fraction(cost: float) -> str:
    simple = Fraction(cost).limit_denominator(36)
    near = abs(float(simple) - cost) < 1e-9 and simple.denominator > 1
    return f"{simple} = {shown(cost, 4)}" if near else shown(cost, 4)
