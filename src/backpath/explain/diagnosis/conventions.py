"""Constants on gradients, and what they come from: a ½, a sum for a mean, a sign, the learning rate.

A mistake is compared with the figures up to constants (``Comparison.ratios``). Here these constants are read as
products of conventions, on all gradients or with another one on some of them; each reading costs bits.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from backpath.explain.diagnosis.bits import ABOUT, roundest
from backpath.explain.diagnosis.comparison import Bools, Comparison, Ratios
from backpath.explain.diagnosis.mistakes import Change, Mistake
from backpath.explain.diagnosis.problem import Problem
from backpath.explain.digits import shown
from backpath.explain.expression import ONE, TWO, Expression, Marked, Number, Product, Quotient
from backpath.maths.arrays import Array

Group = tuple[int, bool, bool]  # layer, biases, updates
_MOST_ROUNDED = 24  # products of conventions that a constant may be rounder with
_ROUND = 9.0  # bits of a number of one digit, as learning rates are


@dataclass(frozen=True)
class Constant:
    """A known constant: its code and bits, its value for a problem (1 where it has no meaning), what is said of the
    gradients that have it, and what stands in the formula."""

    code: str
    bits: float
    value: Callable[[Problem], float]
    words: Callable[[Problem], str]
    written: Callable[[Problem], Expression]


def _fixed(code: str, bits: float, value: float, words: str, written: Expression) -> Constant:
    return Constant(code, bits, lambda q: value, lambda q: words, lambda q: written)


_HALF = _fixed(
    "cost_convention", 2.0, 0.5, "half of what this cost has: a ½ too much, or its 2 missing", Quotient(ONE, TWO)
)
_TWICE = _fixed("cost_convention", 2.0, 2.0, "twice what this cost has: its ½ is missing, or a 2 too much", TWO)
_MINUS = _fixed("sign_flipped", 2.0, -1.0, "of the other sign", Number("-1"))
_SUMMED = Constant(
    "missing_batch_average",
    2.0,
    lambda q: float(q.samples),
    lambda q: f"summed over the {q.samples} samples, not averaged",
    lambda q: Number(str(q.samples)),
)
_AVERAGED_TWICE = Constant(
    "missing_batch_average",
    3.5,
    lambda q: 1 / q.samples,
    lambda q: f"averaged over the {q.samples} samples twice",
    lambda q: Quotient(ONE, Number(str(q.samples))),
)
_ONE_LESS = Constant(
    "wrong_reduction",
    5.0,
    lambda q: q.samples / (q.samples - 1) if q.samples > 2 else 1.0,
    lambda q: f"divided by {q.samples - 1}, one less than the number of samples",
    lambda q: Quotient(Number(str(q.samples)), Number(str(q.samples - 1))),
)
_OUTPUTS = Constant(
    "output_average",
    3.0,
    lambda q: 1 / q.width(q.layers),
    lambda q: f"averaged over the {q.width(q.layers)} outputs, not summed",
    lambda q: Quotient(ONE, Number(str(q.width(q.layers)))),
)
_RATE = Constant(
    "learning_rate_included",
    2.5,
    lambda q: q.learning_rate or 1.0,
    lambda q: f"multiplied by the learning rate {q.learning_rate:g} already",
    lambda q: Number(f"{q.learning_rate:g}"),
)
_NO_RATE = Constant(
    "missing_learning_rate",
    3.0,
    lambda q: 1 / (q.learning_rate or 1.0),
    lambda q: "subtracted without the learning rate",
    lambda q: ONE,
)
_SLOTS: tuple[tuple[Constant, ...], ...] = (
    (_MINUS,),
    (_HALF, _TWICE),
    (_SUMMED, _AVERAGED_TWICE, _ONE_LESS),
    (_RATE, _NO_RATE),
    (_OUTPUTS,),
)  # at most one of each


def fitted(value: float, bits: float) -> Constant:
    """A constant that nothing explains."""
    code, words, written = (
        "scaled",
        f"{shown(value)} times the right one, and nothing explains that",
        Number(shown(value)),
    )
    return _fixed(code, bits + 3.0, value, words, written)


def some_rate(value: float, bits: float) -> Constant:
    """A round constant where the learning rate is not known."""
    words = f"{shown(value)} times the right one, as with a learning rate of {shown(value)} in it"
    return _fixed("learning_rate_included", bits, value, words, Number(shown(value)))


_NOTHING = _fixed("all_zero", 4.0, 0.0, "0, as with integers in place of fractions", Number("0"))


@dataclass(frozen=True)
class Scope:
    """Some of the groups: what they are, and the bits to say so."""

    words: str
    holds: Callable[[Group], bool]
    bits: float
    layers: tuple[int, ...] = ()
    biases: bool = False
    power: bool = False  # once more for each layer further down


ALL = Scope("every gradient", lambda group: True, 0.0)


def scopes(q: Problem, groups: Sequence[Group]) -> list[Scope]:
    """All parts of the groups that a constant may be on alone."""
    found: list[Scope] = []
    both = any(b for _, b, _ in groups) and not all(b for _, b, _ in groups)
    for layer in q.every if q.layers > 1 else ():
        found.append(Scope(f"every gradient of layer {layer}", _in_layer(layer), 0.0, (layer,)))
        if both:
            words = f"the gradients of the biases of layer {layer}"
            found.append(Scope(words, _biases_of(layer), 0.0, (layer,), True))
            words = f"the gradients of the weights of layer {layer} without its biases"
            found.append(Scope(words, _weights_of(layer), 1.0, (layer,)))
    if q.layers > 2:
        words = "every gradient of the hidden layers"
        found.append(Scope(words, lambda group: group[0] < q.layers, 0.0, tuple(q.hidden)))
        words = "every gradient, once more for each layer further back,"
        found.append(Scope(words, lambda group: group[0] < q.layers, 0.0, tuple(q.hidden), power=True))
    if both:
        words = "the gradients of the weights without the biases"
        found.append(Scope(words, lambda group: not group[1], 1.0))
        found.append(Scope("the gradients of the biases", lambda group: group[1], 0.0, tuple(q.every), True))
    if any(u for *_, u in groups) and not all(u for *_, u in groups):
        found.append(Scope("every update", lambda group: group[2], 0.0))
    bits = 2.5 + math.log2(max(len(found), 1))
    return [Scope(s.words, s.holds, s.bits + bits, s.layers, s.biases, s.power) for s in found]


def _in_layer(layer: int) -> Callable[[Group], bool]:
    return lambda group: group[0] == layer


def _biases_of(layer: int) -> Callable[[Group], bool]:
    return lambda group: group[0] == layer and group[1]


def _weights_of(layer: int) -> Callable[[Group], bool]:
    return lambda group: group[0] == layer and not group[1]


@dataclass(frozen=True)
class ScopedConstants:
    """Constants, each on its scope, and their bits.

    ``certain``: no constant is there that nothing explains.
    """

    factors: tuple[tuple[Constant, Scope], ...]
    bits: float
    certain: bool = True

    @property
    def is_zero(self) -> bool:
        """Whether nothing is left of any gradient."""
        return any(constant is _NOTHING and scope is ALL for constant, scope in self.factors)

    def values(self, q: Problem, groups: Sequence[Group]) -> Array:
        """The product of the constants on each group."""
        found = np.ones(len(groups))
        for constant, scope in self.factors:
            value = constant.value(q)
            for k, group in enumerate(groups):
                if scope.holds(group):
                    found[k] *= value ** (q.layers - group[0]) if scope.power else value
        return found

    def holds(self, c: Comparison, ratios: Ratios) -> bool:
        """Whether one pass has the figures claimed, with these constants."""
        values = self.values(c.q, c.groups)
        return bool(ratios.values) and bool(((ratios.least <= values) & (values <= ratios.most)).all())


@dataclass(frozen=True)
class _Product:
    constants: tuple[Constant, ...]
    value: float
    bits: float


@dataclass
class Readings:
    """The readings of constants for one comparison.

    ``several``: whether others will tell apart what is a constant here: a number from the samples of a batch.
    """

    c: Comparison
    several: bool = False
    products: list[_Product] = field(init=False)
    parts: list[Scope] = field(init=False)

    def __post_init__(self) -> None:
        self.products = sorted(_products(self.c.q), key=lambda p: p.bits)
        self.parts = scopes(self.c.q, self.c.groups)
        self._values = np.array([p.value for p in self.products])
        self._sorted = np.sort(self._values)

    def possible(self, ratios: Ratios) -> Bools:
        """Passes that some reading without an unexplained number may fit."""
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
        """Whether there is a known product between."""
        below, above = np.searchsorted(self._sorted, least, "left"), np.searchsorted(self._sorted, most, "right")
        found: Bools = (below < above) | ((least <= 0) & (most >= 0) & zero)
        return found

    def _inside(self, scope: Scope) -> Bools:
        return np.array([scope.holds(group) for group in self.c.groups], dtype=bool)

    def of(self, ratios: Ratios, unexplained: bool) -> list[ScopedConstants]:
        """Every reading about as short as the shortest; ``ratios`` of one pass, all of whose groups fit.
        ``unexplained``: with numbers that nothing explains too."""
        least, most = ratios.least, ratios.most
        found = list(self._on_all(least.max(initial=-np.inf), most.min(initial=np.inf)))
        if not any(reading.certain for reading in found):
            for scope in self.parts:
                found += self._on_part(scope, least, most)
        found = [reading for reading in found if reading.certain or unexplained]
        shortest = min((reading.bits for reading in found), default=math.inf)
        window = 2 * ABOUT if self.several else ABOUT
        return sorted((r for r in found if r.bits < shortest + window), key=lambda r: r.bits)

    def _on_all(self, least: float, most: float) -> Iterator[ScopedConstants]:
        if least > most:
            return
        for product in self._between(least, most):
            yield ScopedConstants(tuple((constant, ALL) for constant in product.constants), product.bits)
            if not product.constants:
                return
        if least <= 0 <= most:
            yield ScopedConstants(((_NOTHING, ALL),), _NOTHING.bits)
        else:
            yield from self._unexplained(least, most)

    def _between(self, least: float, most: float) -> list[_Product]:
        return [self.products[k] for k in np.flatnonzero((self._values >= least) & (self._values <= most))]

    def _unexplained(self, least: float, most: float) -> Iterator[ScopedConstants]:
        """A number, alone or with conventions that make it rounder; the shortest of these."""
        found = []
        for product in self.products[:_MOST_ROUNDED]:
            low, high = sorted((least / product.value, most / product.value))
            value, bits = roundest(low, high)
            if value <= 0 or value == 1:
                continue
            rate = self.c.q.learning_rate is None and value < 1 and bits < _ROUND
            constant = some_rate(value, bits) if rate else fitted(value, bits)
            constants = (*product.constants, constant)
            found.append(ScopedConstants(tuple((k, ALL) for k in constants), product.bits + constant.bits, False))
        shortest = min((reading.bits for reading in found), default=0.0)
        yield from (reading for reading in found if reading.bits <= shortest + (6 if self.several else 1))

    def _on_part(self, scope: Scope, least: Array, most: Array) -> Iterator[ScopedConstants]:
        inside = self._inside(scope)
        if inside.all() or not inside.any():
            return
        outer = least[~inside].max(), most[~inside].min()
        if outer[0] > outer[1]:
            return
        if (least[inside] <= 1).all() and (most[inside] >= 1).all():
            return  # it is the others that have a constant
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
        product: _Product,
        least: Array,
        most: Array,
    ) -> Iterator[ScopedConstants]:
        ends = np.sort(np.stack([least, most])[:, inside] / product.value, axis=0)
        if scope.power:
            powers = np.array([self.c.q.layers - g[0] for g, one in zip(self.c.groups, inside, strict=True) if one])
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
            yield ScopedConstants((*base, (_NOTHING, scope)), bits + _NOTHING.bits)
        elif not scope.power:
            value, cost = roundest(low, high)
            constant = fitted(value, cost)
            yield ScopedConstants((*base, (constant, scope)), bits + constant.bits, False)


def _products(q: Problem) -> Iterator[_Product]:
    slots = []
    for slot in _SLOTS:
        known = [k for k in slot if abs(k.value(q) - 1) > 1e-12 and (k is not _NO_RATE or q.updates)]
        slots.append([None, *known])
    for chosen in itertools.product(*slots):
        constants = tuple(k for k in chosen if k is not None)
        yield _Product(constants, math.prod(k.value(q) for k in constants), _bits(q, constants))


def _bits(q: Problem, constants: Sequence[Constant]) -> float:
    """A ½ that the cost has, or a 2 that it has not, is more usual than the other way round."""
    bits = sum(constant.bits for constant in constants)
    unusual = {"squared_error": _TWICE, "half_squared_error": _HALF}.get(q.cost)
    return bits + (1.5 if unusual in constants else 0.0)


def as_mistake(q: Problem, constant: Constant, scope: Scope) -> Mistake:
    """A constant as the report tells it."""
    names: tuple[str, ...] = ()
    for layer in scope.layers:
        names += q.biases(layer) if scope.biases else q.weights_of(layer)
    verb = "are" if scope.words.startswith("the gradients") else "is"
    code = constant.code
    if scope.biases and constant.code == "sign_flipped":
        code = "bias_sign"
    if scope.biases and constant is _NOTHING:
        code = "bias_not_updated"
    message = f"{scope.words} {verb} {constant.words(q)}"
    change = Change("whole", None, times(constant.written(q)))
    return Mistake(code, names, message, (), change, convention=scope is ALL and code not in ("scaled", "all_zero"))


def times(number: Expression) -> Callable[[Expression], Expression]:
    """A product with this number more."""
    return lambda whole: Product((Marked(number), *(whole.factors if isinstance(whole, Product) else (whole,))))
