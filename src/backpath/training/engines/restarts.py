"""Trains several starts side by side and keeps the best, because small networks can get stuck."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from backpath.errors import InputError
from backpath.maths.arrays import Array
from backpath.maths.checks import machine_memory
from backpath.maths.initialisations import draw_many, initialisation
from backpath.maths.network import Network
from backpath.training.bayesian import Bayesian
from backpath.training.engines.lm import LMEngine
from backpath.training.engines.normal_equations import NormalEquations
from backpath.training.engines.slices import train_in_slices
from backpath.training.job import REMEMBERED, Job
from backpath.training.spreading import spread_and_kept
from backpath.training.state import Stateful
from backpath.training.threads import threads_for


def check_restarts(engine: str, validation: object, job: Job) -> None:
    """Refuse settings that restarts do not support."""
    is_lm = job.solver.name == "lm"
    if engine == "numpy" and not is_lm:
        raise InputError("restarts need the compiled engine; leave engine='numpy' out, or restarts", "engine")
    if validation is not None:
        raise InputError("restarts are compared by their training cost; leave validation out, or restarts")
    if not is_lm and (job.l2 or job.sample_weight is not None):
        raise InputError("restarts do not support l2 or sample_weight; leave restarts out")


class RestartsEngine(Stateful):
    """Trains many starts of a job's network side by side; its weights are those of the best start so far.

    Parameters
    ----------
    job : Job
        Its network is the first start; the others are drawn with ``init`` and the job's seed.
    restarts, epochs : int
        The number of starts; the most epochs.

    Attributes
    ----------
    restart_costs : array (restarts,)
        The present cost of each; infinite if it diverged.
    """

    bayesian = None
    spread: Any = None  # trains them in other processes; the run that saves them, and its settings
    kept: tuple[Any, dict[str, Any]] = (None, {})
    _given = ("_shapes", "spread", "kept")

    def __init__(self, job: Job, restarts: int, epochs: int, init: str):
        from backpath.training.engines.many import ManyNetworks

        network = job.network
        _check_memory(job, restarts, epochs)
        initialisation(init)
        starts = _starts(job, restarts, init)
        rates, momenta = np.full(restarts, job.solver.learning_rate), np.full(restarts, job.solver.momentum)
        self._many = ManyNetworks(
            job, starts, rates, momenta, epochs=epochs, history_every=1, threads=threads_for(job.threads)
        )
        self._shapes = [W.shape for W in network.weights]
        self._best = 0
        self.weights = list(network.weights)
        self.costs: list[float] = []
        self.converged = False
        self.overflow: int | None = None

    @property
    def restart_costs(self) -> Array:
        return self._many.cost

    def run(self, epochs: int) -> None:
        many = self._many
        interrupted = many.run(epochs) if self.spread is None else train_in_slices(many, self.spread, *self.kept)
        best = int(np.argmin(many.cost))
        if best != self._best:
            self._best, self.costs = best, []
        self.costs.extend(many.history[len(self.costs) : many.epochs_done[best], best].tolist())
        self.converged = bool(many.converged[best]) and not many.running
        ends = np.cumsum([neurons * columns for neurons, columns in self._shapes])[:-1]
        parts = np.split(many.weights[:, best].copy(), ends)
        self.weights = [part.reshape(shape) for part, shape in zip(parts, self._shapes, strict=True)]
        if many.diverged.all():
            self.overflow = 0
        if interrupted:
            raise KeyboardInterrupt


def _starts(job: Job, restarts: int, init: str) -> Array:
    """The initial weights, (weights, restarts): first the network's own, then drawn ones, except for frozen weights."""
    starts = draw_many(job.network.sizes, restarts, init, job.seed, job.network.dtype)
    own = np.concatenate([W.ravel() for W in job.network.weights])
    starts[:, 0] = own
    if job.free is not None:
        frozen = ~np.concatenate([mask.ravel() for mask in job.free])
        starts[frozen] = own[frozen, None]
    return starts


