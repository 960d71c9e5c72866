"""Updates other than one step of gradient descent: several batch steps, online epochs, other rules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from backpath.errors import InputError
from backpath.explain.diagnosis.passes import Index, PassEdits, Passes
from backpath.explain.diagnosis.problem import Problem, Procedure
from backpath.explain.diagnosis.update_rules import State, UpdateRule, other_rules
from backpath.explain.diagnosis.update_rules import momentum as momentum_rule
from backpath.maths.arrays import Array, Floats
from backpath.maths.checks import check_count, check_number

RuleRuns = tuple[UpdateRule | None, Index]  # a rule, and the passes that use it
_MOST_STEPS = 10
_MOST_OTHER = 5  # steps by another rule than gradient descent
OTHER_RULE = 7.0  # the least bits of such a rule
_MOMENTA = (0.9, 0.5, 0.8, 0.95, 0.99)


def updated(q: Problem, count: int, runs: Sequence[PassEdits]) -> Array:
    """All figures of passes with updates by the problem's procedure; the gradients, which then cannot be claimed, are
    the last ones."""
    if q.procedure is None:
        raise ValueError("the problem has a single update")
    *_, last = course(q, q.procedure.steps, [q.procedure] * count, runs)
    return last


def course(
    q: Problem, steps: Sequence[tuple[int, ...]], procedures: Sequence[Procedure], runs: Sequence[PassEdits]
) -> Iterator[Array]:
    """All figures after each of these steps, in one pass for each of the procedures with its rule and constant."""
    parts = {samples: replace(q, X=q.X[list(samples)], y=q.y[list(samples)]) for samples in set(steps)}
    rows = _by_rule(procedures)
    scale = np.array([procedure.scale for procedure in procedures])
    kept: list[list[State]] = [[(0.0, 0.0)] * q.layers for _ in rows]
    weights: list[Array] | None = None
    with np.errstate(all="ignore"):
        for t, samples in enumerate(steps, 1):
            at = weights and _moved_ahead(q, weights, rows, kept, scale)
            p = Passes(parts[samples], len(procedures), runs, at)
            before = p.W[1:] if weights is None or not _any_ahead(rows) else weights
            moves = _moves(p, rows, kept, t)
            rate = (scale * p.rate)[:, None, None]
            weights = [W - rate * move for W, move in zip(before, moves, strict=True)]
            yield np.concatenate([a.reshape(len(a), -1) for a in (*p.G[1:], *weights)], axis=1)


def _by_rule(procedures: Sequence[Procedure]) -> list[RuleRuns]:
    rules = dict.fromkeys(procedure.rule for procedure in procedures)
    return [(rule, np.array([k for k, p in enumerate(procedures) if p.rule is rule])) for rule in rules]


def _moves(p: Passes, rows: Sequence[RuleRuns], kept: Sequence[list[State]], t: int) -> list[Array]:
    """The gradients of the t-th step, or in passes with a rule the rule's steps, whose states are updated."""
    moves = [G * free for G, free in zip(p.G[1:], p.q.free, strict=True)]
    for (rule, h), states in zip(rows, kept, strict=True):
        if rule is not None:
            for layer, move in enumerate(moves):
                move[h], states[layer] = rule.step(move[h], states[layer], t)
    return moves


def _moved_ahead(
    q: Problem, weights: list[Array], rows: Sequence[RuleRuns], kept: Sequence[list[State]], scale: Floats
) -> list[Array]:
    """The weights where the gradients are taken: for Nesterov's momentum, further along the last move."""
    at = [W.copy() for W in weights]
    for (rule, h), states in zip(rows, kept, strict=True):
        if rule is not None and rule.ahead:
            for W, (v, _) in zip(at, states, strict=True):
                W[h] -= (scale[h] * (q.learning_rate or 0.0) * rule.ahead)[:, None, None] * v
    return at


def _any_ahead(rows: Sequence[RuleRuns]) -> bool:
    return any(rule is not None and rule.ahead for rule, _ in rows)


def usual(q: Problem) -> Iterator[Procedure]:
    """Usual procedures of several updates, the most usual first."""
    whole = tuple(range(q.samples))
    single = tuple((s,) for s in whole)
    if q.samples > 1:
        yield Procedure(single, "an online epoch, sample by sample in this order", 2.0)
        yield Procedure(single[::-1], "an online epoch in the reverse order", 4.0)
    for count in range(2, _MOST_STEPS + 1):
        yield Procedure((whole,) * count, f"{count} steps with the whole batch", 2.0 + count / 2)
    for count in (2, 3, 5, 10) if q.samples > 1 else ():
        yield Procedure(single * count, f"{count} online epochs in this order", 3.0 + count / 2)
    for rule in map(momentum_rule, _MOMENTA):
        for count in range(2, 6):
            words = f"{count} steps with the whole batch and {rule.words}"
            yield Procedure((whole,) * count, words, 6.0 + count / 2, rule)
        if q.samples > 1:
            yield Procedure(single, f"an online epoch in this order with {rule.words}", 6.0, rule)


def by_other_rules(q: Problem) -> Iterator[Procedure]:
    """A few steps, or an online epoch, by another rule than gradient descent."""
    whole = tuple(range(q.samples))
    single = tuple((s,) for s in whole)
    for rule in other_rules():
        for count in range(1 if rule.alone else 2, _MOST_OTHER + 1):
            steps = f"{count} steps" if count > 1 else "one step"
            words = f"{steps} with the whole batch by {rule.words}"
            yield Procedure((whole,) * count, words, OTHER_RULE + count / 2, rule)
        if q.samples > 1:
            yield Procedure(single, f"an online epoch in this order by {rule.words}", OTHER_RULE + 1, rule)


def with_scales(q: Problem, procedure: Procedure) -> Iterator[Procedure]:
    """The procedure with a ½ or a 2 in the cost, with summed gradients, or with the step added."""
    whole = len(procedure.steps[0]) > 1
    scales = [(0.5, "half of each gradient"), (2.0, "twice each gradient"), (-1.0, "each step added, not subtracted")]
    if whole:
        N = q.samples
        scales += [
            (float(N), "gradients summed over the samples"),
            (N / 2, "half of gradients summed over the samples"),
        ]
    for scale, words in scales:
        yield replace(procedure, scale=scale, words=f"{procedure.words}, with {words}", bits=procedure.bits + 2.5)


def given_procedure(
    q: Problem, updates: int | None, order: str | Sequence[int] | None, momentum: float | None
) -> Procedure | None:
    """The procedure from the caller's arguments; None for a single update with the whole batch.

    ``order``: "batch", "online", or the places of the samples (from 0) of an online epoch.
    """
    if updates is None and order is None and momentum is None:
        return None
    if updates is not None:
        check_count(updates, "updates")
    rule = momentum_rule(check_number(momentum, "momentum", least=0, below=1)) if momentum else None
    repeated = _ordered(q, order) * (updates or 1)
    return None if len(repeated) == 1 else Procedure(repeated, "", 0.0, rule)


def _ordered(q: Problem, order: str | Sequence[int] | None) -> tuple[tuple[int, ...], ...]:
    """The samples of each step of one update, or of an online epoch."""
    whole = tuple(range(q.samples))
    if order in ("batch", None):
        return (whole,)
    places = whole if order == "online" else order
    if isinstance(places, str) or not all(place in whole for place in places or ()):
        raise InputError(f"order must be 'batch', 'online', or places of samples from 0 to {whole[-1]}, not {order!r}")
    return tuple((int(s),) for s in places or ())
