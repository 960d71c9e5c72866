"""The rows of a table in parts: candidates trained on all parts but one, and compared by their cost on that one."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpath.errors import DivergenceError
from backpath.maths.arrays import Floats
from backpath.maths.network import Network
from backpath.tabular.candidates import LINEAR, most_epochs
from backpath.tabular.linear import best_linear_model
from backpath.tabular.plan import Plan
from backpath.training import TrainingResult
from backpath.training.callbacks import Watched
from backpath.training.fingerprints import as_json
from backpath.training.progress import reporter
from backpath.training.result import as_plain, of_plain
from backpath.training.spreading import Spread, one_by_one, spread_and_kept
from backpath.training.training_run import standing

Watch = Callable[[float, float], object]
HERE = ("progress", "checkpoint", "callbacks")  # settings that are not sent to other processes

PARTS = 5
MOST_DIVIDED = 4e5  # the most numbers in a table that trains five networks; with more, one part is held out
MOST_COMPARED = 1e5  # the most numbers in the rows that compare candidates; with more, rows are sampled
LEAST_COMPARED = 1_000  # rows
MOST_ASIDE = 10_000  # rows
CLEARLY_WORSE = 1.1  # times the lowest cost
FIT_PATIENCE = 25  # epochs without improvement on the part held out
LEAST_DIVIDED = 4  # rows; with fewer, nothing is compared


@dataclass(frozen=True)
class Compared:
    """A candidate with its cost on held-out rows.

    Attributes
    ----------
    epochs : the epochs to that cost, the median of the parts
    results : the training on each part
    """

    settings: Plan
    cost: float
    epochs: int
    results: tuple[TrainingResult, ...] = field(default=(), repr=False)
    linear: Network | None = None
    failure: DivergenceError | None = None


Attempt = TrainingResult | DivergenceError


def attempt(rows: DividedRows, *task: Any) -> Attempt:
    """Train on all rows except some; any process can run this."""
    try:
        return rows.train_without(*task)
    except DivergenceError as error:
        return error


def _plain(outcome: Attempt) -> dict[str, Any]:
    return {} if isinstance(outcome, DivergenceError) else as_plain(outcome)


def _estimated(one: Compared, lowest: float, mean: float) -> Compared:
    """The candidate with its cost on all parts, if it was trained on only one: the lowest cost there is ``lowest``, and
    ``mean`` on all parts."""
    if len(one.results) != 1 or not math.isfinite(mean):
        return one
    return replace(one, cost=one.cost / lowest * mean)


class DividedRows:
    """The samples in parts, and how a network is trained on some of them."""

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
            self.parts = [self.one_part()] if len(X) >= LEAST_DIVIDED else []

    def one_part(self) -> NDArray[np.intp]:
        """The rows to hold out of a large table."""
        return self.order[: max(1, min(MOST_ASIDE, len(self.X) // PARTS))]

    def start(self, settings: Plan, seed: int) -> Network:
        """A candidate's network before training."""
        return settings.network(self.X.shape[1], self.y.shape[1], seed=seed, **self.network)

    def held_out(self, aside: NDArray[np.intp]) -> tuple[Floats, ...]:
        """These rows as validation samples."""
        return self.X[aside], self.y[aside], *([] if self.weight is None else [self.weight[aside]])

    def __getstate__(self) -> dict[str, Any]:
        """For another process."""
        training = {name: value for name, value in self.training.items() if name not in HERE}
        return {**vars(self), "spread": one_by_one, "training": training}

    def drawn(self, rows: int) -> DividedRows:
        """A sample of this many rows; all of them if there are fewer."""
        if rows >= len(self.X):
            return self
        few = np.sort(self.order[:rows])
        weight = None if self.weight is None else self.weight[few]
        return DividedRows(
            self.X[few], self.y[few], self.task, weight, self.seed, self.network, self.training, self.spread
        )

    def compare_all(self, tried: Sequence[Plan], given: Mapping[str, Any], watch: Watch | None) -> tuple[Compared, ...]:
        """All candidates with their costs.

        With many rows, candidates that are far worse than the best one on the first part are not trained on the others:
        the same ratio is assumed there.
        """
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
        return self._compared_further(compared, given)

    def _compared_further(self, compared: Sequence[Compared], given: Mapping[str, Any]) -> tuple[Compared, ...]:
        """The candidates with their costs on all parts, those that are far worse with estimated costs."""
        lowest = min([one.cost for one in compared if one.linear is None], default=math.inf)
        found = list(compared)
        for k, one in enumerate(compared):
            if one.linear is None and one.cost <= CLEARLY_WORSE * lowest:
                further = self.compare(self._with_epochs(one.settings, given), one.results)
                found[k] = replace(further, settings=one.settings)
        mean = min([one.cost for one in found if len(one.results) == PARTS], default=math.inf)
        return tuple(_estimated(one, lowest, mean) for one in found)

    def _with_epochs(self, settings: Plan, given: Mapping[str, Any]) -> Plan:
        """The settings with the number of epochs for these rows."""
        if "epochs" in given or settings.solver == LINEAR:
            return settings
        return replace(settings, epochs=most_epochs(settings.solver, len(self.X)))

    def _elsewhere(self, settings: Sequence[Plan], parts: int) -> dict[Plan, list[Attempt]]:
        """The outcomes of all candidates at once, if other processes train them."""
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
        begun : the results of the first parts, if it was trained on them
        parts : the number of parts to train on
        outcomes : the outcomes of these parts, if other processes trained them
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
        costs = [cost for result in results if (cost := result.history.validation_cost) is not None]
        lowest = [float(cost.min()) for cost in costs]
        epochs = int(np.median([int(cost.argmin()) + 1 for cost in costs]))
        return Compared(settings, float(np.mean(lowest)), epochs, tuple(results))

    def _outcomes(self, tasks: list[tuple[Plan, NDArray[np.intp], int]]) -> Iterable[Attempt]:
        """The outcomes of the tasks in order; those from other processes are reported and saved when they arrive."""
        if self.spread is one_by_one:
            return (outcome for _, outcome in one_by_one(attempt, self, tasks))
        shared = {"rows": as_json([self.X, self.y, self.weight]), "network": self.network}
        shared["training"] = {name: value for name, value in self.training.items() if name not in HERE}

        def settings(number: int) -> dict[str, Any]:
            plan, aside, seed = tasks[number]
            found: dict[str, Any] = as_json(shared | {"plan": vars(plan), "aside": aside, "seed": seed})
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
        """Report a network that another process trained."""
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
        result = settings.train(
            self.start(settings, seed),
            self.X[kept],
            self.y[kept],
            None if self.weight is None else self.weight[kept],
            validation=self.held_out(aside),
            patience=FIT_PATIENCE,
            seed=seed,
            **self.training,
        )
        if result.stopped == "interrupted":
            raise KeyboardInterrupt  # nothing is chosen yet
        return result

    def _compare_linear(self, settings: Plan) -> Compared:
        model, decay, cost = best_linear_model(self.X, self.y, self.task, self.weight, self.seed)
        return Compared(replace(settings, decay=decay), cost, 1, linear=model)