def start_restarts(job: Job, restarts: int, epochs: int, init: str) -> RestartsEngine | LMRestartsEngine:
    """The engine that trains several starts of this job, for at most this many epochs."""
    if job.solver.name == "lm":
        return LMRestartsEngine(job, restarts, epochs, init)
    return RestartsEngine(job, restarts, epochs, init)


class LMRestartsEngine(Stateful):
    """The same for Levenberg-Marquardt, with the starts in turns of this many epochs."""

    spread: Any = None
    kept: tuple[Any, dict[str, Any]] = (None, {})
    _given = ("_epochs", "spread", "kept")

    def __init__(self, job: Job, restarts: int, epochs: int, init: str):
        network = job.network
        equations = NormalEquations(job)
        _check_memory(job, restarts, epochs)
        initialisation(init)
        starts = _starts(job, restarts, init)
        networks = [network, *(network.with_weights(equations.layers(start)) for start in starts.T[1:])]
        self._engines = [LMEngine(replace(job, network=start), equations) for start in networks]
        self._epochs = epochs
        self.restart_costs = np.full(restarts, np.inf)

    @property
    def _best(self) -> LMEngine:
        """The order of the starts: by cost or, with Bayesian regularisation, by evidence."""
        if self._engines[0].job.bayesian:
            return max(self._engines, key=_evidence)
        return self._engines[int(np.argmin(self.restart_costs))]

    @property
    def weights(self) -> list[Array]:
        return self._best.weights

    @property
    def costs(self) -> list[float]:
        return self._best.costs

    @property
    def converged(self) -> bool:
        return self._best.converged and all(
            e.converged or e.overflow is not None or len(e.costs) == self._epochs for e in self._engines
        )

    @property
    def overflow(self) -> int | None:
        return 0 if all(e.overflow is not None for e in self._engines) else None

    @property
    def bayesian(self) -> Bayesian | None:
        return self._best.bayesian

    def run(self, epochs: int) -> None:
        if self.spread is not None:
            self._run_elsewhere()
            return
        for start, engine in enumerate(self._engines):
            engine.run(min(epochs, self._epochs - len(engine.costs)))
            self.restart_costs[start] = engine.cost

    def _run_elsewhere(self) -> None:
        """Train all starts to the end in other processes."""
        run, settings = self.kept
        job = self._engines[0].job
        tasks = [(engine.job.network, self._epochs) for engine in self._engines]
        each = [{"start": number} for number in range(len(tasks))]
        found = spread_and_kept(self.spread, run, lm_to_its_end, job, tasks, lambda number: settings | each[number])
        for start, state in found:
            self._engines[start].restore(state["engine"])
            self.restart_costs[start] = self._engines[start].cost


def lm_to_its_end(job: Job, network: Network, epochs: int) -> dict[str, Any]:
    """Train one start to the end; any process can run this."""
    engine = LMEngine(replace(job, network=network))
    engine.run(epochs)
    return {"engine": engine.state(), "epochs": len(engine.costs), "cost": np.array([engine.cost])}


def _evidence(engine: LMEngine) -> float:
    return -np.inf if engine.bayesian is None or engine.overflow is not None else engine.bayesian.evidence


def _check_memory(job: Job, restarts: int, epochs: int) -> None:
    """Refuse restarts that do not fit into memory, before anything is drawn."""
    weights = sum(W.size for W in job.network.weights)
    needed = restarts * job.network.dtype.itemsize * (epochs + weights * (1 + REMEMBERED[job.solver.name]))
    if needed > machine_memory():
        raise InputError(
            f"{restarts:,} restarts with the costs of {epochs:,} epochs each need {needed / 2**30:,.1f} GiB, and this "
            f"machine has {machine_memory() / 2**30:,.1f}; use fewer restarts or epochs"
        )
