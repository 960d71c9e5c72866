"""The search: which mistakes of the catalogue give the claimed figures, the simplest first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from backpath.explain.diagnosis.claims import Claims
from backpath.explain.diagnosis.fitted import families
from backpath.explain.diagnosis.mistakes import PLAIN, RARE, Family, Mistake
from backpath.explain.diagnosis.passes import Edits, Passes
from backpath.explain.diagnosis.problem import Problem
from backpath.explain.diagnosis.scales import scales, single_samples
from backpath.explain.diagnosis.slopes import everywhere, hidden_slopes, output_slopes
from backpath.explain.diagnosis.way_back import ways_back
from backpath.explain.diagnosis.way_forward import forward_mistakes

Array = NDArray[np.floating]
Explanation = tuple[Mistake, ...]

_AT_ONCE = 4_000_000  # numbers in one round of passes
MOST_PAIRS = 60_000


@dataclass(frozen=True, eq=False)
class Search:
    """A problem with its claims."""

    q: Problem
    claims: Claims

    @cached_property
    def right(self) -> Array:
        """The right figures, all of them."""
        return self.figures([()])[0]

    @cached_property
    def largest(self) -> Array:
        """For each claim the largest right change in its layer, of the claims' kind."""
        base = np.concatenate([W.ravel() for W in self.q.net.weights]) if self.q.updates else 0.0
        count = self.q.ends[-1]
        changes = np.abs(self.right[:count] - base)
        starts = [0, *self.q.ends[:-1]]
        by_layer = [float(changes[a:b].max()) for a, b in zip(starts, self.q.ends, strict=True)]
        return np.array([1.0 if k == self.q.layers else by_layer[k] for k in self.layers])

    @cached_property
    def layers(self) -> NDArray[np.intp]:
        """The layer of each claim, counted from 0; of a value of the forward pass, the number of layers."""
        return np.searchsorted(self.q.ends, self.claims.positions, side="right")

    def figures(self, trials: Sequence[Edits]) -> Array:
        """All figures of passes with these edits; (passes, figures)."""
        size = self.q.ends[-1] + self.q.samples * sum(self.q.net.sizes)
        block = max(1, _AT_ONCE // size)
        found = []
        for start in range(0, len(trials), block):
            passes = Passes(self.q, trials[start : start + block])
            parts = [passes.figures(), passes.values()] if self.q.samples == 1 else [passes.figures()]
            found.append(np.concatenate(parts, axis=1))
        return np.concatenate(found)

    def misfit(self, figures: Array) -> Array:
        with np.errstate(all="ignore"):
            return self.claims.misfit(figures, self.largest)

    def fits(self, figures: Array) -> NDArray[np.bool_]:
        """Which passes give every claimed figure."""
        found: NDArray[np.bool_] = (self.misfit(figures) <= 1).all(axis=1)
        return found

    @cached_property
    def wrong(self) -> NDArray[np.bool_]:
        """Which claims are not right."""
        found: NDArray[np.bool_] = ~(self.misfit(self.right[None])[0] <= 1)
        return found

    @cached_property
    def singles(self) -> Singles:
        q = self.q
        kinds = (scales, single_samples, output_slopes, hidden_slopes, everywhere, ways_back, forward_mistakes)
        return Singles.of(self, [mistake for kind in kinds for mistake in kind(q)])

    @cached_property
    def families(self) -> list[Family]:
        return list(families(self.q))

    def explanations(self) -> list[Explanation]:
        """The simplest explanations that give every figure; empty if there are none."""
        levels: tuple[Callable[[], Iterable[Explanation]], ...] = (
            self._one,
            lambda: self._one_fitted(late=False),
            self._two,
            lambda: self._one_fitted(late=True),
            self._two_with_one_fitted,
        )
        for level in levels:
            found = list(level())
            if found:
                return found
        return []

    def nearest(self) -> tuple[Mistake, NDArray[np.bool_]] | None:
        """The mistake that gives the most figures, more than are right, and which; None if none gives most of them."""
        met = self.misfit(self.figures([m.edits for m in self.singles.mistakes])) <= 1
        counts = met.sum(axis=1)
        best = int(counts.argmax())
        if counts[best] <= max((~self.wrong).sum() + 1, len(self.wrong) // 2):
            return None
        return self.singles.mistakes[best], met[best]

    def _one(self) -> list[Explanation]:
        return [(self.singles.mistakes[h],) for h in np.flatnonzero(self.singles.fitting)]

    def _two(self) -> list[Explanation]:
        """Two mistakes of which neither is rare; those that cannot fit are left out by the layers they change."""
        pairs = self.singles.pairs()
        mistakes = self.singles.mistakes
        edits = [(*mistakes[i].edits, *mistakes[k].edits) for i, k in pairs]
        if not edits:
            return []
        return [(mistakes[pairs[h][0]], mistakes[pairs[h][1]]) for h in np.flatnonzero(self._fitting(edits))]

    def _fitting(self, trials: Sequence[Edits]) -> NDArray[np.bool_]:
        block = 20_000
        return np.concatenate(
            [self.fits(self.figures(trials[start : start + block])) for start in range(0, len(trials), block)]
        )

    def _one_fitted(self, late: bool) -> list[Explanation]:
        chosen = [family for family in self.families if family.late == late]
        return self._fitted([(family, None) for family in chosen])

    def _two_with_one_fitted(self) -> list[Explanation]:
        common = [family for family in self.families if family.rank == PLAIN]
        partners = self.singles.plain
        tasks = [(family, partner) for partner in partners for family in common]
        return self._fitted(tasks[:2000])

    def _fitted(self, tasks: Sequence[tuple[Family, Mistake | None]]) -> list[Explanation]:
        """Of each family, alone or with another mistake, the number that fits, if one does."""
        from backpath.explain.diagnosis.fit import fitted_numbers

        found: list[Explanation] = []
        if self.wrong.sum() < 2 and len(self.wrong) < 4:
            return found  # one number more than the figures could tell
        for (family, partner), number in zip(tasks, fitted_numbers(self, tasks), strict=True):
            if number is not None:
                mistake = family.mistake(number)
                found.append((mistake,) if partner is None else (mistake, partner))
        return found


@dataclass(frozen=True, eq=False)
class Singles:
    """Every mistake of the catalogue by itself, and what it makes of the figures.

    Attributes
    ----------
    fitting : which give every claimed figure
    matches, changes : (mistakes, layers), whether every claim of the layer is met, and whether any is changed
    """

    mistakes: list[Mistake]
    fitting: NDArray[np.bool_]
    matches: NDArray[np.bool_]
    changes: NDArray[np.bool_]
    right: NDArray[np.bool_]

    @classmethod
    def of(cls, search: Search, mistakes: list[Mistake]) -> Singles:
        figures = search.figures([m.edits for m in mistakes])
        with np.errstate(all="ignore"):
            met = search.misfit(figures) <= 1
            apart = figures[:, search.claims.positions] - search.right[search.claims.positions]
            changed = ~(np.abs(apart) <= 1e-12 * (np.abs(search.largest) + np.abs(search.claims.base)))
        groups = [search.layers == layer for layer in np.unique(search.layers)]
        matches = np.stack([met[:, group].all(axis=1) for group in groups], axis=1)
        changes = np.stack([changed[:, group].any(axis=1) for group in groups], axis=1)
        right = np.array([not search.wrong[group].any() for group in groups])
        kept = np.flatnonzero(changes.any(axis=1))
        return cls([mistakes[h] for h in kept], matches[kept].all(axis=1), matches[kept], changes[kept], right)

    @property
    def plain(self) -> list[Mistake]:
        return [m for m in self.mistakes if m.rank == PLAIN]

    def pairs(self) -> list[tuple[int, int]]:
        """Pairs that may fit: a layer that only one of them changes must already be met by that one."""
        places = np.array([h for h, m in enumerate(self.mistakes) if m.rank < RARE], dtype=np.intp)
        changes, matches = self.changes[places], self.matches[places]
        both = changes[:, None] & changes[None]
        neither = ~changes[:, None] & ~changes[None]
        first = changes[:, None] & ~changes[None] & matches[:, None]
        second = ~changes[:, None] & changes[None] & matches[None]
        possible = np.triu((both | first | second | (neither & self.right)).all(axis=2), 1)
        found = np.argwhere(possible)[:MOST_PAIRS]
        return [(int(places[i]), int(places[k])) for i, k in found]


def grouped(explanations: Sequence[Explanation]) -> Iterator[tuple[frozenset[str], list[Explanation]]]:
    """Explanations by the codes of their mistakes; those that are least far-fetched come first."""
    found: dict[frozenset[str], list[Explanation]] = {}
    for explanation in sorted(explanations, key=lambda mistakes: sum(m.rank for m in mistakes)):
        found.setdefault(frozenset(m.code for m in explanation), []).append(explanation)
    return iter(found.items())
