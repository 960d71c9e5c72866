"""All mistakes of the catalogue, by kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from backpath.explain.diagnosis.catalogue.deltas import deltas, left_out, reductions, rounded_deltas, rounding
from backpath.explain.diagnosis.catalogue.exchanges import exchanges
from backpath.explain.diagnosis.catalogue.output_errors import errors
from backpath.explain.diagnosis.catalogue.slopes import slopes
from backpath.explain.diagnosis.catalogue.way_back import ways_back
from backpath.explain.diagnosis.catalogue.way_forward import forward_mistakes
from backpath.explain.diagnosis.catalogue.weight_gradients import factors
from backpath.explain.diagnosis.catalogue.wrong_activations import softmax_over_samples
from backpath.explain.diagnosis.catalogue.wrong_targets import wrong_targets
from backpath.explain.diagnosis.mistakes import Mistake
from backpath.explain.diagnosis.problem import Problem

CATALOGUE: tuple[Callable[[Problem], Iterator[Mistake]], ...] = (
    errors,
    wrong_targets,
    softmax_over_samples,
    slopes,
    deltas,
    reductions,
    left_out,
    factors,
    rounded_deltas,
    ways_back,
    forward_mistakes,
    rounding,  # after the mistakes that change the rounded outputs
    exchanges,
)


def every_mistake(q: Problem) -> list[Mistake]:
    """The catalogue for a problem."""
    return [mistake for kind in CATALOGUE for mistake in kind(q)]
