"""``MLPRegressor``"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin
from sklearn.utils import column_or_1d
from sklearn.utils.metaestimators import available_if

from backpath.errors import InputError
from backpath.estimators.base import Perceptron, is_stochastic, unchanged_by_failure
from backpath.estimators.parameters import adds_to, is_pair
from backpath.estimators.scaling import Scaling
from backpath.estimators.training_samples import Samples
from backpath.maths.arrays import Array
from backpath.maths.costs import own_cost
from backpath.maths.families import row_name

# loss -> the output activation and the cost
LOSSES = {
    "squared_error": ("identity", "half_squared_error"),
    "huber": ("identity", "huber"),
    "absolute_error": ("identity", "absolute_error"),
    "poisson": ("exp", "poisson"),
}


class MLPRegressor(RegressorMixin, Perceptron):  # type: ignore[misc] # scikit-learn has no types
    """A multi-layer perceptron for regression: scikit-learn's interface, trained by backpath.

    It minimises the loss, averaged over the samples, with the penalty α/2 ΣW² / N on all weights but the biases.

    Parameters and attributes with a name from scikit-learn have the same meaning there.

    Parameters
    ----------
    loss : "squared_error", "huber", "absolute_error", "poisson" or "quantile", or a pair of functions
        The loss of an output A. ``squared_error``: (A - y)² / 2. ``huber``: the same up to an error of 1, then
        abs(A - y) - ½, so standardise y for it. ``absolute_error``: abs(A - y). ``poisson``, for counts:
        y ln(y/A) - y + A, with the output activation exp. ``quantile``: (τ - [A > y]) (y - A), with an output for each
        τ in ``quantiles``. A pair of functions is your own element-wise C(A, y) and ∂C/∂A; ``fit`` checks the
        derivative by finite differences. The NumPy engine trains quantiles and functions.
    quantiles : sequence of float
        For the loss ``quantile``: the quantiles, in ascending order.
    output_range : pair of float | None
        Bounds of all predictions, within which y must lie: the outputs are sigmoid between them, or softplus above the
        lower one if the upper one is infinite. Losses, ``alpha`` and ``tol`` apply to y scaled to 0…1.
    hidden_layer_sizes : int or sequence of int
        Neurons by hidden layer.
    n_layers : int | None
        The number of hidden layers, for a search; overrides ``hidden_layer_sizes``. (The attribute ``n_layers_`` also
        counts the inputs and the outputs.)
    n_units : int | None
        The neurons in each hidden layer, for a search; overrides ``hidden_layer_sizes``.
    activation : str, a pair of functions, or one of these for each hidden layer
        ``relu``, ``tanh``, ``logistic`` (also ``sigmoid``), ``identity``, ``leaky_relu``, ``elu``, ``gelu``, ``silu``,
        ``softplus``, ``exp`` (see `backpath.maths.activations`); or your own element-wise σ(u) and σ′(u), trained by
        the NumPy engine. ``fit`` checks σ′ by finite differences.
    solver : "adam", "adamw", "sgd", "lbfgs" or "lm"
        ``adamw`` is adam with ``alpha`` as decoupled weight decay: each update shrinks the weights, except biases, by
        the learning rate times alpha.
        ``lm`` (Levenberg-Marquardt), only for ``squared_error``, is usually the fastest with up to about a thousand
        weights; it uses all samples in each step and ends as sgd and adam do, or when no step lowers the loss.
    alpha : float, default 0.0001
        α, the strength of the penalty.
    batch_size : int or "auto", default "auto"
        The rows of each update of sgd, adam and adamw; "auto" takes 200, or all if there are fewer.
    learning_rate_init : float, default 0.001
        The initial learning rate of sgd, adam and adamw.
    power_t : float, default 0.5
        The exponent of the schedule ``invscaling``: ``learning_rate_init`` / (``t_`` + 1)^power_t.
    max_iter : int, default 200
        The most epochs; of lbfgs, iterations.
    shuffle : bool, default True
        Shuffle the rows before each epoch of sgd, adam and adamw.
    random_state : int, RandomState or None, default None
        The seed for the weights, the rows held out and the order of the rows; the same seed draws the same ones as in
        scikit-learn. None draws others each time.
    tol : float, default 0.0001
        The least improvement of the loss (or, with ``early_stopping``, of the score) that counts; for lbfgs, the
        largest component of the gradient at which the fit ends.
    verbose : bool or int, default False
        Print the loss of each epoch.
    warm_start : bool, default False
        Start ``fit`` from the weights of the previous call.
    momentum : float, default 0.9
        The share of the previous update that sgd adds to the next, from 0 to 1.
    nesterovs_momentum : bool, default True
        Use Nesterov's form of the momentum in sgd.
    early_stopping : bool, default False
        Hold out rows, stop when the score on them no longer improves, and keep the weights with the best score.
    validation_fraction : float, default 0.1
        The share of the rows that ``early_stopping`` holds out.
    beta_1 : float, default 0.9
        The decay rate of the mean of the gradients in adam and adamw, from 0 to less than 1.
    beta_2 : float, default 0.999
        The decay rate of the mean of their squares, from 0 to less than 1.
    epsilon : float, default 1e-8
        The number that adam and adamw add to the root of that mean, by which they divide.
    n_iter_no_change : int, default 10
        Stop after more than this many epochs in a row without an improvement of ``tol``; not for lbfgs, except with
        ``early_stopping``.
    max_fun : int, default 15000
        The most evaluations of the loss by lbfgs.
    learning_rate : str
        ``constant``, or for sgd ``invscaling`` and ``adaptive`` as in scikit-learn; for sgd, adam and adamw also
        ``linear`` and ``cosine``, which fall to 0 over ``max_iter`` epochs, and ``plateau``, which divides it by 5
        after ``n_iter_no_change`` / 2 epochs without a better loss (or, with ``early_stopping``, score).
    scale_X : bool
        Standardise the columns of X inside ``fit``; ``coefs_`` and ``intercepts_`` apply to raw columns.
    scale_y : bool
        Standardise y inside ``fit``; predictions, ``coefs_`` and ``intercepts_`` are for raw numbers, losses, ``alpha``
        and ``tol`` for standardised ones.
    checkpoint : folder
        Save the state of the fit in this folder. The same call of ``fit`` resumes from there.
    every : int or str
        How often to save: a number of epochs, or a time such as "60s".
    dropout : float, or one for each hidden layer
        The share of hidden neurons that each update of sgd, adam and adamw drops (in the NumPy engine).
    clip_norm : float | None
        Scale down gradients of sgd, adam and adamw whose norm is larger than this.
    bayesian : bool
        For lm: find ``alpha`` from the data during training (Bayesian regularisation), with y standardised inside. Of
        several ``restarts``, the one with the highest evidence is kept.
    restarts : int
        Train from this many starts and keep the best by loss (with ``early_stopping``, by validation score).
    warm_up : int
        The number of epochs over which the learning rate of sgd, adam and adamw rises to its initial value.
    scoring : None, "loss", str or callable
        The criterion for ``early_stopping`` and held-out samples: the estimator's own score, the negative loss, or a
        scikit-learn scorer, called as (estimator, X, y).
    time_limit : float | None
        Stop after this many seconds with the result so far; checked about ten times a second, or after each epoch.
    n_networks : int
        Train an ensemble of this many networks side by side on all cores, each from its own start and in its own order;
        predictions are their averages, and ``return_std`` gives their spread.
    callbacks : callable, or several
        Called after each epoch with an `Epoch` (number, loss, network, validation_loss, validation_score); training
        stops if one returns True.
    progress : bool, callable, or context manager that gives one
        As in `backpath.train`.
    engine : "auto", "numpy" or "compiled"
        As in `backpath.train`.

    Attributes
    ----------
    coefs_ : list of arrays
        The weights by layer, (inputs, neurons), without the biases.
    intercepts_ : list of arrays
        The biases by layer, (neurons,).
    loss_ : float
        The final loss, with the penalty; of several outputs the average over them (the sum for ``poisson``).
    loss_curve_ : list of float
        The loss of each epoch.
    best_loss_ : float | None
        The lowest loss; None with ``early_stopping`` of sgd, adam and adamw.
    validation_scores_ : list of float | None
        The score on held-out rows after each epoch; None without such rows.
    best_validation_score_ : float | None
        The best of these scores.
    n_iter_ : int
        The number of epochs; of lbfgs, iterations.
    t_ : int
        The number of rows that sgd, adam and adamw were trained on, each counted in every epoch.
    n_layers_ : int
        The number of layers, with the inputs and the outputs.
    n_outputs_ : int
        The number of outputs.
    out_activation_ : str
        The activation of the outputs.
    n_features_in_ : int
        The number of columns of X.
    feature_names_in_ : array of str
        The names of the columns of X, if all have one.
    validation_loss_curve_ : list of float
        The loss on held-out samples after each epoch, without the penalty.
    bayesian_ : Bayesian | None
        The result of Bayesian regularisation.
    stopped_ : str
        What ended the fit: "converged", "epochs", "time", "callback" or "interrupted".
    network_ : Network
        The fitted backpath network; of an ensemble, the best one.
    networks_ : list of Network
        All networks of an ensemble.

    Raises
    ------
    InputError
        From ``fit``, if an argument is not valid; a ValueError.
    DivergenceError
        From ``fit``, if training diverges; a ValueError.

    Examples
    --------
    >>> X = np.linspace(-1, 1, 50)[:, None]
    >>> model = MLPRegressor(hidden_layer_sizes=8, activation="tanh", solver="lbfgs", random_state=0)
    >>> model.fit(X, np.sin(np.pi * X.ravel())).score(X, np.sin(np.pi * X.ravel())) > 0.99
    True
    """

    _y_numeric = True

    @adds_to(Perceptron)
    def __init__(
        self,
        loss: Any = "squared_error",
        *shared: Any,
        scale_y: bool = False,
        quantiles: Sequence[float] = (0.05, 0.5, 0.95),
        output_range: tuple[float, float] | None = None,
        **settings: Any,
    ):
        super().__init__(*shared, **settings)
        self.loss = loss
        self.scale_y = scale_y
        self.quantiles = quantiles
        self.output_range = output_range

    @available_if(is_stochastic)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPRegressor:
        """Train for one epoch on these rows, starting from the last call's weights.

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
        MLPRegressor
            The estimator itself.
        """
        with unchanged_by_failure(self):
            self._fit(X, y, sample_weight, (None, None, None), incremental=True)
        return self

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """The predicted numbers.

        Quantiles that cross are sorted, which never raises the loss (Chernozhukov, Fernández-Val and Galichon,
        Econometrica 78 (2010)).

        Parameters
        ----------
        X : array-like, data frame or sparse matrix
            The rows, (N, features).
        return_std : bool
            Also return the spread of an ensemble's networks (``n_networks`` of at least 2).

        Returns
        -------
        array, or a pair
            (N,); for several outputs (N, outputs), and for several quantiles (N, quantiles). With ``return_std`` a
            pair: these, and their standard deviations over the networks.
        """
        A = self._in_order(self._outputs(X))
        found = A[:, 0] if A.shape[1] == 1 else A
        if not return_std:
            return found
        spread = self._spread(X)
        return found, spread[:, 0] if spread.shape[1] == 1 else spread

    def predict_interval(self, X: Any) -> Array:
        """The interval between the lowest and the highest of the ``quantiles``.

        With (0.05, 0.5, 0.95) that is an interval of 90%.

        Parameters
        ----------
        X : array-like, data frame or sparse matrix
            The rows, (N, features).

        Returns
        -------
        array
            (N, 2), the lower end first.

        Raises
        ------
        InputError
            If the loss is another one, or there is only one quantile.
        """
        if self.loss != "quantile" or len(self.quantiles) < 2:
            raise InputError(
                "predict_interval is for loss='quantile' with at least two quantiles, such as (0.05, 0.95)"
            )
        return self.predict(X)[:, [0, -1]]

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """R²; with ``loss="quantile"`` D², its counterpart for the pinball loss, averaged over the quantiles.

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
        float
            1 for perfect predictions, 0 for those of the best constant.
        """
        if self.loss != "quantile":
            return float(super().score(X, y, sample_weight))
        A = np.asarray(self.predict(X)).reshape(-1, len(self.quantiles))
        return self._pinball_score(A, np.asarray(y, np.float64).reshape(-1), sample_weight)

    def _pinball_score(self, A: Array, y: Array, weight: Any) -> float:
        from sklearn.metrics import d2_pinball_score

        scores = [
            d2_pinball_score(y, column, sample_weight=weight, alpha=tau)
            for column, tau in zip(A.T, self.quantiles, strict=True)
        ]
        return float(np.mean(scores))

    def _in_order(self, A: Array) -> Array:
        return np.sort(A, axis=1) if self.loss == "quantile" else A

    def _is_averaged(self) -> bool:
        return bool(self.loss != "poisson")

    def _cost_for(self, outputs: int) -> tuple[str, str]:
        output, cost = self._unbounded()
        if self.output_range is None:
            return output, cost
        low, high = self.output_range
        return (row_name("bounded", (low, high)) if high < np.inf else row_name("above", (low,))), cost

    def _trained_as(self, outputs: int) -> tuple[str, str]:
        output, cost = self._unbounded()
        if self.output_range is not None:
            output = "sigmoid" if self.output_range[1] < np.inf else "softplus"
        return output, cost

    def _unbounded(self) -> tuple[str, str]:
        """The output activation and the cost without ``output_range``."""
        if is_pair(self.loss):
            return "identity", own_cost(*self.loss)
        if self.loss == "quantile":
            return "identity", row_name("quantile", self.quantiles)
        return LOSSES[self.loss]

    def _scaling_of(self, samples: Samples) -> Scaling:
        if self.loss == "poisson" and (self.scale_y or self.output_range):
            raise InputError("the poisson loss needs unscaled counts; leave scale_y and output_range out")
        if self.output_range is None:  # α and β are of y whose size is about 1
            return Scaling.of(samples, self.scale_X, self.scale_y or self.bayesian)
        if self.scale_y:
            raise InputError("output_range scales y to its bounds; leave scale_y out")
        low, high = self.output_range
        if samples.y.min() < low or samples.y.max() > high:
            worst = samples.y.min() if samples.y.min() < low else samples.y.max()
            raise InputError(f"y must lie within output_range={self.output_range}, but contains {worst:g}")
        return Scaling.of(samples, self.scale_X, bounds=(float(low), float(high)))

    def _encoded(self, y: Any, first: bool, incremental: bool) -> NDArray[Any]:
        y = np.asarray(y)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        y = y.reshape(len(y), -1)
        if self.loss != "quantile":
            return y
        if y.shape[1] > 1:
            raise InputError(f"loss='quantile' is for one target, but y has {y.shape[1]}; fit one estimator for each")
        return np.repeat(y, len(self.quantiles), axis=1)

    def _score_of(self, A: Array, samples: Samples) -> float:
        if not np.isfinite(A).all():
            return float("nan")
        if self.loss == "quantile":
            return self._pinball_score(self._in_order(A), samples.y[:, 0], samples.weight)
        from sklearn.metrics import r2_score

        return float(r2_score(samples.y, A, sample_weight=samples.weight))
