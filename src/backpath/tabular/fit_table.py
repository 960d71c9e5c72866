"""The network that fits a table: candidates compared on parts of its rows, the best one trained.

The rows are divided into five parts. A candidate is trained five times, each time on four of the parts, until it stops
getting better on the fifth; its cost is the average of what it reached there. The five networks of the best candidate
then stand side by side as one (see `committee`), which has seen all rows. Where the number of neurons is given, one
network is trained on all rows instead, for the median of the five's epochs. Of a large table one part is kept aside, to
stop by and to choose by, and candidates are compared on some of the rows.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpath.errors import DivergenceError
from backpath.files.stream import Stream
from backpath.maths.arrays import Floats
from backpath.maths.network import Network
from backpath.tabular.candidates import LINEAR, candidates, most_epochs
from backpath.tabular.committee import side_by_side
from backpath.tabular.linear import best_linear_model, cost_of
from backpath.tabular.plan import Plan
from backpath.training import History, TrainingResult
from backpath.training.callbacks import Watched
from backpath.training.fingerprints import plain
from backpath.training.progress import reporter
from backpath.training.result import as_plain, of_plain
from backpath.training.spreading import Spread, one_by_one, spread_and_kept
from backpath.training.streams import check_streamable
from backpath.training.training_run import standing

Watch = Callable[[float, float], object]
HERE = ("progress", "checkpoint", "callbacks")  # settings that are not sent to other processes

PARTS = 5
MOST_DIVIDED = 4e5  # the most numbers in a table that trains five networks; with more, one part is held out
MOST_COMPARED = 1e5  # the most numbers in the rows that compare candidates; with more, rows are sampled
LEAST_COMPARED = 1_000  # rows
MOST_ASIDE = 10_000  # rows
FAR_WORSE = 1.1  # times the lowest cost
PATIENCE = 25
LEAST_DIVIDED = 4  # rows; with fewer, nothing is compared


@dataclass(frozen=True)
class Compared:
    """A candidate with its cost on held-out rows.

    Attributes
    ----------
    epochs : after which that was, the median of the parts
    results : of each part
    """

    settings: Plan
    cost: float
    epochs: int
    results: tuple[TrainingResult, ...] = field(default=(), repr=False)
    linear: Network | None = None
    failure: DivergenceError | None = None


@dataclass(frozen=True)
class Fit:
    """The result of fitting a table.

    Attributes
    ----------
    result : the network with its history
    settings : those that it was trained with
    members : networks that stand side by side in it
    compared : all candidates, as they did
    improving : whether it was still getting better when its epochs were over
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
        As ``Preparation`` makes them.
    task : "regression" | "binary" | "multiclass"
    given : settings by name that are not to be chosen
    weight : (N,)
        How much each sample counts.
    watch : called with (candidates done, lowest cost)
    spread : who trains on parts of the rows; None: this process
    network, training : further settings of ``Network`` (init, dtype) and of ``train`` (frozen, tol, engine)
    stream : where all the samples to train on come from, if X and y are only some of them
    """
    fixed = dict(given or {})
    rows = _Rows(X, y, task, weight, seed, dict(network or {}), dict(training or {}), spread or one_by_one)
    few = rows.drawn(max(LEAST_COMPARED, int(MOST_COMPARED / (X.shape[1] + y.shape[1]))))
    tried = candidates(task, stream.rows if stream else len(X), X.shape[1], fixed)
    if stream is not None and tried[0].solver != LINEAR:
        check_streamable(tried[0].batch_size, tried[0].solver)
    if len(X) < LEAST_DIVIDED:
        tried = tried[-1:]  # there is nothing to compare them by
    compared = few.compare_all(tried, fixed, watch) if len(tried) > 1 else ()
    best = min(compared, key=lambda one: one.cost) if compared else None
    if stream and (best or Compared(tried[0], 0.0, 1)).settings.solver != LINEAR:
        return rows.train_stream(stream, best.settings if best else tried[0], compared)
    best = best or rows.compare(tried[0])
    if best.failure is not None:
        raise best.failure
    if few is not rows and compared:
        best = rows.compare(best.settings)
    return rows.finish(best, compared, "hidden" in fixed or len(tried) == 1)


Attempt = TrainingResult | DivergenceError


def attempt(rows: _Rows, *task: Any) -> Attempt:
    """A task that any process can do: train on all rows but some."""
    try:
        return rows.train_without(*task)
    except DivergenceError as error:
        return error


def _plain(outcome: Attempt) -> dict[str, Any]:
    return {} if isinstance(outcome, DivergenceError) else as_plain(outcome)


class _Rows:
    """The samples, divided, and how a network is trained on some of them."""

    def __init__(
        self,
        X: Floats,
        y: Floats,
        task: str,
        weight: Floats | None,
        seed: int,
        network: dict[str, Any],
        training: dict[str, Any],
        spread: Spread,
    ):
        self.spread = spread
        self.X, self.y, self.task, self.weight, self.seed = X, y, task, weight, seed
        self.network, self.training = network, training
        self.order = np.random.default_rng(seed).permutation(len(X))
        self.is_divided = len(X) >= PARTS and len(X) * (X.shape[1] + y.shape[1]) <= MOST_DIVIDED
        if self.is_divided:
            self.parts = [self.order[k::PARTS] for k in range(PARTS)]
        else:
            self.parts = [self.order[: max(1, min(MOST_ASIDE, len(X) // PARTS))]] if len(X) >= LEAST_DIVIDED else []

    def __getstate__(self) -> dict[str, Any]:
        """For another process."""
        training = {name: value for name, value in self.training.items() if name not in HERE}
        return {**vars(self), "spread": one_by_one, "training": training}

    def drawn(self, rows: int) -> _Rows:
        """A sample of this many rows; all of them if there are fewer."""
        if rows >= len(self.X):
            return self
        few = np.sort(self.order[:rows])
        weight = None if self.weight is None else self.weight[few]
        return _Rows(self.X[few], self.y[few], self.task, weight, self.seed, self.network, self.training, self.spread)

    def compare_all(self, tried: Sequence[Plan], given: Mapping[str, Any], watch: Watch | None) -> tuple[Compared, ...]:
        """All candidates. Where there are many rows, those that do far worse than the best on the first part are not
        trained on the others: their cost is taken to be worse by as much there."""
        first = 1 if len(self.X) >= LEAST_COMPARED else PARTS
        compared: list[Compared] = []
        settings = [self._with_epochs(plan, given) for plan in tried]
        known = self._elsewhere(settings, first)
        for plan, shorter in zip(tried, settings, strict=True):
            found = self.compare(shorter, parts=first, outcomes=known.get(shorter))
            compared.append(replace(found, settings=replace(found.settings, epochs=plan.epochs)))
            if watch:
                watch(len(compared), min(one.cost for one in compared))
        if first == PARTS or not self.is_divided:
            return tuple(compared)
        lowest = min([one.cost for one in compared if one.linear is None], default=math.inf)
        for k, one in enumerate(compared):
            if one.linear is None and one.cost <= FAR_WORSE * lowest:
                found = self.compare(self._with_epochs(one.settings, given), one.results)
                compared[k] = replace(found, settings=one.settings)
        mean = min([one.cost for one in compared if len(one.results) == PARTS], default=math.inf)
        return tuple(
            replace(one, cost=one.cost / lowest * mean) if len(one.results) == 1 and math.isfinite(mean) else one
            for one in compared
        )

    def _with_epochs(self, settings: Plan, given: Mapping[str, Any]) -> Plan:
        """The number of epochs for these rows, scaled from that for all rows."""
        if "epochs" in given or settings.solver == LINEAR:
            return settings
        return replace(settings, epochs=most_epochs(settings.solver, len(self.X)))

    def _elsewhere(self, settings: Sequence[Plan], parts: int) -> dict[Plan, list[Attempt]]:
        """Where others train, all candidates at once."""
        if self.spread is one_by_one:
            return {}
        plans = [plan for plan in settings if plan.solver != LINEAR]
        tasks = [task for plan in plans for task in self._tasks(plan)[:parts]]
        outcomes = iter(self._outcomes(tasks))
        return {plan: [next(outcomes) for _ in self.parts[:parts]] for plan in plans}

    def _tasks(self, settings: Plan) -> list[tuple[Plan, NDArray[np.intp], int]]:
        return [(settings, aside, self.seed + k) for k, aside in enumerate(self.parts)]

    def compare(
        self,
        settings: Plan,
        begun: tuple[TrainingResult, ...] = (),
        parts: int = PARTS,
        outcomes: list[Attempt] | None = None,
    ) -> Compared:
        """The cost of a candidate on held-out rows.

        Parameters
        ----------
        begun : what it came to on the first parts
        parts : on how many to try it
        outcomes : what it came to on these, where that is known
        """
        if settings.solver == LINEAR:
            return self._compare_linear(settings)
        if not self.parts:
            return Compared(settings, np.nan, settings.epochs)
        results = list(begun)
        for outcome in outcomes or self._outcomes(self._tasks(settings)[len(begun) : parts]):
            if isinstance(outcome, DivergenceError):
                return Compared(settings, np.inf, 1, failure=outcome)
            results.append(outcome)
        costs = [result.history.validation_cost for result in results]
        lowest = [float(cost.min()) for cost in costs if cost is not None]
        epochs = int(np.median([int(cost.argmin()) + 1 for cost in costs if cost is not None]))
        return Compared(settings, float(np.mean(lowest)), epochs, tuple(results))

    def _outcomes(self, tasks: list[tuple[Plan, NDArray[np.intp], int]]) -> Iterable[Attempt]:
        """The outcomes of tasks, in their order; those from other processes are reported and kept when they arrive."""
        if self.spread is one_by_one:
            return (outcome for _, outcome in one_by_one(attempt, self, tasks))
        shared = {"rows": plain([self.X, self.y, self.weight]), "network": self.network}
        shared["training"] = {name: value for name, value in self.training.items() if name not in HERE}

        def settings(number: int) -> dict[str, Any]:
            plan, aside, seed = tasks[number]
            found: dict[str, Any] = plain(shared | {"plan": vars(plan), "aside": aside, "seed": seed})
            return found

        found: dict[int, Attempt] = {}
        run = self.training.get("checkpoint")
        kept = spread_and_kept(self.spread, run, attempt, self, tasks, settings, _plain, of_plain)
        for number, outcome in kept:
            found[number] = outcome
            if not isinstance(outcome, DivergenceError):
                self._tell(tasks[number][0], outcome)
        return [found[number] for number in range(len(tasks))]

    def _tell(self, settings: Plan, result: TrainingResult) -> None:
        """Report a training that another process did."""
        held, cost = result.history.validation_cost, result.history.cost
        reached = None if held is None else float(held[-1])
        last = standing(result.epochs, settings.epochs, cost, result.seconds, validation_cost=reached)
        Watched(self.training.get("callbacks"), settings.learning_rate)(lambda: last, result.stopped)
        with reporter(self.training.get("progress", False), settings.epochs) as report:
            if report:
                report(result.epochs, float(cost[-1]))

    def train_without(self, settings: Plan, aside: NDArray[np.intp], seed: int) -> TrainingResult:
        """Train on all rows except these."""
        kept = np.setdiff1d(np.arange(len(self.X)), aside)
        start = settings.network(self.X.shape[1], self.y.shape[1], seed=seed, **self.network)
        held = (self.X[aside], self.y[aside], *([] if self.weight is None else [self.weight[aside]]))
        weight = None if self.weight is None else self.weight[kept]
        result = settings.train(
            start, self.X[kept], self.y[kept], weight, validation=held, patience=PATIENCE, seed=seed, **self.training
        )
        if result.stopped == "interrupted":
            raise KeyboardInterrupt  # nothing is chosen yet
        return result

    def train_stream(self, stream: Stream, settings: Plan, compared: tuple[Compared, ...]) -> Fit:
        """Train on all samples but some of those in memory, to stop by."""
        aside = self.order[: max(1, min(MOST_ASIDE, len(self.X) // PARTS))]
        start = settings.network(self.X.shape[1], self.y.shape[1], seed=self.seed, **self.network)
        held = (self.X[aside], self.y[aside], *([] if self.weight is None else [self.weight[aside]]))
        result = settings.train(
            start, stream.without(aside), None, validation=held, patience=PATIENCE, seed=self.seed, **self.training
        )
        costs = result.history.validation_cost
        improving = costs is not None and len(costs) > 1 and int(costs.argmin()) + 1 > 0.97 * settings.epochs
        return Fit(result, settings, 1, compared, improving)

    def _compare_linear(self, settings: Plan) -> Compared:
        model, decay, cost = best_linear_model(self.X, self.y, self.task, self.weight, self.seed)
        return Compared(replace(settings, decay=decay), cost, 1, linear=model)

    def finish(self, best: Compared, compared: tuple[Compared, ...], one_network: bool) -> Fit:
        """The best candidate's network."""
        settings, began = best.settings, time.perf_counter()
        if best.linear is not None:
            cost = cost_of(best.linear.predict(self.X), self.y, self.task, self.weight)
            result = TrainingResult(best.linear, History(np.array([cost])), 1, "converged", time.perf_counter() - began)
            return Fit(result, settings, 1, compared, False)
        improving = bool(self.parts) and best.epochs > 0.97 * settings.epochs
        if not self.is_divided and self.parts:
            return Fit(best.results[0], settings, 1, compared, improving)
        if one_network:
            start = settings.network(self.X.shape[1], self.y.shape[1], seed=self.seed, **self.network)
            shorter = replace(settings, epochs=best.epochs)
            result = shorter.train(start, self.X, self.y, self.weight, seed=self.seed, **self.training)
            return Fit(result, settings, 1, compared, improving)
        return Fit(_joined(best.results), settings, len(best.results), compared, improving)


def _joined(results: tuple[TrainingResult, ...]) -> TrainingResult:
    """The results' networks side by side, with the average of their costs, up to where the last of them ended; one that
    ended before counts with its last cost."""
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
