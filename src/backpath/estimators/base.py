"""What the two estimators share: from parameters and data to a fitted network and back."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy import sparse
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data

from backpath.errors import DivergenceError, InputError
from backpath.estimators.bad_fit import warn_of_bad_fit
from backpath.estimators.descent import Descending
from backpath.estimators.fit_state import FitState, HeldOut
from backpath.estimators.lbfgs import Lbfgs
from backpath.estimators.levenberg import Levenberg
from backpath.estimators.parameters import (
    STOCHASTIC,
    check_can_go_on,
    check_parameters,
    hidden_activations,
    hidden_sizes,
)
from backpath.estimators.predictor import PredictingEstimator
from backpath.estimators.scaling import Scaling
from backpath.estimators.starts import Shuffled, drawn_weights
from backpath.estimators.training_samples import Samples, column_sizes, dense, sample_weights, warn_of_scales
from backpath.maths.arrays import Array
from backpath.maths.checks import check_memory
from backpath.maths.costs import check_targets
from backpath.maths.network import Network
from backpath.training.chunks import opened
from backpath.training.job import Job, Solver

if TYPE_CHECKING:
    from backpath.training.checkpoints import Checkpoints


# scikit-learn's words for weights that are not finite, for whoever looks for them
NON_FINITE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and need to be preprocessed."
)
SKLEARN_OUTPUTS = {"sigmoid": "logistic"}
MOST_SEED = 2**31 - 1


def is_stochastic(estimator: Any) -> bool:
    """Whether ``partial_fit`` is there."""
    if estimator.solver not in STOCHASTIC:
        raise AttributeError(f"partial_fit is for the solvers {' and '.join(STOCHASTIC)}, not {estimator.solver!r}")
    return True


@contextmanager
def unchanged_by_failure(estimator: Any) -> Iterator[None]:
    """Put an estimator's attributes back as they were if what is done to it fails, whatever the reason."""
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


