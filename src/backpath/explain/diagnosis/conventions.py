"""Reads constant factors of gradients as products of conventions.

A mistake is compared with the figures up to constants (``Comparison.ratios``). This module reads these constants as
products of conventions, on all gradients or with a further one on some of them; each reading costs bits.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from backpath.explain.diagnosis.bits import ABOUT, roundest
from backpath.explain.diagnosis.comparison import Bools, Comparison, Ratios
from backpath.explain.diagnosis.constants import (
    ALL,
    HALF,
    NO_RATE,
    NOTHING,
    SLOTS,
    TWICE,
    Constant,
    Group,
    Scope,
    fitted,
    other_rate,
    scopes,
    some_rate,
)
from backpath.explain.diagnosis.problem import Problem
from backpath.maths.arrays import Array

_MOST_ROUNDED = 24  # products of conventions to try for a rounder constant
_ROUND = 9.0  # bits of a number with one digit, such as a learning rate


@dataclass(frozen=True)
class ScopedConstants:
    """Constants with their scopes, and their bits.

    ``certain``: every constant has an explanation.
    """

    factors: tuple[tuple[Constant, Scope], ...]
    bits: float
    certain: bool = True

    def values(self, q: Problem, groups: Sequence[Group]) -> Array:
        """The product of the constants of each group."""
        found = np.ones(len(groups))
        for constant, scope in self.factors:
            value = constant.value(q)
            for k, group in enumerate(groups):
                if scope.holds(group):
                    found[k] *= value ** (q.layers - group[0]) if scope.power else value
        return found

    def holds(self, c: Comparison, ratios: Ratios) -> bool:
        """Whether one pass with these constants has the claimed figures."""
        values = self.values(c.q, c.groups)
        return bool(ratios.values) and bool(((ratios.least <= values) & (values <= ratios.most)).all())


@dataclass(frozen=True)
class Conventions:
    """A product of conventions: the constants, their value in this problem, their bits."""

    constants: tuple[Constant, ...]
    value: float
    bits: float

    def of(self, q: Problem) -> float:
        """The value in another problem."""
        return math.prod(constant.value(q) for constant in self.constants)


@dataclass
class Readings:
    """The readings of constants for one comparison.

    ``several``: whether other comparisons will distinguish numbers from the samples of a batch, which are constant
    here.
    """

    c: Comparison
    several: bool = False
    products: list[Conventions] = field(init=False)
    parts: list[Scope] = field(init=False)

    def __post_init__(self) -> None:
        self.products = sorted(_products(self.c.q), key=lambda p: p.bits)
        self.parts = scopes(self.c.q, self.c.groups)
        self._values = np.array([p.value for p in self.products])
        self._sorted = np.sort(self._values)

    def possible(self, ratios: Ratios) -> Bools:
        """Passes that may have a reading without an unexplained number."""
        least, most = ratios.least, ratios.most
        if not least.shape[1]:
            return ratios.all_fit
        found = self._some(least.max(axis=1), most.min(axis=1))
        for scope in self.parts:
            inside = self._inside(scope)
            if inside.any() and not inside.all():
                outer = self._some(least[:, ~inside].max(axis=1), most[:, ~inside].min(axis=1))
                part = scope.power | self._some(least[:, inside].max(axis=1), most[:, inside].min(axis=1), zero=True)
                found |= outer & part
        return found & ratios.all_fit

    def _some(self, least: Array, most: Array, zero: bool = False) -> Bools:
        """Whether a known product is in the interval."""
        below, above = np.searchsorted(self._sorted, least, "left"), np.searchsorted(self._sorted, most, "right")
        found: Bools = (below < above) | ((least <= 0) & (most >= 0) & zero)
        return found

    def _inside(self, scope: Scope) -> Bools:
        return np.array([scope.holds(group) for group in self.c.groups], dtype=bool)

    def of(self, ratios: Ratios, unexplained: bool) -> list[ScopedConstants]:
        """All readings about as short as the shortest, for the ``ratios`` of one pass in which all groups fit.

        ``unexplained``: also with numbers without an explanation.
        """
        found = [reading for reading in self._every(ratios.least, ratios.most) if reading.certain or unexplained]
        shortest = min((reading.bits for reading in found), default=math.inf)
        window = 2 * ABOUT if self.several else ABOUT
        return sorted((r for r in found if r.bits < shortest + window), key=lambda r: r.bits)

    def _every(self, least: Array, most: Array) -> list[ScopedConstants]:
        """The readings of constants on all gradients, and if none of them is certain, of further ones on some."""
        found = list(self._on_all(least.max(initial=-np.inf), most.min(initial=np.inf)))
        if not any(reading.certain for reading in found):
            for scope in self.parts:
                found += self._on_part(scope, least, most)
        return found

    def _on_all(self, least: float, most: float) -> Iterator[ScopedConstants]:
        if least > most:
            return
        for product in self._between(least, most):
            yield ScopedConstants(tuple((constant, ALL) for constant in product.constants), product.bits)
            if not product.constants:
                return
        if least <= 0 <= most:
            yield ScopedConstants(((NOTHING, ALL),), NOTHING.bits)
        else:
            yield from self._unexplained(least, most)

    def _between(self, least: float, most: float) -> list[Conventions]:
        return [self.products[k] for k in np.flatnonzero((self._values >= least) & (self._values <= most))]

    def _unexplained(self, least: float, most: float) -> Iterator[ScopedConstants]:
        """The shortest reading of a number, alone or with conventions that make it rounder."""
        found = []
        for product in self.products[:_MOST_ROUNDED]:
            low, high = sorted((least / product.value, most / product.value))
            value, bits = roundest(low, high)
            if value <= 0 or value == 1:
                continue
            constant = self._number(low, high, value, bits)
            constants = (*product.constants, constant)
            found.append(ScopedConstants(tuple((k, ALL) for k in constants), product.bits + constant.bits, False))
        shortest = min((reading.bits for reading in found), default=0.0)
        yield from (reading for reading in found if reading.bits <= shortest + (6 if self.several else 1))

    def _number(self, low: float, high: float, value: float, bits: float) -> Constant:
        """The roundest number in the interval, as a learning rate if possible."""
        rate = self.c.q.learning_rate
        if rate is None:
            return some_rate(value, bits) if value < 1 and bits < _ROUND else fitted(value, bits)
        if self.c.is_update.all():
            used, length = roundest(low * rate, high * rate)
            if length < _ROUND:
                return other_rate(used, rate, length)
        return fitted(value, bits)

    def _on_part(self, scope: Scope, least: Array, most: Array) -> Iterator[ScopedConstants]:
        inside = self._inside(scope)
        if inside.all() or not inside.any():
            return
        outer = least[~inside].max(), most[~inside].min()
        if outer[0] > outer[1]:
            return
        if (least[inside] <= 1).all() and (most[inside] >= 1).all():
            return  # the other gradients have the constant
        for product in self._between(*outer)[:4]:
            base = tuple((constant, ALL) for constant in product.constants)
            yield from self._extra(scope, inside, base, product, least, most)
            if not product.constants:
                break

    def _extra(
        self,
        scope: Scope,
        inside: Bools,
        base: tuple[tuple[Constant, Scope], ...],
        product: Conventions,
        least: Array,
        most: Array,
    ) -> Iterator[ScopedConstants]:
        ends = np.sort(np.stack([least, most])[:, inside] / product.value, axis=0)
        if scope.power:
            powers = self.c.q.layers - np.array([layer for layer, *_ in self.c.groups])[inside]
            if (ends <= 0).any():
                return
            ends = ends ** (1 / powers)
        low, high = ends[0].max(), ends[1].min()
        if low > high:
            return
        bits = product.bits + scope.bits
        for extra in self._between(low, high):
            if extra.constants:
                yield ScopedConstants((*base, *((k, scope) for k in extra.constants)), bits + extra.bits)
        if low <= 0 <= high:
            yield ScopedConstants((*base, (NOTHING, scope)), bits + NOTHING.bits)
        elif not scope.power:
            value, cost = roundest(low, high)
            constant = fitted(value, cost)
            yield ScopedConstants((*base, (constant, scope)), bits + constant.bits, False)


def _products(q: Problem) -> Iterator[Conventions]:
    slots = []
    for slot in SLOTS:
        known = [k for k in slot if abs(k.value(q) - 1) > 1e-12 and (k is not NO_RATE or q.updates)]
        slots.append([None, *known])
    for chosen in itertools.product(*slots):
        constants = tuple(k for k in chosen if k is not None)
        yield Conventions(constants, math.prod(k.value(q) for k in constants), _bits(q, constants))


def _bits(q: Problem, constants: Sequence[Constant]) -> float:
    """The bits of the constants; it is rarer to double a squared error, or to halve one that has a ½."""
    bits = sum(constant.bits for constant in constants)
    unusual = {"squared_error": TWICE, "half_squared_error": HALF}.get(q.cost)
    return bits + (1.5 if unusual in constants else 0.0)
