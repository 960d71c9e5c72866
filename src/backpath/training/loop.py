"""``train`` trains a network on samples, and returns the new network with its history."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from backpath.errors import InputError
from backpath.maths.checks import check_count, check_number, check_sample_weight, check_seed, check_truth
from backpath.maths.initialisations import initialisation
from backpath.maths.network import Network
from backpath.training.callbacks import Callbacks, Watched
from backpath.training.engines import check_engine, start_descent, start_engine
from backpath.training.job import Engine, Job, Solver, check_batch_size, check_tol, with_bias_columns
from backpath.training.progress import Progress, check_progress
from backpath.training.result import TrainingResult
from backpath.training.streams import StreamedSamples, of_table
from backpath.training.threads import check_threads
from backpath.training.training_run import TrainingRun
from backpath.training.validation import Validation, check_patience

if TYPE_CHECKING:
    from backpath.files.training_table import TrainingTable
    from backpath.training.checkpoints import Checkpoints
    from backpath.training.engines.restarts import LMRestartsEngine, RestartsEngine
    from backpath.training.spreading import Spread


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
    spread: Spread | None = None,
) -> TrainingResult:
    """Train a network and return a new one; ``net`` does not change.

    The default is the notes' rule: one update W = W - η ∂C/∂W per epoch, with all samples.

    Parameters
    ----------
    net : Network
        The network to start from.
    X : array_like, or a table
        The inputs of the samples, (N, inputs); or a table from ``read_table``, without y. A table that does not fit in
        memory is read in blocks and trained on in batches.
    y : array_like
        The targets of the samples, (N, outputs); for one output also (N,).
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
        ``categorical_cross_entropy``, ``poisson`` or a quantile: a name in `backpath.maths.costs`.
    tol : float | None
        Stop ("converged") after 10 epochs in a row that do not lower the best cost by more than this.
    frozen : weight names, or "biases"
        Weights that are not trained.
    engine : "auto" | "numpy" | "compiled"
        The engine: the plain NumPy reference, or the native kernels, whose results differ only in the last digits.
        "auto" uses the kernels if there are any for this machine, else NumPy. Each engine gives the same bits on every
        run and for any number of threads, the kernels also on every processor with fused multiply-add.
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
    sample_weight : array_like (N,)
        The weight of each sample; by default 1.
    restarts : int
        Train from this many starts side by side, and return the one with the lowest cost, because small networks can
        get stuck. The first is ``net``; the others are drawn with ``init`` and ``seed``. They do not support
        ``validation``, and, except with lm, neither ``l2`` nor ``sample_weight`` nor ``engine="numpy"``.
    init : str
        How restarts are drawn, by its name in `backpath.maths.initialisations`.
    checkpoint : folder
        Save the state of training in this folder. After an interruption of any kind, the same call resumes from there
        and ends with the same bits. Other data or settings are refused, except for ``epochs`` and ``learning_rate``.
    every : int or str
        How often to save: a number of epochs, or a time such as ``"60s"`` (the default), ``"5m"`` or ``"1h"``.
    callbacks : callable, or several
        Each receives the state of training, a `backpath.training.callbacks.Moment`, about ten times a second (after
        each epoch if ``validation`` is given), and at the end. That module has callbacks that write logs.
    spread : Spread | None
        Where to train the restarts: `backpath.distributed.DaskWorkers`, for example, distributes them among the
        workers of a Dask cluster. The results are the same; a checkpoint keeps each one when it arrives.

    Returns
    -------
    TrainingResult
        After Ctrl-C, the result so far, with ``stopped == "interrupted"``.

    Raises
    ------
    InputError
        If an argument is not valid; nothing has been trained.
    DivergenceError
        If the cost or a weight stops being finite, or the cost only rises. Its ``network`` has the last finite weights.

    Examples
    --------
    >>> net = Network((2, 2, 1), seed=0)
    >>> result = train(net, [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0], epochs=100)
    >>> result.epochs, result.stopped, result.history.cost.shape
    (100, 'epochs', (100,))
    """
    _check_arguments(net, engine, seed, threads, progress, epochs, tol, shuffle, init)
    if check_truth(bayesian, "bayesian") and solver != "lm":
        raise InputError(f"bayesian is for solver='lm', but the solver is {solver!r}", "bayesian", "solver")
    samples: StreamedSamples | None = None
    arrays: Any = X, y
    if y is None:
        *arrays, sample_weight, samples = of_table(X, sample_weight, batch_size, solver, restarts)
    inputs, targets = net.samples(arrays[0], arrays[1], cost)
    network, free = with_bias_columns(net, _free_weights(net, frozen))
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
        tol=check_tol(tol),
        bayesian=bool(bayesian),
        biases=net.biases,
        l2=check_number(l2, "l2", least=0),
        sample_weight=None if sample_weight is None else check_sample_weight(sample_weight, inputs),
        threads=threads,
    )
    _check_lm(job, engine)
    watch = _validation(net, validation, cost, patience)
    watched = Watched(callbacks, job.solver.learning_rate)
    if check_count(restarts, "restarts") > 1:
        several = _several_starts(engine, validation, job, int(restarts), int(epochs), init)
        training = TrainingRun(job, several, int(epochs), watch)
        result = training.saved(checkpoint, every, progress, watched, spread, restarts=restarts, init=init)
        return replace(result, restart_costs=several.restart_costs)
    if spread is not None:
        raise InputError("spread distributes restarts; leave it out, or give restarts", "spread")
    more: dict[str, Any] = {} if samples is None else {"rows": samples.rows}
    training = TrainingRun(job, _started(engine, job, samples), int(epochs), watch)
    return training.saved(checkpoint, every, progress, watched, **more)


def _check_arguments(
    net: object,
    engine: str,
    seed: int | None,
    threads: int | None,
    progress: Progress,
    epochs: int,
    tol: float | None,
    shuffle: bool,
    init: str,
) -> None:
    """Refuse what is not valid by itself, whatever the samples and the other arguments."""
    if not isinstance(net, Network):
        raise InputError(f"net must be a Network, but is of type {type(net).__name__}")
    net.check_trainable()
    check_engine(engine)
    check_seed(seed)
    check_threads(threads)
    check_progress(progress)
    check_count(epochs, "epochs")
    check_tol(tol)
    check_truth(shuffle, "shuffle")
    initialisation(init)


def _check_lm(job: Job, engine: str) -> None:
    if job.solver.name == "lm":
        from backpath.training.engines.lm import check_lm

        check_lm(job, engine)


def _several_starts(
    engine: str, validation: tuple[ArrayLike, ...] | None, job: Job, restarts: int, epochs: int, init: str
) -> RestartsEngine | LMRestartsEngine:
    from backpath.training.engines.restarts import check_restarts, start_restarts

    check_restarts(engine, validation, job)
    return start_restarts(job, restarts, epochs, init)


def _started(engine: str, job: Job, samples: StreamedSamples | None) -> Engine:
    if samples is None:
        return start_engine(engine, job)
    from backpath.training.engines.stream_engine import StreamEngine

    return StreamEngine(partial(start_descent, engine), job, samples)


def _validation(
    net: Network, samples: tuple[ArrayLike, ...] | None, cost: str, patience: int | None
) -> Validation | None:
    if samples is not None:
        return Validation(net, samples, cost, check_patience(patience))
    if patience is not None:
        raise InputError("patience counts epochs without a better cost on validation samples; give validation too")
    return None


def _free_weights(net: Network, frozen: str | Iterable[str]) -> list[NDArray[np.bool_]] | None:
    if isinstance(frozen, tuple) and not frozen:
        return None
    free = net.free_weights(frozen)
    if not any(mask.any() for mask in free):
        raise InputError("frozen names every weight, so there is nothing to train; leave some out", "frozen")
    return None if all(mask.all() for mask in free) else free
