"""Changes to gradients before the update: clipped one by one, or scaled to a length."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from backpath.explain.diagnosis.bits import roundest
from backpath.explain.diagnosis.comparison import Bools, Comparison, Ratios
from backpath.explain.diagnosis.mistakes import Mistake
from backpath.explain.diagnosis.passes import Index
from backpath.explain.digits import shown
from backpath.maths.arrays import Array

CLIPPED = 6.0  # bits, in addition to those of the number
_ROUND = 13.0  # bits; a number with at most this many, three digits, looks chosen by hand
_LEAST_SIGNS = 12  # the fewest figures for which only signs are accepted
_LEAST_LEFT = 2  # the fewest unclipped figures


@dataclass(frozen=True, eq=False)
class Clipping:
    """Gradients clipped at a round number: the finding, its bits, and the comparisons in which a figure at that number
    stands for any larger one; ``only_signs``: whether only the signs are left."""

    mistake: Mistake
    bits: float
    comparisons: list[Comparison]
    only_signs: bool


def clipped(comparisons: Sequence[Comparison]) -> Clipping | None:
    """None unless the largest figures are equal to a round number."""
    most = max(float(_sizes(c)[c.is_weight].max(initial=0.0)) for c in comparisons)
    at = [c.is_weight & (_sizes(c) >= most - 0.7 * _widths(c)) for c in comparisons]
    left = sum(int((c.is_weight & (_sizes(c) > 0) & ~one).sum()) for c, one in zip(comparisons, at, strict=True))
    if not most or (left < _LEAST_LEFT if left else np.concatenate(at).sum() < _LEAST_SIGNS):
        return None
    found = _common_size(comparisons, at)
    if found is None:
        return None
    number, bits = found
    opened = [_with_larger(c, one) for c, one in zip(comparisons, at, strict=True)]
    message = f"each gradient is clipped to the range from −{shown(number)} to {shown(number)}"
    if not left:
        message = f"only the sign of each gradient is left: {shown(number)} or −{shown(number)}"
    return Clipping(Mistake("gradient_clipped", (), message, (), convention=True), CLIPPED + bits, opened, not left)


def _sizes(c: Comparison) -> Array:
    """The sizes of the claimed changes."""
    return np.abs(c.claims.value - c.claims.base)


def _with_larger(c: Comparison, at: Bools) -> Comparison:
    """The comparison in which these figures stand for any larger ones."""
    return Comparison(c.q, replace(c.claims, beyond=np.sign(c.claims.value - c.claims.base) * at))


def _widths(c: Comparison) -> Array:
    return np.where(c.is_weight, c.high - c.low, 0.0)


def _common_size(comparisons: Sequence[Comparison], at: Sequence[Bools]) -> tuple[float, float] | None:
    """The round number that these figures are equal to, and its bits; None if there is none."""
    ends = [
        ((size - 0.6 * width)[one], (size + 0.6 * width)[one])
        for size, width, one in zip(map(_sizes, comparisons), map(_widths, comparisons), at, strict=True)
    ]
    least = max(float(low.max(initial=0.0)) for low, _ in ends)
    largest = min(float(high.min(initial=np.inf)) for _, high in ends)
    rate = _rate(comparisons[0])
    number, bits = roundest(least / rate, largest / rate)
    return None if least > largest or bits > _ROUND else (number, bits)


@dataclass(frozen=True, eq=False)
class GradientScaling:
    """Gradients scaled to a length: all together, by layer, or by array.

    ``parts``: for each comparison the groups that are scaled together, and whether they have that length; if lengths
    are only clipped, shorter parts are unchanged.
    """

    mistake: Mistake
    bits: float
    parts: Sequence[Sequence[tuple[Index, bool]]]
    clips: bool

    def holds(self, place: int, ratios: Ratios) -> bool:
        """Whether the figures of one pass of that comparison equal the claimed ones, except for their length."""
        if not ratios.all_fit:
            return False
        for groups, is_scaled in self.parts[place]:
            least, most = ratios.least[groups].max(), ratios.most[groups].min()
            if least > most or most <= 0:
                return False
            if self.clips and (least > 1 or (not is_scaled and most < 1)):
                return False
        return True


def scalings(comparisons: Sequence[Comparison]) -> Iterator[GradientScaling]:
    """The possible lengths of the claimed gradients, for all usual parts."""
    if not all(_complete(c) for c in comparisons):
        return
    for words, key in _PARTS:
        parts = [_parts(c, key) for c in comparisons]
        found = _same_length(comparisons, parts)
        if found is None:
            continue
        number, bits, at = found
        chosen = [list(zip(of, one, strict=True)) for of, one in zip(parts, at, strict=True)]
        for clips in (False, True) if all(map(all, at)) else (True,):
            mistake = Mistake("gradient_clipped", (), _scaled(words, number, clips), (), convention=True)
            yield GradientScaling(mistake, CLIPPED + bits + math.log2(2 * len(_PARTS)), chosen, clips)


def _same_length(
    comparisons: Sequence[Comparison], parts: Sequence[Sequence[Index]]
) -> tuple[float, float, list[list[bool]]] | None:
    """The greatest length of the parts, its bits, and which of them have it; None if it is not a round number."""
    lengths = [[_length(c, groups) for groups in of] for c, of in zip(comparisons, parts, strict=True)]
    every = list(itertools.chain.from_iterable(lengths))
    most = max(length for length, _ in every)
    at = [[_reaches(most, *length) for length in of] for of in lengths]
    spread = min(spread for length, spread in every if _reaches(most, length, spread))
    rate = _rate(comparisons[0])
    number, bits = roundest((most - spread) / rate, (most + spread) / rate)
    return None if most <= 0 or bits > _ROUND else (number, bits, at)


def _reaches(most: float, length: float, spread: float) -> bool:
    return most - length <= 2 * (spread + 1e-9 * most)


def _scaled(words: str, number: float, clips: bool) -> str:
    if number == 1 and not clips:
        return f"{words} is divided by its norm"
    return f"{words} is {'clipped' if clips else 'scaled'} to the norm {shown(number)}"


_PARTS = (
    ("the whole gradient", lambda group: 0),
    ("the gradient of each layer", lambda group: group[0]),
    ("each array of the gradient, weights and biases separately,", lambda group: group[:2]),
)


def _rate(c: Comparison) -> float:
    return (c.q.learning_rate or 1.0) if c.is_update.all() else 1.0


def _complete(c: Comparison) -> bool:
    """Whether every weight is claimed once, and all as gradients or all as updates."""
    count = sum(W.size - (0 if c.q.has_biases else len(W)) for W in c.q.net.weights)
    return bool(c.is_weight.all()) and len(c.is_weight) == count and len(set(c.is_update.tolist())) == 1


def _parts(c: Comparison, key: object) -> list[Index]:
    keys = [key(group) for group in c.groups]  # type: ignore[operator]
    return [np.array([k for k, other in enumerate(keys) if other == one]) for one in dict.fromkeys(keys)]


def _length(c: Comparison, groups: Index) -> tuple[float, float]:
    """The length of the claimed change in these groups, and its uncertainty from the digits."""
    of = np.concatenate([c.members[k] for k in groups])
    change: Array = (c.claims.value - c.claims.base)[of]
    length = float(np.sqrt((change * change).sum()))
    width: Array = (c.high - c.low)[of]
    return length, float(np.abs(change) @ width / (2 * length)) if length else 0.0
