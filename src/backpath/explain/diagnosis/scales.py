"""Mistakes that multiply gradients by a constant, and what is done with the samples of a batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from backpath.explain.diagnosis.mistakes import LOCAL, PLAIN, Change, Mistake
from backpath.explain.diagnosis.passes import Index, Passes, Stage
from backpath.explain.diagnosis.problem import Problem
from backpath.explain.expression import ONE, TWO, Expression, Marked, Number, Product, Quotient

_SAME = 1e-3  # a constant fitted to printed figures is not exact
Constant = tuple[str, float, str, Callable[[Expression], Expression]]  # code, factor, in words, on paper


def scales(q: Problem) -> Iterator[Mistake]:
    """Each known constant on all gradients, on each layer's, and on those of all hidden layers."""
    for constant in _constants(q):
        for layers, of in _scopes(q):
            yield _scale(q, constant, layers, of)


def known_scale(q: Problem, layer: int, number: float) -> Mistake | None:
    """The known constant that a fitted one is, on the gradients of a layer (0: of all)."""
    for constant in _constants(q):
        if abs(number / constant[1] - 1) < _SAME:
            return _scale(q, constant, *list(_scopes(q))[layer])
    return None


def _scale(q: Problem, constant: Constant, layers: tuple[int, ...], of: str) -> Mistake:
    code, factor, what, claimed = constant
    where = tuple(name for layer in layers for name in q.weights_of(layer)) if of else ()
    edits = ((Stage.START, _scaled(layers, factor)),)
    change = Change("whole", None, claimed)
    return Mistake(code, where, f"{of or 'every gradient'} {what}", edits, change, LOCAL if of else PLAIN, not of)


def _constants(q: Problem) -> Iterator[Constant]:
    N, outputs = q.samples, q.width(q.layers)
    half = Quotient(ONE, TWO)
    yield "cost_convention", 0.5, "is half of what this cost has: a ½ too much, or its 2 missing", times(half)
    yield "cost_convention", 2.0, "is twice what this cost has: its ½ is missing, or a 2 too much", times(TWO)
    if N > 1:
        many, average = Number(str(N)), Quotient(ONE, Number(str(N)))
        yield "missing_batch_average", float(N), f"is summed over the {N} samples, not averaged", times(many)
        yield "missing_batch_average", 1 / N, f"is averaged over the {N} samples twice", times(average)
    yield "sign_flipped", -1.0, "has the other sign", times(Number("-1"))
    if outputs > 1:
        share = Quotient(ONE, Number(str(outputs)))
        yield "output_average", 1 / outputs, f"is averaged over the {outputs} outputs, not summed", times(share)


def times(number: Expression) -> Callable[[Expression], Expression]:
    """A product with this number more."""
    return lambda whole: Product((Marked(number), *(whole.factors if isinstance(whole, Product) else (whole,))))


def _scopes(q: Problem) -> Iterator[tuple[tuple[int, ...], str]]:
    yield tuple(q.every), ""
    if q.layers > 1:
        for layer in q.every:
            yield (layer,), f"every gradient of layer {layer}"
    if q.layers > 2:
        yield tuple(q.hidden), "every gradient of the hidden layers"


def _scaled(layers: tuple[int, ...], factor: float) -> Callable[[Passes, Index], None]:
    def edit(p: Passes, h: Index) -> None:
        p.scale[np.ix_(h, np.array(layers))] *= factor

    return edit


def learning_rates(q: Problem) -> Iterator[Mistake]:
    """The gradient subtracted as it is, or claimed with the learning rate in it."""
    rate = q.learning_rate
    if rate is not None and rate not in (1.0, *(constant for _, constant, *_ in _constants(q))):
        message = f"every gradient is multiplied by the learning rate {rate:g} already"
        edits = ((Stage.GRADIENTS, _times_rate(rate)),)
        yield Mistake("learning_rate_included", (), message, edits, Change("whole", None, times(Number(f"{rate:g}"))))
    if not q.updates:
        return

    def edit(p: Passes, h: Index) -> None:
        p.rate[h] = 1.0

    message = "every update subtracts the gradient without the learning rate"
    yield Mistake("missing_learning_rate", (), message, ((Stage.START, edit),))


def _times_rate(rate: float) -> Callable[[Passes, Index], None]:
    def edit(p: Passes, h: Index) -> None:
        p.rate[h] /= rate
        for G in p.G[1:]:
            G[h] *= rate

    return edit


def single_samples(q: Problem) -> Iterator[Mistake]:
    """The gradient of one sample in place of the batch's, divided by N or not."""
    if q.samples == 1:
        return
    for s in range(q.samples):
        for share, divided in ((float(q.samples), "not divided by N"), (1.0, f"divided by N = {q.samples}")):
            message = f"only sample {s + 1} of the {q.samples} counts, {divided}"
            yield Mistake("single_sample_only", (), message, ((Stage.START, _only(s, share)),))


def _only(sample: int, share: float) -> Callable[[Passes, Index], None]:
    def edit(p: Passes, h: Index) -> None:
        p.share[h] = 0.0
        p.share[h, sample] = share

    return edit


def targets(q: Problem) -> Iterator[Mistake]:
    """Every target the other way round."""

    def edit(p: Passes, h: Index) -> None:
        p.y[h] = 1 - p.y[h]

    if ((q.y >= 0) & (q.y <= 1)).all():
        message = "every target y is taken as 1 − y"
        yield Mistake("wrong_target", q.neurons(q.layers), message, ((Stage.START, edit),), rank=LOCAL)
