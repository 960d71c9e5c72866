"""The search: which mistakes of the catalogue give the claimed figures, the simplest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np

from backpath.explain.diagnosis.comparison import Bools, Comparison
from backpath.explain.diagnosis.exchanges import exchanged_gradients
from backpath.explain.diagnosis.fit import Task, fitted_numbers
from backpath.explain.diagnosis.fitted import families
from backpath.explain.diagnosis.mistakes import PLAIN, RARE, Family, Mistake
from backpath.explain.diagnosis.passes import Index
from backpath.explain.diagnosis.scales import known_scale
from backpath.explain.diagnosis.singles import CATALOGUE, Singles

Explanation = tuple[Mistake, ...]

_MOST_HINTS = 12
_CHANCE = 0.1  # explanations that would fit by chance, from which on none is believed
_MOST_FITTED = 4_000_000  # figures of families with another mistake, each tried with a few numbers


class Search:
    """Looks for explanations of a comparison ``c``, in which something is wrong.

    ``undecided``: explanations were left out because the figures have too few digits for them.
    """

    def __init__(self, c: Comparison):
        self.c, self.undecided = c, False
        self.singles = Singles.of(c, [mistake for kind in CATALOGUE for mistake in kind(c.q)])

    def explanations(self) -> list[Explanation]:
        """The simplest explanations that give every figure; empty if there are none."""
        levels = (
            self.single_mistakes,
            self._one_fitted,
            self._two,
            self._one_and_two_exchanged,
            self._one_late,
            self._two_with_one_fitted,
        )
        return next(filter(None, (level() for level in levels)), [])

    def single_mistakes(self) -> list[Explanation]:
        """Mistakes that give every figure by themselves, without a number that is fitted."""
        return [(self.singles.mistakes[h],) for h in np.flatnonzero(self.singles.met.all(axis=1))]

    def nearest(self) -> tuple[Mistake, Bools] | None:
        """The mistake that gives the most figures, more than are right, and which; None if none gives most of them."""
        counts = self.singles.met.sum(axis=1)
        best = int(counts.argmax())
        if counts[best] <= max((~self.c.wrong).sum() + 1, len(self.c.wrong) // 2):
            return None
        return self.singles.mistakes[best], self.singles.met[best]

    @cached_property
    def families(self) -> list[Family]:
        return list(families(self.c.q, self._implied_inputs()))

    def _scaled_with_one(self) -> list[Explanation]:
        """A mistake, and an unexplained constant."""
        families = [f for f in self.families if f.code == "scaled" and f.rank == PLAIN]
        found: list[Explanation] = []
        if self._is_chance(self.singles.constants.size, fitted=1):
            return found
        for h, k in np.argwhere(np.isfinite(self.singles.constants)):
            mistake, number = self.singles.mistakes[h], float(self.singles.constants[h, k])
            if not mistake.constant and number and k < len(families):
                found.append((known_scale(self.c.q, k, number) or families[k].mistake(number), mistake))
        return found

    @cached_property
    def _places(self) -> dict[Family, Index]:
        """The claims that each narrow family touches."""
        places: dict[str, list[int]] = {}
        for k, name in enumerate(self.c.claims.names):
            places.setdefault(name, []).append(k)
        narrow = (f for f in self.families if f.touches and not f.late)
        return {f: np.array([k for name in f.touches for k in places.get(name, ())], dtype=np.intp) for f in narrow}

    def _implied_inputs(self) -> list[float]:
        """Of one sample, ∂C/∂W11_1 is as many times ∂C/∂W1~_1 as X1 was read."""
        if self.c.q.samples > 1:
            return []
        gradient = dict(zip(self.c.claims.positions.tolist(), self.c.claims.value.tolist(), strict=True))
        inputs, found = self.c.q.width(0), []
        for j in range(1, self.c.q.width(1) + 1):
            bias = gradient.get(self.c.q.position(1, j, None))
            figures = (gradient.get(self.c.q.position(1, j, i)) for i in range(1, inputs + 1))
            found += [figure / bias for figure in figures if bias and figure is not None]
        return found[:_MOST_HINTS]

    def _is_chance(self, tried: int, fitted: int = 0) -> bool:
        """Whether of so many explanations, in which so many numbers are fitted, some fit anything of so few digits."""
        chance = tried * float(self.c.odds[fitted:].prod()) > _CHANCE
        self.undecided |= chance
        return chance

    def _two(self) -> list[Explanation]:
        """Two mistakes of which neither is rare."""
        pairs, mistakes = self.singles.pairs(self.c.wrong), self.singles.mistakes
        found: list[Explanation] = []
        if self._is_chance(len(pairs)):
            return found
        for block in self.c.blocks(len(pairs)):
            part = pairs[block]
            runs = [(mistakes[m].edits, np.flatnonzero(side == m)) for side in part.T for m in np.unique(side)]
            fits = self.c.met(self.c.figures(len(part), runs)).all(axis=1)
            found += [(mistakes[i], mistakes[k]) for i, k in part[fits]]
        return found

    def _one_and_two_exchanged(self) -> list[Explanation]:
        """A mistake that leaves just two gradients wrong, which are then exchanged; in large networks not all pairs of
        weights can be tried."""
        found: list[Explanation] = []
        for h in np.flatnonzero((~self.singles.met).sum(axis=1) == 2):
            one, other = np.flatnonzero(~self.singles.met[h])
            if self.c.is_update[[one, other]].any() or max(self.c.layers[[one, other]]) == self.c.q.layers:
                continue  # no gradients
            mistake, only = self.singles.mistakes[h], np.array([0])
            swap = exchanged_gradients(self.c.q, *(self.c.claims.names[k] for k in (one, other)))
            if self.c.met(self.c.figures(1, [(mistake.edits, only), (swap.edits, only)])).all():
                found.append((mistake, swap))
        return found

    def _one_fitted(self, late: bool = False) -> list[Explanation]:
        wrong = {name for name, one in zip(self.c.claims.names, self.c.wrong, strict=True) if one}
        able = (f for f in self.families if f.late == late and (not f.touches or wrong <= f.touches))
        return self._fitted([(family, None) for family in able])

    def _one_late(self) -> list[Explanation]:
        return self._one_fitted(late=True)

    def _two_with_one_fitted(self) -> list[Explanation]:
        """A family with another mistake: a narrow family, if the other mistake alone leaves nothing wrong that the
        family does not touch; a wide one with the least far-fetched mistakes, as many as there is time for."""
        scaled = self._scaled_with_one()
        if scaled:
            return scaled
        mistakes, wide = self.singles.mistakes, [f for f in self.families if f.rank == PLAIN and not f.late]
        tasks: list[Task] = []
        missed = ~self.singles.met
        misses = missed.sum(axis=1)
        few = np.flatnonzero(misses <= max(map(len, self._places.values()), default=0))
        for family, touched in self._places.items():
            able = few[missed[np.ix_(few, touched)].sum(axis=1) == misses[few]] if len(touched) else []
            tasks += [(family, mistakes[h]) for h in able]
        numbers = len(tasks)
        for partner in sorted((m for m in mistakes if m.rank < RARE), key=lambda m: (not m.constant, m.rank)):
            tasks += [(family, partner) for family in wide]
            numbers += sum(len(family.starts) for family in wide)
            if numbers > _MOST_FITTED // len(self.c.right):
                break
        return self._fitted(tasks)

    def _fitted(self, tasks: Sequence[Task]) -> list[Explanation]:
        """Of each family, alone or with another mistake, the number that fits, if one does."""
        found: list[Explanation] = []
        if self._is_chance(len(tasks), fitted=1):
            return found
        for (family, partner), number in zip(tasks, fitted_numbers(self.c, tasks), strict=True):
            if number is not None:
                mistake = family.mistake(number)
                found.append((mistake,) if partner is None else (mistake, partner))
        return found


def grouped(explanations: Sequence[Explanation]) -> Iterator[tuple[frozenset[str], list[Explanation]]]:
    """Explanations by the codes of their mistakes; those that are least far-fetched come first."""
    found: dict[frozenset[str], list[Explanation]] = {}
    for explanation in sorted(explanations, key=lambda mistakes: sum(m.rank for m in mistakes)):
        found.setdefault(frozenset(m.code for m in explanation), []).append(explanation)
    return iter(found.items())
