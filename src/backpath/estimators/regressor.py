"""``MLPRegressor``"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils import column_or_1d
from sklearn.utils.metaestimators import available_if

from backpath.errors import InputError
from backpath.estimators.base import Perceptron, is_stochastic, unchanged_by_failure
from backpath.estimators.parameters import adds_to
from backpath.estimators.training_samples import Samples
from backpath.maths.arrays import Array

# loss -> the output activation and the cost
LOSSES = {
    "squared_error": ("identity", "half_squared_error"),
    "huber": ("identity", "huber"),
    "absolute_error": ("identity", "absolute_error"),
    "poisson": ("exp", "poisson"),
}


class MLPRegressor(RegressorMixin, Perceptron):  # type: ignore[misc] # scikit-learn has no types
    """A multi-layer perceptron that predicts numbers: scikit-learn's, trained by backpath.

    It minimises the loss, averaged over the samples, with the penalty α/2 ΣW² / N on all weights but the biases.

    Parameters
    ----------
    loss : "squared_error", "huber", "absolute_error" or "poisson"
        What an output A costs: (A - y)² / 2; for ``huber`` the same up to an error of 1, then abs(A - y) - ½; for
        ``absolute_error`` abs(A - y); for ``poisson``, of counts, y ln(y/A) - y + A, with the output activation exp.
        ``huber`` changes at an error of 1, so standardise y for it.
    hidden_layer_sizes : int or sequence of int
        Neurons by hidden layer.
    activation : str, or one for each hidden layer
        ``relu``, ``tanh``, ``logistic`` (also ``sigmoid``), ``identity``, ``leaky_relu``, ``elu``, ``gelu``, ``silu``,
        ``softplus``, ``exp``.
    solver : "adam", "sgd", "lbfgs" or "lm"
        ``lm`` (Levenberg-Marquardt), of ``squared_error``, is by far the soonest done with up to about a thousand
        weights; it takes all samples for each step and ends as sgd and adam do, or where no step lowers the loss.
    alpha, batch_size, learning_rate, learning_rate_init, power_t, max_iter, shuffle, random_state, tol, verbose, \
warm_start, momentum, nesterovs_momentum, early_stopping, validation_fraction, beta_1, beta_2, epsilon, \
n_iter_no_change, max_fun
        As in scikit-learn; the same ``random_state`` draws the same weights and batches.
    scale_X, scale_y : bool
        Standardise the columns of X, or y, inside the fit. ``coefs_`` and ``intercepts_`` are those for raw numbers;
        losses, ``alpha`` and ``tol`` are of standardised ones.
    checkpoint, every : folder, int or str
        Where to keep how the fit stands, and how often: epochs, or a time as "60s". The same fit goes on from there.
    dropout : float
        The share of hidden neurons that each update of sgd and adam leaves out (done by the NumPy engine).
    clip_norm : float | None
        A gradient of sgd and adam longer than that is scaled down to it.
    bayesian : bool
        For lm: find ``alpha`` from the data while training (Bayesian regularisation).
    restarts : int
        Train from that many starts and keep the best by loss (with ``early_stopping`` by validation score).
    callbacks : callable, or several
        Called after each epoch with an `Epoch` (number, loss, network, validation_loss, validation_score); training
        stops where one returns True.
    progress : bool, callable, or context manager that gives one
        As in `backpath.train`.
    engine : "auto", "numpy" or "compiled"
        As in `backpath.train`.

    Attributes
    ----------
    coefs_, intercepts_, loss_, loss_curve_, best_loss_, validation_scores_, best_validation_score_, n_iter_, t_, \
n_layers_, n_outputs_, out_activation_, n_features_in_, feature_names_in_
        As in scikit-learn; ``loss_`` of several outputs is the average over them (the sum for ``poisson``).
    validation_loss_curve_ : list of float
        The loss on held-out samples after each epoch, without the penalty.
    bayesian_ : None, or what Bayesian regularisation came to
        ``alpha``, ``beta`` and ``gamma``, the effective number of parameters.
    network_ : Network
        The fitted network as backpath's.

    Raises
    ------
    InputError, DivergenceError
        From ``fit``; both are ValueErrors.

    Examples
    --------
    >>> X = np.linspace(-1, 1, 50)[:, None]
    >>> model = MLPRegressor(hidden_layer_sizes=8, activation="tanh", solver="lbfgs", random_state=0)
    >>> model.fit(X, np.sin(np.pi * X.ravel())).score(X, np.sin(np.pi * X.ravel())) > 0.99
    True
    """

    _y_numeric = True

    @adds_to(Perceptron)
    def __init__(self, loss: str = "squared_error", *shared: Any, scale_y: bool = False, **settings: Any):
        super().__init__(*shared, **settings)
        self.loss = loss
        self.scale_y = scale_y

    def _scales_y(self) -> bool:
        if self.scale_y and self.loss == "poisson":
            raise InputError("the poisson loss is of counts as they are; leave scale_y out")
        return self.scale_y

    @available_if(is_stochastic)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> MLPRegressor:
        """One epoch on these rows, from where the last call ended.

        Parameters
        ----------
        X, y, sample_weight : see ``fit``
            The rows, their targets, and how much each row counts.

        Returns
        -------
        MLPRegressor
            The estimator itself.
        """
        with unchanged_by_failure(self):
            self._fit(X, y, sample_weight, (None, None, None), incremental=True)
        return self

    def predict(self, X: Any) -> Array:
        """The predicted numbers.

        Parameters
        ----------
        X : array-like, data frame or sparse matrix
            The rows, (N, features).

        Returns
        -------
        array
            (N,); for several outputs (N, outputs).
        """
        A = self._outputs(X)
        return A[:, 0] if A.shape[1] == 1 else A

    def _is_averaged(self) -> bool:
        return bool(self.loss != "poisson")

    def _cost_for(self, outputs: int) -> tuple[str, str]:
        return LOSSES[self.loss]

    def _encoded(self, y: Any, first: bool, incremental: bool) -> NDArray[Any]:
        y = np.asarray(y)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        return y.reshape(len(y), -1)

    def _score_of(self, A: Array, samples: Samples) -> float:
        if not np.isfinite(A).all():
            return float("nan")
        return float(r2_score(samples.y, A, sample_weight=samples.weight))
