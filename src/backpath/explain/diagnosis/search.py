"""The search for explanations of the claimed figures, the shortest first.

An explanation is a product of conventions and a few slips. The levels go from short to long explanations. A level is
skipped if everything that it can find is clearly longer than the shortest explanation so far.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from backpath.explain.diagnosis.added import Addition, additions
from backpath.explain.diagnosis.bits import ABOUT, DOUBT, MARGIN, OF_RANK, SECOND, information
from backpath.explain.diagnosis.candidate_mistakes import Candidates, figures_of, figures_of_pairs
from backpath.explain.diagnosis.catalogue.fitted_numbers import families, rates
from backpath.explain.diagnosis.clipping import CLIPPED, clipped, scalings
from backpath.explain.diagnosis.comparison import Comparison, Ratios
from backpath.explain.diagnosis.conventions import Conventions, Readings, ScopedConstants
from backpath.explain.diagnosis.explanation import Explanation
from backpath.explain.diagnosis.fitted_tasks import FittedTasks
from backpath.explain.diagnosis.mistakes import PLAIN, RARE, Family, Mistake
from backpath.explain.diagnosis.number_fit import Task, fitted_numbers, implied_inputs
from backpath.explain.diagnosis.passes import Index, Passes, Stage
from backpath.explain.diagnosis.procedures import OTHER_RULE
from backpath.explain.diagnosis.several import after_several_updates, by_another_rule, in_all, with_slips

_MOST_REPORTED = 8  # explanations in a report
_USUAL = 4.0  # bits of conventions to combine with a fitted number
_INNER = 8.0  # bits of conventions to try on the error if its size matters
_ROUND = 17.0  # bits of a fitted number that may have been chosen by hand: four digits
_LIKELY = 14.0  # bits of a slip to combine with a multiple of the weights, or a length of the gradient
_WITH_TERM = 10.0  # the least bits of an L2 term
_MOST_BENT = 40  # mistakes to try with an unexplained constant
# the bits of the shortest explanation of each level
_WITH_COST, _WITH_SCALE, _WITH_CONSTANT, _WITH_ADDED, _WITH_NUMBER, _PAIR = (
    7.0,
    8.0,
    12.0,
    4.0,
    12.0,
    2 * OF_RANK[PLAIN] + SECOND,
)
_SEVERAL_UPDATES, _SEVERAL_WITH_SLIP, _PAIR_WITH_NUMBER = 2.0, 6.0, 16.0


class Search:
    """Searches for explanations that hold in all comparisons, each of which has wrong figures.

    ``information``: bits in the wrong figures; ``most``: bits of the longest explanations to search for.
    """

    def __init__(self, comparisons: Sequence[Comparison], most: float = math.inf):
        found = sorted(comparisons, key=information, reverse=True)
        self.c, self.others = found[0], found[1:]
        self.information = sum(map(information, comparisons))
        self.readings = Readings(self.c, bool(self.others))
        self._most = min(most, self.information + DOUBT)  # longer explanations are not searched for
        self._limit = self._most
        self.right: Ratios = self.c.ratios(self.c.right[None])

    @cached_property
    def singles(self) -> Candidates:
        return Candidates.of_all(self.c)

    def explanations(self) -> list[Explanation]:
        """The explanations about as short as the shortest, and justified by the information; the shortest first."""
        found: list[Explanation] = []
        for least, level, looks_at_all in self._levels():
            if self.c.q.procedure is not None and least > 0:
                break
            shortest = min((e.bits for e in found if e.certain), default=math.inf)
            self._limit = min(self._most, shortest + ABOUT)
            if least <= self._limit:
                short = [e for e in level() if e.bits <= self._limit]
                found += short if looks_at_all else self._holding(short)
        return self._reported(found)

    def _levels(self) -> Iterator[tuple[float, Callable[[], list[Explanation]], bool]]:
        """The least bits of a level's explanations, the level, and whether it uses all comparisons or one."""
        yield 0.0, self._single, False
        yield _WITH_COST, self._with_other_cost, False
        yield _WITH_SCALE, self._with_scaled_error, False
        yield _WITH_CONSTANT, self._with_constant, False
        yield _WITH_ADDED, self._with_added, False
        if self.c.is_update.all():
            every = [self.c, *self.others]
            yield _SEVERAL_UPDATES, lambda: in_all(every, after_several_updates), True
            yield OTHER_RULE, lambda: in_all(every, by_another_rule), True
            yield _SEVERAL_WITH_SLIP, lambda: in_all(every, with_slips), True
        yield CLIPPED, self._clipped, True
        yield CLIPPED, self._scaled_to_a_length, True
        yield _WITH_NUMBER, self._fitted, False
        yield _PAIR, self._pairs, False
        yield _PAIR_WITH_NUMBER, self._fitted_pairs, False

    def plain(self) -> list[Explanation]:
        """The levels of conventions and one slip."""
        return self._reported(
            e for e in self._holding(self._single()) if e.certain and e.bits <= self.information + DOUBT
        )

    def is_certain(self, found: Sequence[Explanation]) -> bool:
        """Whether there is one explanation, with known reasons, and clearly shorter than the figures' information."""
        return len(found) == 1 and found[0].certain and found[0].bits + MARGIN <= self.information

    def _reported(self, found: Iterable[Explanation]) -> list[Explanation]:
        """The explanations about as short as the shortest, one for each combination of mistakes and places."""
        by_key: dict[frozenset[tuple[str, ...]], Explanation] = {}
        for explanation in sorted(found, key=lambda e: e.bits):
            by_key.setdefault(explanation.key(self.c.q), explanation)
        kept = list(by_key.values())
        return [e for e in kept if e.bits < kept[0].bits + ABOUT][:_MOST_REPORTED]

    def _holding(self, found: Sequence[Explanation]) -> list[Explanation]:
        """The explanations that also hold in the other comparisons."""
        kept = list(found)
        for c in self.others:
            if not kept:
                return kept
            figures = figures_of(c, [e.slips for e in kept])
            ok = []
            for h, e in enumerate(kept):
                ratios = c.ratios(figures[h : h + 1], None if e.added is None else e.added.figures(c)[None])
                ok.append(e.constants.holds(c, ratios[0]))
            kept = [e for e, one in zip(kept, ok, strict=True) if one]
        return kept

    def _read(
        self, slips: tuple[Mistake, ...], bits: float, ratios: Ratios, unexplained: bool
    ) -> Iterator[Explanation]:
        """Slips with all readings of the constants that they need."""
        for reading in self.readings.of(ratios, unexplained):
            if slips and reading.factors and reading.holds(self.c, self.right[0]):
                continue  # the constants explain it without the slips
            is_right = not reading.factors and bool(slips) and all(slip.is_right for slip in slips)
            yield Explanation(slips, reading, bits + reading.bits, certain=reading.certain, is_right=is_right)

    def _single(self) -> list[Explanation]:
        """Conventions alone, and with each mistake."""
        found: list[Explanation] = []
        if self.right.all_fit[0]:
            found += self._read((), 0.0, self.right[0], unexplained=True)
        s = self.singles
        for h in np.flatnonzero(self.readings.possible(s.ratios)):
            found += self._read((s.mistakes[h],), float(s.bits[h]), s.ratios[h], unexplained=False)
        return found

    def _with_scaled_error(self) -> list[Explanation]:
        """A mistake that depends on the size of the error, with conventions applied to the error before it."""
        tried = list(self._scaled())
        ratios = self.c.ratios(figures_of(self.c, [slips for slips, _ in tried]))
        found: list[Explanation] = []
        for h in np.flatnonzero(self.readings.possible(ratios)):
            found += self._read(*tried[h], ratios[h], unexplained=False)
        return found

    def _scaled(self) -> Iterator[tuple[tuple[Mistake, ...], float]]:
        """Each such mistake after each short product of conventions, with the mistake's bits."""
        products = [p for p in self.readings.products if p.constants and p.bits <= _INNER]
        for mistake, bits in zip(self.singles.mistakes, self.singles.bits.tolist(), strict=True):
            if mistake.by_size:
                yield from (((_scaled(mistake, p),), bits) for p in products if bits + p.bits <= self._limit)

    def _with_constant(self) -> list[Explanation]:
        """A mistake, and an unexplained constant."""
        s = self.singles
        bent = s.bends.any(axis=1) & s.ratios.all_fit & (s.bits < OF_RANK[RARE])
        found: list[Explanation] = []
        for h in sorted(np.flatnonzero(bent), key=lambda h: float(s.bits[h]))[:_MOST_BENT]:
            found += self._read((s.mistakes[h],), float(s.bits[h]), s.ratios[h], unexplained=True)
        return found

    def _combined(self, pairs: np.ndarray, second: float) -> list[Explanation]:
        """Two mistakes together; pairs are places among the single ones."""
        s, found = self.singles, []
        pairs = pairs[s.bits[pairs].sum(axis=1) + second <= self._limit]
        for block in self.c.blocks(len(pairs)):
            part = pairs[block]
            figures = figures_of_pairs(self.c, s.mistakes, part)
            ratios = self.c.ratios(figures)
            for h in np.flatnonzero(self.readings.possible(ratios)):
                if any(self.c.still(figures[h], s.figures[k]).all() for k in part[h]):
                    continue  # one of the two has no effect
                chosen = s.mistakes[part[h, 0]], s.mistakes[part[h, 1]]
                bits = float(s.bits[part[h]].sum()) + second
                found += list(self._read(chosen, bits, ratios[h], unexplained=False))
        return found

    def _with_other_cost(self) -> list[Explanation]:
        """A convention of the catalogue, such as another cost, with each other mistake."""
        s = self.singles
        conventions = [k for k, m in enumerate(s.mistakes) if m.convention and m.rank == PLAIN]
        others = [k for k, m in enumerate(s.mistakes) if not m.convention and m.rank < RARE]
        return self._combined(
            np.array([(i, k) for i in conventions for k in others], dtype=np.intp).reshape(-1, 2), 0.0
        )

    def _pairs(self) -> list[Explanation]:
        return self._combined(self.singles.pairs(self.right), SECOND)

    def _with_added(self) -> list[Explanation]:
        """The right figures, or a mistake, and a multiple of the weights."""
        s, c = self.singles, self.c
        least = _WITH_ADDED if c.is_update.any() else _WITH_TERM
        able = np.flatnonzero((s.bits < _LIKELY) & (s.bits + least <= self._limit))
        tried: list[tuple[tuple[Mistake, ...], float]] = [((), 0.0)]
        tried += [((s.mistakes[h],), float(s.bits[h])) for h in able]
        figures = np.concatenate([c.right[None], s.figures[able]])
        sums = list(additions(c, c.changes(figures), bool(self.others)))
        if not sums:
            return []
        ratios = c.ratios(figures[[k for k, _ in sums]], np.stack([addition.figures(c) for _, addition in sums]))
        found: list[Explanation] = []
        for h in np.flatnonzero(self.readings.possible(ratios)):
            place, addition = sums[h]
            found += self._read_with_added(*tried[place], addition, ratios[h])
        return found

    def _read_with_added(
        self, slips: tuple[Mistake, ...], bits: float, addition: Addition, ratios: Ratios
    ) -> Iterator[Explanation]:
        for reading in self.readings.of(ratios, False):
            is_right = addition.is_right and not slips and not reading.factors
            yield Explanation(slips, reading, bits + addition.bits + reading.bits, addition, is_right=is_right)

    def _clipped(self) -> list[Explanation]:
        """Conventions and a mistake, with gradients that are then clipped."""
        found = clipped([self.c, *self.others])
        if found is None:
            return []
        if found.only_signs:
            agree = all(c.ratios(c.right[None]).all_fit[0] for c in found.comparisons)
            none = ScopedConstants((), 0.0)
            return [Explanation((), none, found.bits, after=found.mistake, is_right=True)] if agree else []
        under = Search(found.comparisons, self._limit - found.bits).plain()
        return [
            replace(e, bits=e.bits + found.bits, after=found.mistake, is_right=not e.slips and not e.constants.factors)
            for e in under
        ]

    def _scaled_to_a_length(self) -> list[Explanation]:
        """The right gradients, or those with a mistake, scaled to a length."""
        comparisons = [self.c, *self.others]
        s = self.singles
        found: list[Explanation] = []
        for scaling in scalings(comparisons):
            able = np.flatnonzero((s.bits < _LIKELY) & (s.bits + scaling.bits <= self._limit) & s.ratios.all_fit)
            tried: list[tuple[tuple[Mistake, ...], float, Ratios]] = [((), 0.0, self.right[0])]
            tried += [((s.mistakes[h],), float(s.bits[h]), s.ratios[h]) for h in able]
            for slips, bits, ratios in tried:
                if scaling.holds(0, ratios) and all(
                    scaling.holds(k, c.ratios(figures_of(c, [slips]))[0]) for k, c in enumerate(self.others, 1)
                ):
                    none = ScopedConstants((), 0.0)
                    found.append(
                        Explanation(slips, none, bits + scaling.bits, after=scaling.mistake, is_right=not slips)
                    )
        return found

    @cached_property
    def _families(self) -> list[Family]:
        """The families; for a user's function, only those with the same meaning in every network."""
        return list(rates(self.c.q)) if self.others else list(families(self.c.q, implied_inputs(self.c)))

    @property
    def _fitted_tasks(self) -> FittedTasks:
        usual = [product.value for product in self.readings.products if product.bits <= _USUAL]
        return FittedTasks(self.c, self._families, usual, bool(self.others), self._limit)

    def _fitted(self) -> list[Explanation]:
        """A mistake with a fitted number, alone or with the usual conventions."""
        return self._of_tasks(self._fitted_tasks.alone(), {})

    def _fitted_pairs(self) -> list[Explanation]:
        """The same with a second mistake."""
        s = self.singles
        bits = {id(m): float(b) for m, b in zip(s.mistakes, s.bits, strict=True)}
        return self._of_tasks(self._fitted_tasks.with_mistakes(s), bits)

    def _of_tasks(self, tasks: Sequence[Task], bits: dict[int, float]) -> list[Explanation]:
        found: list[Explanation] = []
        places = self._fitted_tasks.places
        for task, fit in zip(tasks, fitted_numbers(self.c, tasks), strict=True):
            if fit is None:
                continue
            number, digits = fit
            slip = task.family.mistake(number)
            slips = (slip,) if task.partner is None else (slip, task.partner)
            ratios = self.c.ratios(figures_of(self.c, [slips]))
            length = OF_RANK[task.family.rank] + places + digits
            if task.partner is not None:
                length += bits[id(task.partner)] + (0.0 if task.partner.convention else SECOND)
            if ratios.all_fit[0]:
                read = self._read(slips, length, ratios[0], unexplained=False)
                found += (replace(e, certain=digits <= _ROUND) for e in read)
        return found


def _scaled(mistake: Mistake, product: Conventions) -> Mistake:
    """The mistake after these conventions are applied to the error."""

    def edit(p: Passes, h: Index) -> None:
        p.scale[h] = product.of(p.q)

    return replace(mistake, edits=((Stage.START, edit), *mistake.edits))
