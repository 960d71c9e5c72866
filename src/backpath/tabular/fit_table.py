"""The network that fits a table: candidates are compared on parts of its rows, and the best one is trained.

The rows are divided into five parts. A candidate is trained five times, each time on four of the parts, until it stops
improving on the fifth; its cost is the average of its lowest costs there. The five networks of the best candidate are
then joined side by side into one (see `committee`), which has seen all rows. If the number of neurons is given, one
network is trained on all rows instead, for the median of the five numbers of epochs. In a large table one part is held
out, to stop training and to choose, and candidates are compared on a sample of the rows.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Any

import numpy as np

from backpath.files.stream import Stream
from backpath.maths.arrays import Floats
from backpath.maths.network import Network
from backpath.tabular.candidates import LINEAR, candidates
from backpath.tabular.committee import side_by_side
from backpath.tabular.divided_rows import (
    FIT_PATIENCE,
    LEAST_COMPARED,
    LEAST_DIVIDED,
    MOST_COMPARED,
    Compared,
    DividedRows,
    Watch,
)
from backpath.tabular.linear import cost_of
from backpath.tabular.plan import Plan
from backpath.training import History, TrainingResult
from backpath.training.spreading import Spread, one_by_one
from backpath.training.streams import check_streamable


@dataclass(frozen=True)
class Fit:
    """The result of fitting a table.

    Attributes
    ----------
    result : the network with its history
    settings : the best candidate's
    members : the number of networks that are joined in it
    compared : all candidates with their costs
    improving : whether it was still improving after its last epoch
    """

    result: TrainingResult
    settings: Plan
    members: int
    compared: tuple[Compared, ...]
    improving: bool

    @property
    def network(self) -> Network:
        return self.result.network


def fit(
    X: Floats,
    y: Floats,
    task: str,
    given: Mapping[str, Any] | None = None,
    *,
    weight: Floats | None = None,
    seed: int = 0,
    watch: Watch | None = None,
    network: Mapping[str, Any] | None = None,
    training: Mapping[str, Any] | None = None,
    stream: Stream | None = None,
    spread: Spread | None = None,
) -> Fit:
    """Choose a network for these samples and train it.

    Parameters
    ----------
    X, y : (N, inputs), (N, outputs)
        As from ``Preparation``.
    task : "regression" | "binary" | "multiclass"
    given : settings by name that are fixed, not chosen
    weight : (N,)
        The weight of each sample.
    watch : called with (candidates done, lowest cost)
    spread : where the parts are trained; None: in this process
    network, training : further settings of ``Network`` (init, dtype) and of ``train`` (frozen, tol, engine)
    stream : all samples to train on, if X and y are only some of them
    """
    fixed = dict(given or {})
    rows = DividedRows(X, y, task, weight, seed, dict(network or {}), dict(training or {}), spread or one_by_one)
    tried = _tried(rows, stream, fixed)
    few = rows.drawn(max(LEAST_COMPARED, int(MOST_COMPARED / (X.shape[1] + y.shape[1]))))
    compared = few.compare_all(tried, fixed, watch) if len(tried) > 1 else ()
    settings = min(compared, key=attrgetter("cost")).settings if compared else tried[0]
    if stream is not None and settings.solver != LINEAR:
        return _train_stream(rows, stream, settings, compared)
    return _finish(rows, _best(rows, few, settings, compared), compared, "hidden" in fixed or len(tried) == 1)


def _tried(rows: DividedRows, stream: Stream | None, fixed: Mapping[str, Any]) -> list[Plan]:
    """The candidates; only the last one if there are too few rows to compare them."""
    tried = candidates(rows.task, len(rows.X) if stream is None else stream.rows, rows.X.shape[1], fixed)
    if stream is not None and tried[0].solver != LINEAR:
        check_streamable(tried[0].batch_size, tried[0].solver)
    return tried if len(rows.X) >= LEAST_DIVIDED else tried[-1:]


def _best(rows: DividedRows, few: DividedRows, settings: Plan, compared: tuple[Compared, ...]) -> Compared:
    """The best candidate, trained on the parts of all rows."""
    best = min(compared, key=attrgetter("cost")) if compared else rows.compare(settings)
    if best.failure is not None:
        raise best.failure
    return rows.compare(settings) if compared and few is not rows else best


def _finish(rows: DividedRows, best: Compared, compared: tuple[Compared, ...], one_network: bool) -> Fit:
    """Train the best candidate, unless comparing has trained it."""
    settings, began = best.settings, time.perf_counter()
    if best.linear is not None:
        cost = cost_of(best.linear.predict(rows.X), rows.y, rows.task, rows.weight)
        result = TrainingResult(best.linear, History(np.array([cost])), 1, "converged", time.perf_counter() - began)
        return Fit(result, settings, 1, compared, False)
    improving = bool(rows.parts) and best.epochs > 0.97 * settings.epochs
    if not rows.is_divided and rows.parts:
        return Fit(best.results[0], settings, 1, compared, improving)
    if one_network:
        start = rows.start(settings, rows.seed)
        shorter = replace(settings, epochs=best.epochs)
        result = shorter.train(start, rows.X, rows.y, rows.weight, seed=rows.seed, **rows.training)
        return Fit(result, settings, 1, compared, improving)
    return Fit(_joined(best.results), settings, len(best.results), compared, improving)


def _train_stream(rows: DividedRows, stream: Stream, settings: Plan, compared: tuple[Compared, ...]) -> Fit:
    """Train on all samples except some of those in memory, which are held out."""
    aside = rows.one_part()
    result = settings.train(
        rows.start(settings, rows.seed),
        stream.without(aside),
        None,
        validation=rows.held_out(aside),
        patience=FIT_PATIENCE,
        seed=rows.seed,
        **rows.training,
    )
    costs = result.history.validation_cost
    improving = costs is not None and len(costs) > 1 and int(costs.argmin()) + 1 > 0.97 * settings.epochs
    return Fit(result, settings, 1, compared, improving)


def _joined(results: tuple[TrainingResult, ...]) -> TrainingResult:
    """The results' networks side by side, with the mean of their costs; one that ended earlier counts with its last
    cost."""
    epochs = max(result.epochs for result in results)

    def mean(curves: list[Floats]) -> Floats:
        return np.mean([np.pad(curve, (0, epochs - len(curve)), mode="edge") for curve in curves], axis=0)

    held = [result.history.validation_cost for result in results]
    return TrainingResult(
        side_by_side([result.network for result in results]),
        History(
            mean([result.history.cost for result in results]), mean([curve for curve in held if curve is not None])
        ),
        epochs,
        "interrupted" if any(result.stopped == "interrupted" for result in results) else results[0].stopped,
        sum(result.seconds for result in results),
    )