class Perceptron(PredictingEstimator):
    """A network as an estimator; `MLPClassifier` and `MLPRegressor` say what its outputs mean."""

    _y_numeric = False

    def __init__(
        self,
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: str = "adam",
        alpha: float = 0.0001,
        batch_size: Any = "auto",
        learning_rate: str = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: Any = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        dropout: float = 0.0,
        clip_norm: float | None = None,
        bayesian: bool = False,
        restarts: int = 1,
        callbacks: Any = None,
        progress: Any = False,
        engine: str = "auto",
        scale_X: bool = False,
        checkpoint: Any = None,
        every: Any = None,
    ):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.dropout = dropout
        self.clip_norm = clip_norm
        self.bayesian = bayesian
        self.restarts = restarts
        self.callbacks = callbacks
        self.progress = progress
        self.engine = engine
        self.scale_X = scale_X
        self.checkpoint = checkpoint
        self.every = every

    _scaling = Scaling()

    def _scales_y(self) -> bool:
        """Whether targets are standardised inside."""
        return False

    def _is_averaged(self) -> bool:
        """Whether the loss is averaged over the outputs, not summed."""
        return False

    def _class_weighted(self, y: Any, weight: Array | None, incremental: bool, number: np.dtype[Any]) -> Array | None:
        return weight

    def _is_stratified(self, samples: Samples) -> bool:
        """Whether held-out samples are drawn from each class."""
        return False

    # ---- fitting ----

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        *,
        X_val: Any = None,
        y_val: Any = None,
        sample_weight_val: Any = None,
    ) -> Self:
        """Fit to the rows X and their targets y.

        Parameters
        ----------
        X : array-like, data frame or sparse matrix
            The rows, (N, features).
        y : array-like
            Their targets, (N,) or (N, outputs).
        sample_weight : array-like
            How much each row counts, (N,), from 0 on.
        X_val, y_val, sample_weight_val : as X, y and sample_weight
            Held-out samples: the loss and the score on them after each epoch go into ``validation_loss_curve_`` and
            ``validation_scores_``; with ``early_stopping`` they say when to stop, in place of a part of X and y.

        Returns
        -------
        Self
            The fitted estimator.

        Raises
        ------
        InputError
            If the call makes no sense; nothing was trained.
        DivergenceError
            If the cost or a weight stopped being finite, or the cost only rose.
        """
        if (X_val is None) != (y_val is None):
            raise InputError("X_val and y_val go together; give both, or neither")
        with unchanged_by_failure(self):
            return self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val))

    def _fit(
        self, X: Any, y: Any, sample_weight: Any, held_out: tuple[Any, Any, Any], incremental: bool = False
    ) -> Any:
        check_parameters(vars(self))
        if self.early_stopping and incremental:
            raise InputError("partial_fit does not support early_stopping=True")
        if self.checkpoint is not None:
            check_can_go_on(self.random_state, incremental)
        first = not hasattr(self, "coefs_") or not (self.warm_start or incremental)
        raw = self._samples(X, y, sample_weight, first, incremental)
        scaling = self._scaling if incremental and not first else Scaling.of(raw, self.scale_X, self._scales_y())
        samples = scaling.apply(raw)
        sizes = (samples.X.shape[1], *hidden_sizes(self.hidden_layer_sizes), samples.y.shape[1])
        rng = check_random_state(self.random_state)
        runs = [self._first_run(sizes, samples.X.dtype, rng) if first else self._next_run(sizes, scaling, incremental)]
        samples, judged = self._hold_out(samples, held_out, scaling, rng)
        generators = [rng]
        if first and not incremental:
            generators += [np.random.RandomState(rng.randint(MOST_SEED)) for _ in range(1, self.restarts)]
            runs += [self._first_run(sizes, samples.X.dtype, own) for own in generators[1:]]
        best = self._best(samples, judged, list(zip(runs, generators, strict=True)), incremental)
        self._check_scales(samples, best)
        best.weights, self._scaling = scaling.fold(best.weights), scaling
        self._take(best, sizes, samples.X.dtype)
        if not incremental:
            cost, names = self._cost_for(sizes[-1])[1], getattr(self, "feature_names_in_", None)
            warn_of_bad_fit(self.network_, cost, raw, best.loss_curve, vars(self), names)
        if not (best.converged or incremental) and self.solver != "lbfgs" and best.n_iter == self.max_iter:
            name = "Stochastic Optimizer" if self.solver in STOCHASTIC else self.solver
            warnings.warn(
                f"{name}: Maximum iterations ({self.max_iter}) reached and the optimization hasn't converged yet.",
                ConvergenceWarning,
                stacklevel=3,
            )
        return self

    def _samples(self, X: Any, y: Any, sample_weight: Any, first: bool, incremental: bool) -> Samples:
        X, y = validate_data(
            self,
            X,
            y,
            accept_sparse="csr",
            multi_output=True,
            y_numeric=self._y_numeric,
            dtype=(np.float64, np.float32),
            reset=first,
        )
        if sparse.issparse(y):
            y = y.toarray()
        rows, weight = dense(X), sample_weights(sample_weight, len(y), X.dtype)
        weight = self._class_weighted(y, weight, incremental, X.dtype)
        targets = np.ascontiguousarray(self._encoded(y, first, incremental).astype(rows.dtype))
        check_targets(self._cost_for(targets.shape[1])[1], targets)
        if not (incremental or self.scale_X):
            warn_of_scales(column_sizes(rows), getattr(self, "feature_names_in_", None))
        return Samples(rows, targets, weight)

    def _first_run(self, sizes: tuple[int, ...], number: np.dtype[Any], rng: np.random.RandomState) -> FitState:
        check_memory(sizes, number)
        logistic = self.activation in ("logistic", "sigmoid")
        names = hidden_activations(self.activation, len(sizes) - 2) or ("sigmoid" if logistic else "identity",)
        return FitState(drawn_weights(sizes, names, number, rng))

    def _next_run(self, sizes: tuple[int, ...], scaling: Scaling, incremental: bool) -> FitState:
        """From where the last fit ended."""
        weights = scaling.unfold(self._weights())
        if (weights[0].shape[1] - 1, *map(len, weights)) != sizes:
            now = (weights[0].shape[1] - 1, *map(len, weights))
            raise InputError(f"the fitted network has sizes {now}, but this fit wants {sizes}; use a new estimator")
        scores = getattr(self, "validation_scores_", None)
        return FitState(
            weights,
            t=self.t_,
            loss_curve=list(getattr(self, "loss_curve_", [])),
            best_loss=getattr(self, "best_loss_", math.inf),
            waited=getattr(self, "_no_improvement_count", 0),
            validation_scores=None if scores is None else list(scores),
            best_validation_score=getattr(self, "best_validation_score_", None),
            validation_loss_curve=list(getattr(self, "validation_loss_curve_", [])),
            optimizer=getattr(self, "_optimizer", None) if incremental else None,
        )

    def _hold_out(
        self, samples: Samples, held_out: tuple[Any, Any, Any], scaling: Scaling, rng: np.random.RandomState
    ) -> tuple[Samples, HeldOut | None]:
        """What is trained on, and what is not, given or (with early stopping) drawn."""
        X, y, weight = held_out
        if X is not None:
            X = validate_data(self, X, accept_sparse="csr", dtype=samples.X.dtype, reset=False)
            targets = self._encoded_again(y).astype(samples.X.dtype)
            own = Samples(dense(X), targets, sample_weights(weight, len(targets), samples.X.dtype))
            wanted = (len(own.X), samples.y.shape[1])
            if own.y.shape != wanted or not np.isfinite(own.y).all():
                raise InputError(f"y_val must be finite and fit X_val and y, but has shape {own.y.shape} for {wanted}")
            return samples, HeldOut(scaling.apply(own), self._score_of)
        if not self.early_stopping:
            return samples, None
        stratify = samples.y.astype(bool) if self._is_stratified(samples) else None
        places = train_test_split(
            np.arange(len(samples)), random_state=rng, test_size=self.validation_fraction, stratify=stratify
        )
        if len(places[1]) < 2:
            raise InputError(
                "The validation set is too small. Increase 'validation_fraction' or the size of your dataset."
            )
        return samples.part(places[0]), HeldOut(samples.part(places[1]), self._score_of)

    def _solve(
        self,
        samples: Samples,
        held_out: HeldOut | None,
        run: FitState,
        rng: np.random.RandomState,
        incremental: bool,
        checkpoints: Checkpoints | None,
    ) -> FitState:
        job = self._job(samples, run, rng)
        if held_out and run.validation_scores is None:
            run.validation_scores = []
        if self.solver == "lbfgs":
            return Lbfgs(self, job, run, held_out).saved(checkpoints)
        if self.solver == "lm":
            return Levenberg(self, job, run, held_out).saved(checkpoints)
        return Descending(self, job, run, held_out, incremental).saved(checkpoints)

    def _job(self, samples: Samples, run: FitState, rng: np.random.RandomState) -> Job:
        """The training job, but for what its solver adds."""
        output, cost = self._cost_for(samples.y.shape[1])
        hidden = hidden_activations(self.activation, len(run.weights) - 1)
        batch_size = self._batch_size(len(samples))
        shuffled = self.shuffle and batch_size < len(samples) and self.solver in STOCHASTIC
        return Job(
            Network.from_weights(run.weights, (*hidden, output), dtype=samples.X.dtype),
            samples.X,
            samples.y,
            cost,
            Solver("gd", 1.0),
            batch_size,
            shuffle=shuffled,
            seed=rng.randint(MOST_SEED) if self.dropout else 0,
            l2=float(self.alpha),
            sample_weight=samples.weight,
            order=Shuffled(len(samples), rng) if shuffled else None,
            averaged=self._is_averaged(),
            clip_norm=self.clip_norm,
            dropout=float(self.dropout),
        )

    def _batch_size(self, count: int) -> int:
        if self.solver not in STOCHASTIC:
            return count
        if isinstance(self.batch_size, str):
            return min(200, count)
        if self.batch_size > count:
            warnings.warn(
                "Got `batch_size` less than 1 or larger than sample size. It is going to be clipped", stacklevel=6
            )
        return min(int(self.batch_size), count)

    def _best(
        self,
        samples: Samples,
        held_out: HeldOut | None,
        starts: list[tuple[FitState, np.random.RandomState]],
        incremental: bool,
    ) -> FitState:
        """The best of the runs from these starts; the error of the first, if all of them diverged."""
        done: list[FitState] = []
        errors: list[DivergenceError] = []
        with opened(self.checkpoint, self.every, "fit") as checkpoints:
            for run, rng in starts:
                try:
                    done.append(self._solve(samples, held_out, run, rng, incremental, checkpoints))
                except DivergenceError as error:
                    errors.append(error)
        if not done:
            first = errors[0]
            finite = first.layer is None and first.cost is not None
            advice = first.advice if finite else f"{NON_FINITE} Or {first.advice}"
            raise DivergenceError(first.epoch, first.layer, first.cost, first.network, advice) from None
        return min(done, key=lambda run: run.badness)

    def _check_scales(self, samples: Samples, run: FitState) -> None:
        """Numbers whose squares are not finite saturate all neurons: what is finite then is no model."""
        most = math.sqrt(np.finfo(samples.X.dtype).max)
        for name, values in (("X", samples.X), ("y", samples.y)):
            size = float(column_sizes(values).max())
            if size > most:
                advice = f"{name} reaches {size:.3g}, whose square is not finite in {values.dtype}; standardise it"
                raise DivergenceError(run.n_iter, None, run.loss, None, advice)

    def _take(self, run: FitState, sizes: tuple[int, ...], number: np.dtype[Any]) -> None:
        """Set the fitted attributes."""
        self.coefs_ = [np.ascontiguousarray(W[:, :-1].T, number) for W in run.weights]
        self.intercepts_ = [W[:, -1].astype(number) for W in run.weights]
        output = self._cost_for(sizes[-1])[0]
        self.out_activation_ = SKLEARN_OUTPUTS.get(output, output)
        self.n_layers_, self.n_outputs_ = len(sizes), sizes[-1]
        self.n_iter_, self.t_, self.loss_ = run.n_iter, run.t, run.loss
        self.loss_curve_, self.best_loss_ = run.loss_curve, run.best_loss
        self.validation_scores_, self.best_validation_score_ = run.validation_scores, run.best_validation_score
        self.validation_loss_curve_, self.bayesian_ = run.validation_loss_curve, run.bayesian
        self._no_improvement_count, self._optimizer = run.waited, run.optimizer
