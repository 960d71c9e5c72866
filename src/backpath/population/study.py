"""``train_population``: trains all networks of a population side by side on all cores."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from backpath.errors import InputError
from backpath.maths.arrays import Array
from backpath.maths.checks import as_given, check_count, check_number, check_seed, check_truth
from backpath.population.memory import check_population_memory, memory_needed
from backpath.population.networks import Population
from backpath.population.population_outcome import PopulationOutcome, outcome_of
from backpath.training.callbacks import Callbacks, Watched
from backpath.training.chunks import opened, saved
from backpath.training.job import Job, Solver, check_batch_size, check_side_by_side, check_tol
from backpath.training.progress import Progress, ProgressCallback, check_progress, reporter
from backpath.training.state import Stateful
from backpath.training.training_run import standing

if TYPE_CHECKING:
    from backpath.training.checkpoints import Checkpoints, RunPart
    from backpath.training.engines.many import ManyNetworks
    from backpath.training.spreading import Spread

STEP_SECONDS = 0.5  # seconds between checks whether to save


def train_population(
    population: Population,
    X: ArrayLike,
    y: ArrayLike,
    *,
    epochs: int = 1000,
    learning_rate: float | ArrayLike | None = None,
    batch_size: int | None = None,
    shuffle: bool = False,
    solver: str = "gd",
    cost: str = "squared_error",
    momentum: float | ArrayLike = 0.9,
    tol: float | None = None,
    solved_error: float = 0.4,
    stop_when_solved: bool = False,
    history_every: int | None = None,
    seed: int | None = 0,
    progress: Progress = False,
    threads: int | None = None,
    checkpoint: str | os.PathLike[str] | Checkpoints | None = None,
    every: int | str | None = None,
    callbacks: Callbacks = None,
    spread: Spread | None = None,
) -> PopulationOutcome:
    """Train every network of a population on the same samples, as ``train`` would train each alone.

    Parameters
    ----------
    population : Population
        The networks to start from; it does not change.
    X : array_like
        The inputs of the samples, (N, inputs).
    y : array_like
        Their targets, (N, outputs); for one output also (N,).
    epochs : int
        Passes over the samples; 0 only measures the population.
    learning_rate : number, or one per network
        η; by default as for `backpath.train`.
    momentum : number, or one per network
        μ of the momentum solver.
    solver : "gd" | "momentum" | "adam"
        As for `backpath.train`.
    cost : str
        A name in `backpath.maths.costs`.
    batch_size, shuffle, seed : see `backpath.train`
        As for `backpath.train`; the order of the samples is the same for all networks.
    tol : float | None
        A network stops after 10 epochs in a row that do not lower its best cost by more than this.
    solved_error : float
        A network has solved the task when all its errors |A - y| are below this.
    stop_when_solved : bool
        Whether a network stops, without another update, when it has solved the task.
    history_every : int | None
        Keep the costs of epochs 1, 1 + history_every, …; None keeps none.
    progress : bool, callable, or context manager that gives one
        True draws a progress bar on a terminal; a callable gets (epochs done on average, share of networks solved). A
        context manager is entered when training begins.
    threads : int | None
        As for `backpath.train`. The results are the same, bit for bit, for any number.
    checkpoint : folder
        As for `backpath.train`: the same call resumes from there.
    every : int or str
        How often to save, as for `backpath.train`.
    callbacks : callable, or several
        As for `backpath.train`: they receive the state about ten times a second.
    spread : Spread | None
        Where to train the networks: `backpath.distributed.DaskWorkers`, for example, distributes them among the
        workers of a Dask cluster. The results are the same; a checkpoint keeps each group of networks when it arrives.

    Returns
    -------
    PopulationOutcome
        After Ctrl-C, the results so far, with ``stopped == "interrupted"``; some networks may have run for more epochs
        than others (see ``epochs``).

    Raises
    ------
    InputError
        If an argument is not valid, or there is too little memory; nothing has been trained.
    DivergenceError
        If every network stops being finite.

    Examples
    --------
    >>> population = Population((2, 2, 1), size=100, init="uniform:-1,1", seed=0)
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    >>> outcome = train_population(population, X, y, epochs=2000, learning_rate=2)
    >>> outcome.solved_share > 0.5, outcome.best.predict([0, 1]).round().tolist()
    (True, [1.0])
    """
    if not isinstance(population, Population):
        raise InputError(f"population must be a Population, but is of type {type(population).__name__}")
    check_count(epochs, "epochs", least=0)
    tol = check_tol(tol)
    check_seed(seed)
    solved_error = check_number(solved_error, "solved_error", above=0)
    check_progress(progress)
    network, size = population[0], len(population)
    network.check_trainable()
    inputs, targets = network.samples(X, y, cost)
    rates, momenta, checked = _settings(solver, learning_rate, momentum, size)
    needed = memory_needed(
        population.sizes, size, dtype=population.dtype, solver=solver, epochs=epochs, history_every=history_every
    )
    check_population_memory(needed, size, population.sizes)
    job = Job(
        network=network,
        X=inputs,
        y=targets,
        cost=cost,
        solver=checked,
        batch_size=check_batch_size(batch_size, len(inputs)),
        shuffle=check_truth(shuffle, "shuffle"),
        seed=seed,
        tol=tol,
    )
    from backpath.training.engines.many import ManyNetworks
    from backpath.training.threads import threads_for

    many = ManyNetworks(
        job,
        population.lanes.copy(),
        rates,
        momenta,
        epochs=int(epochs),
        solved_error=solved_error,
        stop_when_solved=check_truth(stop_when_solved, "stop_when_solved"),
        history_every=history_every,
        threads=threads_for(threads),
    )
    training = _SideBySide(population, job, many)
    same_rate = float(rates[0]) if (rates == rates[0]).all() else None
    watched = Watched(callbacks, same_rate)
    with opened(checkpoint, every, "train_population") as run:
        if spread is not None:
            return training.run_elsewhere(spread, progress, watched, run)
        with saved(run, training, training.settings) as part:
            return training.run(progress, watched, part)


class _SideBySide(Stateful):
    """A population in training."""

    _given = ("population", "job", "epochs")

    def __init__(self, population: Population, job: Job, many: ManyNetworks):
        self.population, self.job, self.many, self.epochs, self.seconds = population, job, many, many.epochs, 0.0

    def settings(self) -> dict[str, Any]:
        from backpath.training.fingerprints import fingerprint, settings_of

        many, rates = self.many, self.many.rates
        return settings_of(
            self.job,
            epochs=self.epochs,
            population=fingerprint(self.population.lanes),
            learning_rate=fingerprint(rates) if len(np.unique(rates)) > 1 else float(rates[0]),
            momentum=fingerprint(many.momenta),
            **{name: getattr(many, name) for name in ("solved_error", "stop_when_solved", "history_every")},
        )

    def is_good(self) -> bool:
        return self.many.is_whole and not self.many.diverged.all()

    def standing(self) -> dict[str, Any]:
        many = self.many
        done = int(many.epochs_done.max(initial=0))
        return standing(done, self.epochs, (), self.seconds, solved=float((many.solved_after >= 0).mean()))

    def shown(self) -> None:
        """A population is not one network."""

    def run(self, progress: Progress, watched: Watched, part: RunPart | None) -> PopulationOutcome:
        start, interrupted, many = time.perf_counter() - self.seconds, False, self.many

        last = 0

        def tell(epochs: int) -> None:
            nonlocal last
            if many.running and epochs > last:  # the last moment follows the end
                last, self.seconds = epochs, time.perf_counter() - start
                watched(lambda: self.standing() | {"epochs": epochs})

        def report_done(done: float, solved: float) -> None:
            if report:
                report(done, solved)
            tell(many.through)

        with reporter(progress, self.epochs, shown="solved {:.1%}") as report:
            try:
                for done in self._steps(report_done if report or watched else None, at_once=not (part or watched)):
                    self.seconds = time.perf_counter() - start
                    tell(done)
                    if part:
                        part.look(done)
            except KeyboardInterrupt:
                interrupted = True
        return self._ended(watched, many.measure() or interrupted, time.perf_counter() - start)

    def run_elsewhere(
        self, spread: Spread, progress: Progress, watched: Watched, run: Checkpoints | None
    ) -> PopulationOutcome:
        """The same, in slices that others train."""
        from backpath.training.engines.slices import train_in_slices

        start, many = time.perf_counter(), self.many
        with reporter(progress, self.epochs, shown="solved {:.1%}") as report:

            def report_done(share: float) -> None:
                self.seconds = time.perf_counter() - start
                if report:
                    report(share * self.epochs, float((many.solved_after >= 0).mean()))
                if share < 1:
                    watched(lambda: self.standing() | {"epochs": int(share * self.epochs)})

            interrupted = train_in_slices(many, spread, run, self.settings(), report_done)
        return self._ended(watched, interrupted, time.perf_counter() - start)

    def _ended(self, watched: Watched, interrupted: bool, seconds: float) -> PopulationOutcome:
        outcome = outcome_of(self.population, self.job, self.many, interrupted, seconds)
        self.seconds = outcome.seconds
        watched(lambda: self.standing() | {"cost": float(outcome.cost.min())}, outcome.stopped)
        return outcome

    def _steps(self, report: ProgressCallback | None, at_once: bool) -> Iterator[int]:
        """Advance by whole chunks, after each of which there is a state to be saved: by about ``STEP_SECONDS``."""
        many, chunks = self.many, 1
        while many.running:
            began = time.perf_counter()
            if many.advance(None if at_once else chunks * many.chunk, report):
                raise KeyboardInterrupt
            yield many.until
            chunks = max(1, min(2 * chunks, int(chunks * STEP_SECONDS / (time.perf_counter() - began + 1e-9))))


def _settings(
    solver: str, learning_rate: float | ArrayLike | None, momentum: float | ArrayLike, size: int
) -> tuple[Array, Array, Solver]:
    """η and μ of each network, and the solver."""
    check_side_by_side(solver)
    usual = Solver.checked(solver, None).learning_rate
    rates = _of_each(usual if learning_rate is None else learning_rate, "learning_rate", size)
    momenta = _of_each(momentum, "momentum", size)
    for rate in (rates.min(), rates.max()):  # NaN is both
        for mu in (momenta.min(), momenta.max()):
            checked = Solver.checked(solver, float(rate), float(mu))
    return rates, momenta, checked


def _of_each(value: float | ArrayLike, name: str, size: int) -> Array:
    """A number for each network, from one for each or one for all."""
    try:
        numbers = np.asarray(value, np.float64)
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{name} must be a number, or one for each network, but is {as_given(value)}") from None
    if numbers.shape not in ((), (size,)):
        raise InputError(
            f"{name} must be a number, or one for each of the {size:,} networks, but has shape {numbers.shape}"
        )
    return np.broadcast_to(numbers, (size,))
