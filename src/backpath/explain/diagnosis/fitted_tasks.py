"""Which families of mistakes to fit a number for, alone and with another mistake."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backpath.explain.diagnosis.bits import NUMBER, OF_RANK
from backpath.explain.diagnosis.candidate_mistakes import Candidates
from backpath.explain.diagnosis.comparison import Comparison
from backpath.explain.diagnosis.mistakes import PLAIN, RARE, Family
from backpath.explain.diagnosis.number_fit import Task

_MANY_FIGURES = 400  # with more, a fitted number in one place is not combined with another mistake
_MOST_FITTED = 700_000  # figures of families with another mistake, each tried with a few numbers


@dataclass(frozen=True, eq=False)
class FittedTasks:
    """The families for a comparison.

    ``usual``: the constants of the most usual conventions; ``several``: whether there are other comparisons; ``limit``:
    the bits of the longest mistakes to try.
    """

    c: Comparison
    families: Sequence[Family]
    usual: Sequence[float]
    several: bool
    limit: float

    @property
    def places(self) -> float:
        """The bits of the choice of a family."""
        return math.log2(max(1, len(self.families)))

    def alone(self) -> list[Task]:
        """The families alone or with the usual conventions, as many as there is time for."""
        tasks: list[Task] = []
        numbers = 0
        families = [f for f in sorted(self.families, key=lambda f: f.rank) if self._length(f) <= self.limit]
        for constant in self.usual:
            left = self._wrong_but_for(constant)
            for family in families:
                if numbers > self._room:
                    break
                if not family.touches or left <= family.touches:
                    tasks.append(Task(family, None, constant))
                    numbers += 3 + len(family.starts)
        return tasks

    def with_mistakes(self, singles: Candidates) -> list[Task]:
        """The families with each of these mistakes."""
        narrow = self._narrow(singles) if len(self.c.right) <= _MANY_FIGURES else []
        plain = [f for f in self.families if f.rank == PLAIN and not f.touches]
        return narrow + (self._wide(plain, singles, self._room - len(narrow)) if plain else [])

    @property
    def _room(self) -> int:
        """The most numbers to try."""
        return _MOST_FITTED // len(self.c.right)

    def _narrow(self, singles: Candidates) -> list[Task]:
        """Families that change some figures, with the mistakes that explain all others."""
        names, met = self.c.claims.names, self.c.met(singles.figures)
        misses = ~met.all(axis=1)
        tasks: list[Task] = []
        for family in filter(lambda family: family.touches, self.families):
            touched = np.array([name in family.touches for name in names], dtype=bool)
            able = met[:, ~touched].all(axis=1) & misses & touched.any()
            able &= singles.bits + self._length(family) <= self.limit
            tasks += [Task(family, singles.mistakes[h]) for h in np.flatnonzero(able)]
        return tasks

    def _wide(self, families: Sequence[Family], singles: Candidates, room: int) -> list[Task]:
        """Families that may change all figures, with the most usual mistakes, as many as there is room for."""
        tasks: list[Task] = []
        numbers = 0
        for h in np.argsort(singles.bits, kind="stable"):
            mistake, length = singles.mistakes[h], singles.bits[h] + self._length(families[0])
            if mistake.rank == RARE or numbers > room or length > self.limit:
                break
            constants = self.usual if self.several or mistake.convention else (1.0,)
            tasks += [Task(family, mistake, constant) for family in families for constant in constants]
            numbers += len(constants) * sum(len(family.starts) for family in families)
        return tasks

    def _length(self, family: Family) -> float:
        """The least bits of a family's mistakes."""
        return OF_RANK[family.rank] + self.places + NUMBER

    def _wrong_but_for(self, constant: float) -> set[str]:
        """Which figures differ from the right ones by more than a constant."""
        c = self.c
        predicted = c.claims.base + np.where(c.is_weight, constant, 1.0) * c.changes(c.right[None])[0]
        wrong = (predicted < c.low) | (predicted > c.high)
        return {name for name, one in zip(c.claims.names, wrong, strict=True) if one}
