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
from backpath.explain.diagnosis.slopes import everywhere, hidden_slopes, output_slopes
from backpath.explain.diagnosis.way_back import ways_back
from backpath.explain.diagnosis.way_forward import forward_mistakes

Array = NDArray[np.floating]
Bools = NDArray[np.bool_]
Explanation = tuple[Mistake, ...]

CATALOGUE: tuple[Callable[[Problem], Iterator[Mistake]], ...] = (
    scales,
    learning_rates,
    single_samples,
    output_slopes,
    hidden_slopes,
    everywhere,
    ways_back,
    forward_mistakes,
)
_AT_ONCE = 2_000_000  # numbers in one round of passes
_MOST_PAIRS = 100_000
_MOST_FITTED = 20_000  # figures of families with another mistake, each tried with a few numbers


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
        levels = (self._one, self._one_fitted, self._two, self._one_late, self._two_with_one_fitted)
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

    def _one_fitted(self, late: bool = False) -> list[Explanation]:
        wrong = {name for name, one in zip(self.claims.names, self.wrong, strict=True) if one}
        able = (f for f in self.families if f.late == late and (not f.touches or wrong <= f.touches))
        return self._fitted([(family, None) for family in able])

    def _one_late(self) -> list[Explanation]:
        return self._one_fitted(late=True)

    def _two_with_one_fitted(self) -> list[Explanation]:
        """A family with another mistake. Of the very many, those are left out in which the other mistake alone leaves
        figures wrong that the family does not touch, and those of a wide family with a mistake that is far-fetched."""
        names = np.array(self.claims.names)
        tasks: list[tuple[bool, int, Task]] = []
        for family in (f for f in self.families if f.rank == PLAIN):
            touched = np.isin(names, list(family.touches)) if family.touches else np.ones(len(names), dtype=bool)
            able = (self.singles.met | touched).all(axis=1)
            partners = (self.singles.mistakes[h] for h in np.flatnonzero(able))
            tasks += [(not family.touches, m.rank, (family, m)) for m in partners if m.rank < RARE]
        wide = sorted((task for task in tasks if task[0]), key=lambda task: task[1])
        most = _MOST_FITTED // len(self.right)
        return self._fitted([task for *_, task in [t for t in tasks if not t[0]][:most] + wide[:most]])

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
            changed.append(~search.still(figures, search.right))
        every_met, every_changed = np.concatenate(met), np.concatenate(changed)
        kept = np.flatnonzero(every_changed.any(axis=1))
        return cls([mistakes[h] for h in kept], every_met[kept], every_changed[kept], search.layers)

    def pairs(self, wrong: Bools) -> Index:
        """Pairs that may fit, (pairs, 2): what only one of them changes in a layer must already fit with that one."""
        places = np.array([h for h, m in enumerate(self.mistakes) if m.rank < RARE], dtype=np.intp)
        possible = np.ones((len(places), len(places)), dtype=bool)
        for layer in np.unique(self.layers):
            group = self.layers == layer
            changes = self.changed[np.ix_(places, group)].any(axis=1)
            meets = self.met[np.ix_(places, group)].all(axis=1)
            right = not wrong[group].any()
            both = changes[:, None] & changes
            one = (changes[:, None] & ~changes & meets[:, None]) | (~changes[:, None] & changes & meets)
            possible &= both | one | ((~changes[:, None] & ~changes) if right else False)
        found: Index = places[np.argwhere(np.triu(possible, 1))[:_MOST_PAIRS]]
        return found.reshape(-1, 2)


def grouped(explanations: Sequence[Explanation]) -> Iterator[tuple[frozenset[str], list[Explanation]]]:
    """Explanations by the codes of their mistakes; those that are least far-fetched come first."""
    found: dict[frozenset[str], list[Explanation]] = {}
    for explanation in sorted(explanations, key=lambda mistakes: sum(m.rank for m in mistakes)):
        found.setdefault(frozenset(m.code for m in explanation), []).append(explanation)
    return iter(found.items())
