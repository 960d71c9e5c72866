"""Finds a learning rate: the rate rises from epoch to epoch, and the loss shows where training is fastest.

Source: Smith, Cyclical learning rates for training neural networks, WACV 2017 (the range test), here with an epoch of
a few batches for each rate.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from backpath.errors import InputError
from backpath.estimators.descent import solver_of
from backpath.estimators.displays import LearningRateDisplay
from backpath.estimators.parameters import STOCHASTIC
from backpath.estimators.solving import Start, job_of
from backpath.estimators.training_samples import Samples
from backpath.maths.arrays import Floats
from backpath.training.engines import start_descent

_EPOCHS, BATCHES = 100, 10  # rates to try, and batches at most for each
LOWEST, HIGHEST = 1e-5, 10.0
RUINED = 4.0  # times the lowest loss; there the search stops
SMOOTHED = 5  # epochs on each side


def find_rates(p: Any, samples: Samples, start: Start) -> LearningRateDisplay:
    """Losses by learning rate, until training diverges."""
    if p.solver not in STOCHASTIC:
        raise InputError(f"find_learning_rate is for the solvers sgd, adam and adamw, but the solver is {p.solver!r}")
    whole = job_of(p, samples, start)
    some = samples.part(start.rng.permutation(len(samples))[: BATCHES * whole.batch_size])
    rates = np.geomspace(LOWEST, HIGHEST, _EPOCHS)
    job = replace(job_of(p, some, start), solver=replace(solver_of(p), learning_rate=rates[0]))
    engine = start_descent(p.engine, job)
    losses: list[float] = []
    for rate in rates:
        engine.change_rate(float(rate))
        engine.run(1)
        if engine.overflow is not None or (losses and engine.costs[-1] > RUINED * min(losses)):
            break
        losses.append(float(engine.costs[-1]))
    found = np.array(losses)
    if len(found) < 2 * SMOOTHED:
        raise InputError("training diverges even at the lowest learning rate; standardise X and y (scale_X, scale_y)")
    return LearningRateDisplay(rates[: len(found)], found, _steepest(rates[: len(found)], found))


def _steepest(rates: Floats, losses: Floats) -> float:
    """The rate at which the smoothed loss falls fastest, per decade."""
    width = 2 * SMOOTHED + 1
    padded = np.pad(losses, SMOOTHED, mode="edge")
    smooth = np.convolve(padded, np.full(width, 1 / width), mode="valid")
    lowest = int(np.argmin(smooth))
    slopes = np.gradient(smooth, np.log10(rates))[: max(lowest, 2)]
    return float(rates[int(np.argmin(slopes))])
