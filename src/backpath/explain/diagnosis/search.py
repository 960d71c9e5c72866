"""The search: which mistakes of the catalogue give the claimed figures, the simplest first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from backpath.explain.diagnosis.claims import Claims
from backpath.explain.diagnosis.fit import Task, fitted_numbers
from backpath.explain.diagnosis.fitted import families
from backpath.explain.diagnosis.mistakes import PLAIN, RARE, Family, Mistake
from backpath.explain.diagnosis.passes import Index, Passes, Run
from backpath.explain.diagnosis.problem import Problem
from backpath.explain.diagnosis.scales import learning_rates, scales, single_samples
from backpath.explain.diagnosis.slopes import slopes
from backpath.explain.diagnosis.way_back import ways_back
from backpath.explain.diagnosis.way_forward import exchanged_gradients, forward_mistakes

Array = NDArray[np.floating]
Bools = NDArray[np.bool_]
Explanation = tuple[Mistake, ...]

CATALOGUE: tuple[Callable[[Problem], Iterator[Mistake]], ...] = (
    scales,
    learning_rates,
    single_samples,
    slopes,
    ways_back,
    forward_mistakes,
)
_AT_ONCE = 2_000_000  # numbers in one round of passes
_MOST_PAIRS = 100_000
_MOST_FITTED = 1_000_000  # figures of families with another mistake, each tried with a few numbers


@dataclass(frozen=True, eq=False)
class Search:
    """A problem with its claims."""

    q: Problem
    claims: Claims

    @cached_property
    def right(self) -> Array:
        """The right figures, all of them."""
        found: Array = self.figures(1, [])[0]
        return found

    @cached_property
    def layers(self) -> Index:
        """The layer of each claim, counted from 0; of a value of the forward pass, the number of layers."""
        count, positions = self.q.ends[-1], self.claims.positions
        weight = np.where(self.is_update, positions - count, positions)
        return np.searchsorted(self.q.ends, weight, side="right")

    @cached_property
    def is_update(self) -> Bools:
        """Which claims are updated weights."""
        count, positions = self.q.ends[-1], self.claims.positions
        found: Bools = (positions >= count) & (positions < 2 * count) & self.q.updates
        return found

    @cached_property
    def largest(self) -> Array:
        """For each claim the largest right gradient or change in its layer; of a value of the forward pass 1."""
        gradients, starts = np.abs(self.right[: self.q.ends[-1]]), [0, *self.q.ends[:-1]]
        by_layer = [float(gradients[a:b].max()) for a, b in zip(starts, self.q.ends, strict=True)]
        largest: Array = np.array([*by_layer, 1.0])[self.layers]
        return largest * np.where(self.is_update, self.q.learning_rate or 1.0, 1.0)

    @cached_property
    def wrong(self) -> Bools:
        """Which claims are not right."""
        found: Bools = ~self.met(self.right[None])[0]
        return found

    def figures(self, count: int, runs: Sequence[Run]) -> Array:
        """All figures of so many passes with these edits; (passes, figures)."""
        return Passes(self.q, count, runs).figures()

    def met(self, figures: Array) -> Bools:
        return self.claims.met(figures, self.largest)

    def still(self, first: Array, second: Array) -> Bools:
        """Which claimed figures are the same in both, but for rounding."""
        positions = self.claims.positions
        scale = self.largest + np.abs(self.claims.base)
        with np.errstate(all="ignore"):
            found: Bools = np.abs(first[..., positions] - second[..., positions]) <= 1e-12 * scale
        return found

    def blocks(self, count: int) -> Iterator[slice]:
        """Passes that are made at once, so that they fit into memory and cache."""
        size = self.q.ends[-1] + self.q.samples * sum(self.q.net.sizes)
        step = max(1, _AT_ONCE // size)
        return (slice(start, min(count, start + step)) for start in range(0, count, step))

    @cached_property
    def singles(self) -> Singles:
        return Singles.of(self, [mistake for kind in CATALOGUE for mistake in kind(self.q)])

    @cached_property
    def families(self) -> list[Family]:
        return list(families(self.q))

    def explanations(self) -> list[Explanation]:
        """The simplest explanations that give every figure; empty if there are none."""
        levels = (
            self._one,
            self._one_fitted,
            self._two,
            self._one_and_two_exchanged,
            self._one_late,
            self._two_with_one_fitted,
        )
        return next(filter(None, (level() for level in levels)), [])

    def nearest(self) -> tuple[Mistake, Bools] | None:
        """The mistake that gives the most figures, more than are right, and which; None if none gives most of them."""
        counts = self.singles.met.sum(axis=1)
        best = int(counts.argmax())
        if counts[best] <= max((~self.wrong).sum() + 1, len(self.wrong) // 2):
            return None
        return self.singles.mistakes[best], self.singles.met[best]

    def _one(self) -> list[Explanation]:
        return [(self.singles.mistakes[h],) for h in np.flatnonzero(self.singles.met.all(axis=1))]

    def _two(self) -> list[Explanation]:
        """Two mistakes of which neither is rare."""
        pairs, mistakes = self.singles.pairs(self.wrong), self.singles.mistakes
        found: list[Explanation] = []
        for block in self.blocks(len(pairs)):
            part = pairs[block]
            runs = [(mistakes[m].edits, np.flatnonzero(side == m)) for side in part.T for m in np.unique(side)]
            fits = self.met(self.figures(len(part), runs)).all(axis=1)
            found += [(mistakes[i], mistakes[k]) for i, k in part[fits]]
        return found

    def _one_and_two_exchanged(self) -> list[Explanation]:
        """A mistake that leaves just two gradients wrong, which are then exchanged; in large networks not all pairs of
        weights can be tried."""
        found: list[Explanation] = []
        for h in np.flatnonzero((~self.singles.met).sum(axis=1) == 2):
            one, other = np.flatnonzero(~self.singles.met[h])
            if self.is_update[[one, other]].any() or max(self.layers[[one, other]]) == self.q.layers:
                continue  # no gradients
            mistake, only = self.singles.mistakes[h], np.array([0])
            swap = exchanged_gradients(self.q, *(self.claims.names[k] for k in (one, other)))
            if self.met(self.figures(1, [(mistake.edits, only), (swap.edits, only)])).all():
                found.append((mistake, swap))
        return found

    def _one_fitted(self, late: bool = False) -> list[Explanation]:
        wrong = {name for name, one in zip(self.claims.names, self.wrong, strict=True) if one}
        able = (f for f in self.families if f.late == late and (not f.touches or wrong <= f.touches))
        return self._fitted([(family, None) for family in able])

    def _one_late(self) -> list[Explanation]:
        return self._one_fitted(late=True)

    def _two_with_one_fitted(self) -> list[Explanation]:
        """A family with another mistake: a narrow family, if the other mistake alone leaves nothing wrong that the
        family does not touch; a wide one with the least far-fetched mistakes, as many as there is time for."""
        names, mistakes = np.array(self.claims.names), self.singles.mistakes
        tasks: list[Task] = []
        wide = [f for f in self.families if f.rank == PLAIN]
        for family in self.families:
            touched = np.isin(names, list(family.touches))
            if family.late or not touched.any() or touched.all():
                continue
            able = (self.singles.met | touched).all(axis=1)
            tasks += [(family, mistakes[h]) for h in np.flatnonzero(able)]
        numbers = len(tasks)
        for partner in sorted((m for m in mistakes if m.rank < RARE), key=lambda m: m.rank):
            tasks += [(family, partner) for family in wide]
            numbers += sum(len(family.starts) for family in wide)
            if numbers > _MOST_FITTED // len(self.right):
                break
        return self._fitted(tasks)

    def _fitted(self, tasks: Sequence[Task]) -> list[Explanation]:
        """Of each family, alone or with another mistake, the number that fits, if one does."""
        if self.wrong.sum() < 2 and len(self.wrong) < 4:
            return []  # one number more than the figures could tell
        found: list[Explanation] = []
        for (family, partner), number in zip(tasks, fitted_numbers(self, tasks), strict=True):
            if number is not None:
                mistake = family.mistake(number)
                found.append((mistake,) if partner is None else (mistake, partner))
        return found


@dataclass(frozen=True, eq=False)
class Singles:
    """Every mistake of the catalogue by itself that changes a claimed figure, and what it makes of them.

    Attributes
    ----------
    met, changed : (mistakes, claims), whether the claim is met, and whether the figure is another than the right one
    layers : of each claim
    """

    mistakes: list[Mistake]
    met: Bools
    changed: Bools
    layers: Index

    @classmethod
    def of(cls, search: Search, mistakes: list[Mistake]) -> Singles:
        met, changed = [], []
        for block in search.blocks(len(mistakes)):
            part = mistakes[block]
            figures = search.figures(len(part), [(m.edits, np.array([h])) for h, m in enumerate(part)])
            met.append(search.met(figures))
            changed.append(~search.still(figures, search.right) | (search.largest == 0))  # 0 hides what is done to it
        every_met, every_changed = np.concatenate(met), np.concatenate(changed)
        kept = np.flatnonzero(every_changed.any(axis=1))
        return cls([mistakes[h] for h in kept], every_met[kept], every_changed[kept], search.layers)

    def pairs(self, wrong: Bools) -> Index:
        """Pairs that may fit, (pairs, 2): what only one of them changes in a layer must already fit with that one."""
        common, constant, coupled = (
            np.array(marks, dtype=bool)
            for marks in zip(*((m.rank < RARE, m.constant, m.coupled) for m in self.mistakes), strict=True)
        )
        possible = np.triu(np.logical_and.outer(common, common) | np.logical_xor.outer(constant, constant), 1)
        for layer in np.unique(self.layers):
            group = self.layers == layer
            changes, meets = self.changed[:, group].any(axis=1), self.met[:, group].all(axis=1)
            one, other = changes[:, None], changes[None]
            both = (one & other) | (one & coupled[:, None]) | (other & coupled)
            alone = (one & ~other & meets[:, None]) | (~one & other & meets)
            possible &= both | alone | (~one & ~other & ~wrong[group].any())
        return np.argwhere(possible)[:_MOST_PAIRS]


def grouped(explanations: Sequence[Explanation]) -> Iterator[tuple[frozenset[str], list[Explanation]]]:
    """Explanations by the codes of their mistakes; those that are least far-fetched come first."""
    found: dict[frozenset[str], list[Explanation]] = {}
    for explanation in sorted(explanations, key=lambda mistakes: sum(m.rank for m in mistakes)):
        found.setdefault(frozenset(m.code for m in explanation), []).append(explanation)
    return iter(found.items())
