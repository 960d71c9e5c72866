"""What the two estimators share: fitting, scaling and fitted attributes."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy import sparse
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state
from sklearn.utils.validation import validate_data

from backpath.errors import DivergenceError, InputError
from backpath.estimators.bad_fit import warn_of_bad_fit
from backpath.estimators.fit import Clock
from backpath.estimators.fit_state import FitState
from backpath.estimators.holding_out import RawData, hold_out
from backpath.estimators.hyperparameters import Hyperparameters
from backpath.estimators.own_functions import check_own_functions
from backpath.estimators.parameters import STOCHASTIC, check_can_go_on, check_parameters, hidden_sizes
from backpath.estimators.predictor import PredictingEstimator
from backpath.estimators.scaling import Scaling
from backpath.estimators.solving import MOST_SEED, Start, first_start, next_start, solved
from backpath.estimators.training_samples import Samples, column_sizes, prepared_rows, sample_weights, warn_of_scales
from backpath.maths.arrays import Array
from backpath.maths.costs import check_targets

if TYPE_CHECKING:
    from backpath.estimators.displays import LearningRateDisplay, LossCurveDisplay, SurfaceDisplay

SKLEARN_OUTPUTS = {"sigmoid": "logistic"}


def is_stochastic(estimator: Any) -> bool:
    """Whether ``partial_fit`` is available."""
    if estimator.solver not in STOCHASTIC:
        raise AttributeError(f"partial_fit is for the solvers {' and '.join(STOCHASTIC)}, not {estimator.solver!r}")
    return True


@contextmanager
def unchanged_by_failure(estimator: Any) -> Iterator[None]:
    """Restore an estimator's attributes if a method fails, for any reason."""
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


