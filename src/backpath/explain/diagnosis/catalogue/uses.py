"""The uses of a layer's δ: in the gradients of its weights and of its biases, and in the backward pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from backpath.explain.diagnosis.mistakes import at
from backpath.explain.diagnosis.passes import Edit, Index, Passes, Stage, Use
from backpath.explain.diagnosis.problem import Problem
from backpath.maths.arrays import Array

Values = Callable[[Passes, Index], Array]  # values for the layer ``at``, (passes, N, neurons)


@dataclass(frozen=True)
class UsePlaces:
    """Some of the uses, and their description, in which ``{}`` stands for the layer."""

    uses: tuple[Use, ...]
    words: str

    def of(self, layer: int) -> str:
        return self.words.format(layer, layer - 1)


def layer_words(layers: Sequence[int]) -> str:
    """layer 2; layers 1 and 2; layers 1, 2 and 3"""
    *first, last = map(str, layers)
    return f"layers {', '.join(first)} and {last}" if first else f"layer {last}"


EVERYWHERE = UsePlaces(("own", "bias", "back"), "")
BACK = UsePlaces(("back",), " in the backward pass to layer {1} only")
GRADIENT = UsePlaces(("own", "bias"), " in the gradients of layer {0} only, not in the backward pass")
BIAS = UsePlaces(("bias",), " in the gradients of the biases of layer {0} only")
_OWN = UsePlaces(("own",), " in the gradients of the weights of layer {0} only, not of its biases")


def places(q: Problem, layer: int) -> Iterator[UsePlaces]:
    """The uses that can go wrong separately in a layer."""
    yield EVERYWHERE
    if layer > 1:
        yield BACK
        yield GRADIENT
    if q.has_biases:
        yield BIAS
        yield _OWN


def used(layer: int, place: UsePlaces, values: Values, columns: slice = slice(None)) -> Edit:
    """Other values instead of δ."""

    def everywhere(p: Passes, h: Index) -> None:
        p.delta[layer][h, :, columns] = values(p, h)[..., columns]

    def some(p: Passes, h: Index) -> None:
        found = values(p, h)[..., columns]
        for use in place.uses:
            p.put(use, h, found, columns)

    if place is EVERYWHERE:
        return Stage.DELTA, at(layer, everywhere)
    return Stage.USES, at(layer, some)


def changed(layer: int, uses: tuple[Use, ...], change: Callable[[Array], Array]) -> Edit:
    """Each of these uses changed separately, after the changes by other mistakes."""

    def edit(p: Passes, h: Index) -> None:
        for use in uses:
            p.put(use, h, change(getattr(p, use)[h]))

    return Stage.SAMPLES, at(layer, edit)
