"""``train``: from a network and data to a better network, with its history."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from backpath.errors import InputError
from backpath.maths.checks import check_count, check_number, check_sample_weight, check_seed, check_truth
from backpath.maths.initialisations import initialisation
from backpath.maths.network import Network
from backpath.maths.values import Value
from backpath.training.bayesian import Bayesian
from backpath.training.callbacks import Callbacks, Watched
from backpath.training.chunks import in_chunks, opened, saved
from backpath.training.divergence import divergence, is_good
from backpath.training.engines import check_engine, start_engine
from backpath.training.job import (
    Engine,
    Job,
    Solver,
    check_batch_size,
    check_tol,
    with_bias_columns,
)
from backpath.training.progress import Progress, check_progress, reporter
from backpath.training.state import Stateful
from backpath.training.streams import StreamedSamples, of_table
from backpath.training.threads import check_threads
from backpath.training.validation import Validation, check_patience

if TYPE_CHECKING:
    from backpath.files.file_paths import PathLike
    from backpath.files.training_table import TrainingTable
    from backpath.training.checkpoints import Checkpoints, RunPart

Costs = Sequence[float] | NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class History(Value):
    """The costs during training.

    Attributes
    ----------
    cost : float64 array (epochs,)
        The cost of each epoch: the average over its samples, each computed before its update (for a full batch, the
        cost before the epoch's update).
    validation_cost : float64 array (epochs,) or None
        The cost on the validation samples after each epoch.
    """

    cost: NDArray[np.float64]
    validation_cost: NDArray[np.float64] | None = None


@dataclass(frozen=True, eq=False)
class TrainingResult(Value):
    """The result of training.

    Attributes
    ----------
    network : Network
        The network after the last epoch; with validation samples, after the epoch with the lowest cost on them.
    history : History
        The cost of every epoch.
    epochs : int
        The number of epochs.
    stopped : "epochs" | "converged" | "interrupted"
        Why training ended.
    seconds : float
        The duration of the training.
    restart_costs : array (restarts,) or None
        The final cost of each restart, the given network first; infinite if it diverged.
    bayesian : backpath.training.bayesian.Bayesian or None
        With ``bayesian=True``: α, β and γ, the effective number of parameters.
    """

    network: Network
    history: History = field(repr=False)
    epochs: int
    stopped: str
    seconds: float
    restart_costs: NDArray[np.floating] | None = field(default=None, repr=False)
    bayesian: Bayesian | None = None


def train(
    net: Network,
    X: ArrayLike | TrainingTable | StreamedSamples,
    y: ArrayLike | None = None,
    *,
    epochs: int = 1000,
    learning_rate: float | None = None,
    batch_size: int | None = None,
    shuffle: bool = False,
    solver: str = "gd",
    cost: str = "squared_error",
    tol: float | None = None,
    frozen: str | Iterable[str] = (),
    seed: int | None = 0,
    engine: str = "auto",
    threads: int | None = None,
    progress: Progress = False,
    momentum: float = 0.9,
    bayesian: bool = False,
    validation: tuple[ArrayLike, ...] | None = None,
    patience: int | None = None,
    l2: float = 0.0,
    sample_weight: ArrayLike | None = None,
    restarts: int = 1,
    init: str = "glorot_uniform",
    checkpoint: str | os.PathLike[str] | Checkpoints | None = None,
    every: int | str | None = None,
    callbacks: Callbacks = None,
) -> TrainingResult:
    """Train a network and return a new one; ``net`` does not change.

    The default is the notes' rule: one update W = W - η ∂C/∂W per epoch, with all samples.

    Parameters
    ----------
    net : Network
        The network to start from.
    X, y : (N, inputs), (N, outputs)
        The samples; for one output y may be (N,). Alternatively X is a table from ``read_table``, without y; a table
        that does not fit in memory is read in blocks and trained on in batches.
    epochs : int
        Passes over the samples.
    learning_rate : float
        η; by default 0.5 for gd, 0.1 for momentum and 0.01 for adam. lm has none.
    batch_size : int | None
        Samples per update: None for all (full batch), 1 for online training.
    shuffle : bool
        Shuffle the samples before each epoch, with ``seed``.
    seed : int | None
        Seed for the order of the samples and the restarts; None draws a different one each time.
    solver : "gd" | "momentum" | "adam" | "lm"
        ``lm`` is Levenberg-Marquardt, usually the fastest for regression with up to about a thousand weights. It
        minimises ``squared_error`` or ``half_squared_error`` (for classes: against one-hot targets), uses all samples
        in every step, and ends ("converged") when no step lowers the cost. An epoch is one step that does.
    cost : str
        ``squared_error`` (the notes), ``half_squared_error``, ``huber``, ``absolute_error``, ``binary_cross_entropy``,
        ``categorical_cross_entropy``, ``poisson``.
    tol : float | None
        Stop ("converged") after 10 epochs in a row that do not lower the best cost by more than this.
    frozen : weight names, or "biases"
        Weights that are not trained.
    engine : "auto" | "numpy" | "compiled"
        The engine: the plain NumPy reference, or the native kernels, whose results differ only in the last digits.
        "auto" uses the kernels if there are any for this machine, else NumPy. Each engine gives the same bits on every
        run, on any processor and for any number of cores.
    threads : int | None
        The maximum number of threads of the kernels, which use them if training becomes faster. The default is
        ``BACKPATH_THREADS``, or all cores available to the process: at most its share in a container or joblib worker.
    progress : bool, callable, or context manager that gives one
        True draws a progress bar on a terminal; a callable receives (epochs done, cost) about ten times a second. A
        context manager is entered after the arguments are validated, when training begins.
    momentum : float
        μ of the momentum solver.
    bayesian : bool
        For lm: choose the weight decay from the data (Bayesian regularisation), to prevent overfitting.
    validation : (X, y) or (X, y, sample_weight)
        Held-out samples; the result has the network of the epoch with the lowest cost on them.
    patience : int | None
        Stop ("converged") after this many epochs in a row without a lower cost on the validation samples.
    l2 : float
        Weight decay: adds l2/2 ΣW² / (samples of the batch) to the cost of each update, over all weights but biases.
    sample_weight : (N,)
        The weight of each sample; by default 1.
    restarts : int
        Train from this many starts side by side in the native kernels, and return the one with the lowest cost, because
        small networks can get stuck. The first is ``net``; the others are drawn with ``init`` and ``seed``.
    init : str
        How restarts are drawn (see ``backpath.maths.initialisations``).
    checkpoint : folder
        Save the state of training in this folder. After an interruption of any kind, the same call resumes from there
        and ends with the same bits. Other data or settings are refused, except for ``epochs`` and ``learning_rate``.
    every : int or str
        How often to save: a number of epochs, or a time such as ``"60s"`` (the default), ``"5m"`` or ``"1h"``.
    callbacks : callable, or several
        Each receives the state of training, a `backpath.training.callbacks.Moment`, about ten times a second, with
        ``validation`` after each epoch, and at the end. That module has callbacks that write logs.

    Returns
    -------
    TrainingResult
        After Ctrl-C, the result so far, with ``stopped == "interrupted"``.

    Raises
    ------
    InputError
        If an argument is not valid; nothing has been trained.
    DivergenceError
        If the cost or a weight stops being finite, or the cost only rises. It has the last finite weights.

    Examples
    --------
    >>> net = Network((2, 2, 1), seed=0)
    >>> result = train(net, [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0], epochs=100)
    >>> result.epochs, result.stopped, result.history.cost.shape
    (100, 'epochs', (100,))
    """
    if not isinstance(net, Network):
        raise InputError(f"net must be a Network, but is of type {type(net).__name__}")
    net.check_trainable()
    check_engine(engine)
    check_seed(seed)
    check_threads(threads)
    check_progress(progress)
    check_count(epochs, "epochs")
    tol = check_tol(tol)
    check_truth(shuffle, "shuffle")
    initialisation(init)
    if bayesian and solver != "lm":
        raise InputError(f"bayesian is for solver='lm', but the solver is {solver!r}", "bayesian", "solver")
    samples: StreamedSamples | None = None
    arrays: Any = X, y
    if y is None:
        *arrays, sample_weight, samples = of_table(X, sample_weight, batch_size, solver, restarts)
    inputs, targets = net.samples(arrays[0], arrays[1], cost)
    free = None if isinstance(frozen, tuple) and not frozen else _free_weights(net, frozen)
    network, free = with_bias_columns(net, free)
    job = Job(
        network=network,
        X=inputs,
        y=targets,
        cost=cost,
        solver=Solver.checked(solver, learning_rate, momentum),
        batch_size=check_batch_size(batch_size, samples.rows if samples else len(inputs)),
        shuffle=shuffle,
        seed=seed,
        free=free,
        tol=tol,
        bayesian=bool(bayesian),
        biases=net.biases,
        l2=check_number(l2, "l2", least=0),
        sample_weight=None if sample_weight is None else check_sample_weight(sample_weight, inputs),
        threads=threads,
    )
    if solver == "lm":
        from backpath.training.engines.lm import check_lm

        check_lm(job, engine)
    watch = None if validation is None else Validation(net, validation, cost, check_patience(patience))
    if patience is not None and validation is None:
        raise InputError("patience counts epochs without a better cost on validation samples; give validation too")
    watched = Watched(callbacks, job.solver.learning_rate)
    if check_count(restarts, "restarts") > 1:
        from backpath.training.engines.restarts import check_restarts, start_restarts

        check_restarts(engine, validation, solver)
        if solver != "lm" and (job.l2 or job.sample_weight is not None):
            raise InputError("restarts are trained side by side without l2 and sample_weight; leave restarts out")
        several = start_restarts(job, int(restarts), int(epochs), init)
        training = TrainingRun(job, several, int(epochs), watch)
        more = {"restarts": restarts, "init": init}
        result = training.saved(checkpoint, every, progress, watched, **more)
        return replace(result, restart_costs=several.restart_costs)
    if samples is not None:
        from backpath.training.engines.stream_engine import StreamEngine

        training = TrainingRun(job, StreamEngine(engine, job, samples), int(epochs), watch)
        return training.saved(checkpoint, every, progress, watched, rows=samples.rows)
    return TrainingRun(job, start_engine(engine, job), int(epochs), watch).saved(checkpoint, every, progress, watched)


def _free_weights(net: Network, frozen: str | Iterable[str]) -> list[NDArray[np.bool_]] | None:
    free = net.free_weights(frozen)
    if not any(mask.any() for mask in free):
        raise InputError("frozen names every weight, so there is nothing to train; leave some out", "frozen")
    return None if all(mask.all() for mask in free) else free


class TrainingRun(Stateful):
    """A running job."""

    _given = ("job", "epochs")

    def __init__(self, job: Job, engine: Engine, epochs: int, validation: Validation | None):
        self.job, self.engine, self.epochs, self.validation = job, engine, epochs, validation
        self.seconds = 0.0

    def is_good(self) -> bool:
        return is_good(self.job, self.engine)

    def standing(self) -> dict[str, Any]:
        held_out = self.validation.costs[-1] if self.validation and self.validation.costs else None
        return standing(len(self.engine.costs), self.epochs, self.engine.costs, self.seconds, validation_cost=held_out)

    def shown(self) -> dict[str, Any]:
        from backpath.training.run_views import seen

        return seen(self.job, self.engine.weights, self.engine.costs, self.validation.costs if self.validation else ())

    def saved(
        self,
        checkpoint: PathLike | Checkpoints | None,
        every: int | str | None,
        progress: Progress,
        watched: Watched,
        **more: Any,
    ) -> TrainingResult:
        """Train, and save the state if requested."""

        def settings() -> dict[str, Any]:
            from backpath.training.fingerprints import settings_of

            v = self.validation
            held_out = {} if v is None else {"validation": [v.X, v.y, v.weight], "patience": v.patience}
            return settings_of(self.job, epochs=self.epochs, engine=type(self.engine).__name__, **held_out, **more)

        with opened(checkpoint, every, "train") as run, saved(run, self, settings) as part:
            return self.run(progress, watched, part)

    def run(self, progress: Progress, watched: Watched, part: RunPart | None) -> TrainingResult:
        job, engine, validation = self.job, self.engine, self.validation
        start, stopped = time.perf_counter() - self.seconds, "epochs"

        def is_over() -> bool:
            return validation is not None and validation.is_patience_over

        try:
            with reporter(progress, self.epochs) as report:
                for done in in_chunks(engine, self.epochs, validation is not None, part, is_over):
                    if validation and engine.overflow is None and len(validation.costs) < done:
                        validation.look(engine.weights)
                    if report and done:
                        report(done, engine.costs[-1])
                    self.seconds = time.perf_counter() - start
                    if not (done >= self.epochs or engine.overflow is not None or engine.converged or is_over()):
                        watched(self.standing)  # the last moment follows the end
        except KeyboardInterrupt:
            stopped = "interrupted"
        error = divergence(job, engine)
        if error is not None:
            watched(self.standing, "diverged")
            raise error
        if engine.converged or is_over():
            stopped = "converged"
        history = History(np.asarray(engine.costs, np.float64), np.array(validation.costs) if validation else None)
        weights = validation.best() if validation and validation.costs else engine.weights
        network, self.seconds = job.reached(weights), time.perf_counter() - start
        watched(self.standing, stopped)
        return TrainingResult(network, history, len(engine.costs), stopped, self.seconds, bayesian=engine.bayesian)


def standing(done: int, epochs: int, costs: Costs, seconds: float, **more: float | None) -> dict[str, Any]:
    """The progress of training, for callbacks and lists of runs."""
    cost = float(costs[-1]) if len(costs) else None
    return {"epochs": done, "of": epochs, "cost": cost, "seconds": seconds, **more}