class Perceptron(Hyperparameters, PredictingEstimator):
    """A network as an estimator; `MLPClassifier` and `MLPRegressor` define the meaning of its outputs."""

    _y_numeric = False

    _scaling = Scaling()

    def _scaling_of(self, samples: Samples) -> Scaling:
        """The scaling of X and y inside ``fit``."""
        return Scaling.of(samples, self.scale_X)

    def _trained_as(self, outputs: int) -> tuple[str, str]:
        """The output activation and the cost for this many outputs during training, with y scaled."""
        return self._cost_for(outputs)

    def _is_averaged(self) -> bool:
        """Whether the loss is averaged over the outputs, not summed."""
        return False

    def _class_weighted(self, y: Any, weight: Array | None, incremental: bool, number: np.dtype[Any]) -> Array | None:
        return weight

    def _is_stratified(self, samples: Samples) -> bool:
        """Whether held-out samples are drawn from each class."""
        return False

    def _may_stay_sparse(self) -> bool:
        return not (self.scale_X or self.checkpoint) and self.solver != "lm" and self.engine != "compiled"

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
            The weight of each row, (N,), at least 0.
        X_val : as X
            Held-out rows: their loss and score after each epoch are stored in ``validation_loss_curve_`` and
            ``validation_scores_``; with ``early_stopping`` they are used instead of a part of X and y.
        y_val : as y
            Their targets.
        sample_weight_val : as sample_weight
            Their weights.

        Returns
        -------
        Self
            The fitted estimator.

        Raises
        ------
        InputError
            If an argument is not valid; nothing was trained.
        DivergenceError
            If the cost or a weight stopped being finite, or the cost only rose.
        """
        if (X_val is None) != (y_val is None):
            raise InputError("X_val and y_val go together; give both, or neither")
        with unchanged_by_failure(self):
            return self._fit(X, y, sample_weight, (X_val, y_val, sample_weight_val))

    def _fit(self, X: Any, y: Any, sample_weight: Any, held_out: RawData, incremental: bool = False) -> Any:
        check_parameters(vars(self), incremental)
        if self.checkpoint is not None:
            check_can_go_on(vars(self), incremental)
        check_own_functions(self)
        clock = Clock(self.time_limit)
        first = not hasattr(self, "coefs_") or not (self.warm_start or incremental)
        raw = self._samples(X, y, sample_weight, first, incremental)
        scaling = self._scaling if incremental and not first else self._scaling_of(raw)
        samples = scaling.apply(raw)
        sizes = (samples.X.shape[1], *hidden_sizes(vars(self)), samples.y.shape[1])
        rng, number = check_random_state(self.random_state), samples.X.dtype
        own = first_start(self, sizes, number, rng) if first else next_start(self, sizes, scaling, incremental, rng)
        samples, judged = hold_out(self, samples, (X, y, sample_weight), held_out, scaling, rng)
        starts = [own, *self._other_starts(sizes, number, rng, first and not incremental)]
        runs = solved(self, samples, judged, starts, clock, incremental)
        self._check_scales(samples, runs[0])
        self._keep(runs, scaling, number)
        if not incremental:
            cost, names = self._cost_for(sizes[-1])[1], getattr(self, "feature_names_in_", None)
            warn_of_bad_fit(self.network_, cost, raw, runs[0].loss_curve, vars(self), names)
            self._warn_if_unfinished(runs[0])
        return self

    def _other_starts(
        self, sizes: tuple[int, ...], number: np.dtype[Any], rng: np.random.RandomState, is_fresh: bool
    ) -> list[Start]:
        """The starts of the other restarts, or of an ensemble's other networks; none if a fit continues another."""
        others = max(self.restarts, self.n_networks) - 1 if is_fresh else 0
        generators = [np.random.RandomState(rng.randint(MOST_SEED)) for _ in range(others)]
        return [first_start(self, sizes, number, generator) for generator in generators]

    def _keep(self, runs: list[FitState], scaling: Scaling, number: np.dtype[Any]) -> None:
        """Keep the best run, or all of an ensemble, with weights for raw numbers."""
        for run in runs:
            run.weights = scaling.fold(run.weights)
        self._scaling = scaling
        self._take(runs if self.n_networks > 1 else runs[:1], number)

    def _warn_if_unfinished(self, run: FitState) -> None:
        if run.converged or self.solver == "lbfgs" or run.n_iter != self.max_iter:
            return
        name = "Stochastic Optimizer" if self.solver in STOCHASTIC else self.solver
        warnings.warn(
            f"{name}: Maximum iterations ({self.max_iter}) reached and the optimization hasn't converged yet.",
            ConvergenceWarning,
            stacklevel=4,
        )

    def find_learning_rate(self, X: Any, y: Any, sample_weight: Any = None) -> LearningRateDisplay:
        """Try learning rates from 0.00001 on with a few batches; this estimator is not fitted or changed.

        Parameters
        ----------
        X : array-like, data frame or sparse matrix
            The rows, (N, features).
        y : array-like
            Their targets, as in ``fit``.
        sample_weight : array-like
            How much each row counts, (N,).

        Returns
        -------
        LearningRateDisplay
            ``suggestion`` is a rate for ``learning_rate_init``; ``plot`` draws the losses, ``rates`` and ``losses``
            are the numbers.

        Raises
        ------
        InputError
            If the solver has no learning rate, or training diverges at the lowest.
        """
        from backpath.estimators.rates import find_rates

        copy: Perceptron = clone(self)
        check_parameters(vars(copy))
        check_own_functions(copy)
        raw = copy._samples(X, y, sample_weight, True, False)
        samples = copy._scaling_of(raw).apply(raw)
        sizes = (samples.X.shape[1], *hidden_sizes(vars(copy)), samples.y.shape[1])
        start = first_start(copy, sizes, samples.X.dtype, check_random_state(copy.random_state))
        return find_rates(copy, samples, start)

    def plot_loss(self, *, ax: Any = None, **settings: Any) -> LossCurveDisplay:
        """Draw the loss of each epoch.

        Parameters
        ----------
        ax : matplotlib's Axes, or None
            The axes to draw on; None for a new figure.
        **settings : those of matplotlib's ``plot``
            Colour and other properties.

        Returns
        -------
        LossCurveDisplay
            The display.
        """
        from backpath.estimators.displays import LossCurveDisplay

        return LossCurveDisplay.from_estimator(self, ax=ax, **settings)

    def plot_surface(
        self, X: Any, *, features: tuple[Any, Any] = (0, 1), ax: Any = None, **settings: Any
    ) -> SurfaceDisplay:
        """Draw the prediction over two features, with the others at their medians.

        Parameters
        ----------
        X : array-like or data frame
            (N, features); gives the range of the two features.
        features : pair of column numbers or names
            The two features.
        ax : matplotlib's Axes, or None
            The axes to draw on; None for a new figure.
        **settings : those of ``SurfaceDisplay.from_estimator``
            The target, and what matplotlib's ``contourf`` takes.

        Returns
        -------
        SurfaceDisplay
            The display.
        """
        from backpath.estimators.displays import SurfaceDisplay

        return SurfaceDisplay.from_estimator(self, X, features=features, ax=ax, **settings)

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
        rows, weight = prepared_rows(X, self._may_stay_sparse()), sample_weights(sample_weight, len(y), X.dtype)
        weight = self._class_weighted(y, weight, incremental, X.dtype)
        targets = np.ascontiguousarray(self._encoded(y, first, incremental).astype(rows.dtype))
        check_targets(self._cost_for(targets.shape[1])[1], targets)
        if not (incremental or self.scale_X):
            warn_of_scales(column_sizes(rows), getattr(self, "feature_names_in_", None))
        return Samples(rows, targets, weight)

    def _check_scales(self, samples: Samples, run: FitState) -> None:
        """Numbers whose squares are not finite saturate all neurons, so that a finite result is not a useful model."""
        most = math.sqrt(np.finfo(samples.X.dtype).max)
        for name, values in (("X", samples.X), ("y", samples.y)):
            size = float(column_sizes(values).max())
            if size > most:
                advice = f"{name} reaches {size:.3g}, whose square is not finite in {values.dtype}; standardise it"
                raise DivergenceError(run.n_iter, None, run.loss, None, advice)

    def _take(self, runs: list[FitState], number: np.dtype[Any]) -> None:
        """Set the fitted attributes from the first run, and for an ensemble the layers of the others."""
        run = runs[0]
        self._set_weights(run.weights, number)
        self._members = [other.weights for other in runs[1:]]
        self.n_iter_, self.t_, self.loss_ = run.n_iter, run.t, run.loss
        self.loss_curve_, self.best_loss_ = run.loss_curve, run.best_loss
        self.validation_scores_, self.best_validation_score_ = run.validation_scores, run.best_validation_score
        self.validation_loss_curve_, self.bayesian_ = run.validation_loss_curve, run.bayesian
        self.stopped_ = run.stopped
        self._no_improvement_count, self._optimizer = run.waited, run.optimizer

    def _set_weights(self, weights: list[Array], number: np.dtype[Any]) -> None:
        self.coefs_ = [np.ascontiguousarray(W[:, :-1].T, number) for W in weights]
        self.intercepts_ = [W[:, -1].astype(number) for W in weights]
        output = self._cost_for(len(weights[-1]))[0]
        self.out_activation_ = SKLEARN_OUTPUTS.get(output, output)
        self.n_layers_, self.n_outputs_ = len(weights) + 1, len(weights[-1])
