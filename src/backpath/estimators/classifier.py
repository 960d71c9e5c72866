"""``MLPClassifier``"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import issparse
from sklearn.base import ClassifierMixin
from sklearn.utils import column_or_1d
from sklearn.utils.class_weight import compute_sample_weight
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, type_of_target, unique_labels

from backpath.errors import InputError
from backpath.estimators.base import Perceptron, is_stochastic, unchanged_by_failure
from backpath.estimators.parameters import adds_to
from backpath.estimators.several_targets import SeveralTargets
from backpath.estimators.training_samples import Samples
from backpath.maths.arrays import Array
from backpath.maths.families import row_name


def _labels_of(y: Any) -> Any:
    """The encoder for several targets or for multi-label targets; None if each row has one class."""
    if np.ndim(y) < 2 and not issparse(y):
        return None
    from sklearn.preprocessing import LabelBinarizer

    if type_of_target(y) == "multiclass-multioutput":
        return SeveralTargets([np.unique(column) for column in np.asarray(y).T])
    return LabelBinarizer().fit(y)


class MLPClassifier(ClassifierMixin, Perceptron):  # type: ignore[misc] # scikit-learn has no types
    """A multi-layer perceptron for classification: scikit-learn's interface, trained by backpath.

    It minimises the log-loss, averaged over the samples, with the penalty α/2 ΣW² / N on all weights but the biases.
    Two classes give one ``logistic`` output, more classes ``softmax`` outputs. Several class columns give softmax
    outputs for each (trained by the NumPy engine), and multi-label targets one ``logistic`` output per label.

    Parameters and attributes with a name from scikit-learn have the same meaning there.

    Parameters
    ----------
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
        ``lm`` (Levenberg-Marquardt) minimises the squared error against 0 and 1 instead of the log-loss.
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
    class_weight : None, "balanced", dict, or list of dicts
        The weight of each class, multiplied by ``sample_weight``; "balanced" weights all classes equally. A list has a
        dict for each target.
    scale_X : bool
        Standardise the columns of X inside ``fit``; ``coefs_`` and ``intercepts_`` apply to raw columns.
    checkpoint : folder
        Save the state of the fit in this folder. The same call of ``fit`` resumes from there.
    every : int or str
        How often to save: a number of epochs, or a time such as "60s".
    dropout : float, or one for each hidden layer
        The share of hidden neurons that each update of sgd, adam and adamw drops (in the NumPy engine).
    clip_norm : float | None
        Scale down gradients of sgd, adam and adamw whose norm is larger than this.
    bayesian : bool
        For lm: find ``alpha`` from the data during training (Bayesian regularisation). Of several ``restarts``, the one
        with the highest evidence is kept.
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
    classes_ : array, or list of arrays
        The classes, sorted; for several targets, those of each.
    coefs_ : list of arrays
        The weights by layer, (inputs, neurons), without the biases.
    intercepts_ : list of arrays
        The biases by layer, (neurons,).
    loss_ : float
        The final loss, with the penalty.
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
    >>> X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], ["same", "other", "other", "same"]
    >>> model = MLPClassifier(8, "tanh", solver="lbfgs", random_state=0).fit(X, y)
    >>> model.predict([[0, 1], [1, 1]]).tolist()
    ['other', 'same']
    >>> model.explain([0, 1], "other", "W11_2").gradient < 0.01
    True
    """

    _labels: Any = None

    @adds_to(Perceptron)
    def __init__(self, *shared: Any, class_weight: Any = None, **settings: Any):
        super().__init__(*shared, **settings)
        self.class_weight = class_weight

    @available_if(is_stochastic)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> MLPClassifier:
        """Train for one epoch on these rows, starting from the last call's weights.

        Parameters
        ----------
        X : array-like, data frame or sparse matrix
            The rows, (N, features).
        y : array-like
            Their targets, as in ``fit``.
        sample_weight : array-like
            How much each row counts, (N,).
        classes : array-like
            All classes, needed at the first call. A list of arrays for several targets.

        Returns
        -------
        MLPClassifier
            The estimator itself.

        Raises
        ------
        InputError
            If ``classes`` is missing at the first call, or differs in a later one.
        """
        with unchanged_by_failure(self):
            if not hasattr(self, "classes_"):
                if classes is None:
                    raise InputError("classes must be passed on the first call to partial_fit")
                if isinstance(classes, list) and classes and np.ndim(classes[0]) == 1:
                    self._labels = SeveralTargets([np.unique(own) for own in classes])
                    self.classes_ = self._labels.classes_
                else:
                    self._labels = _labels_of(y)
                    self.classes_ = unique_labels(classes)
            elif isinstance(self._labels, SeveralTargets):
                pass  # the classes of the first call count
            elif classes is not None and not np.array_equal(self.classes_, unique_labels(classes)):
                raise InputError(f"classes must be those of the first call, {self.classes_}, but are {classes!r}")
            self._fit(X, y, sample_weight, (None, None, None), incremental=True)
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """The most probable class of each row.

        Parameters
        ----------
        X : array-like, data frame or sparse matrix
            The rows, (N, features).

        Returns
        -------
        array
            Classes, (N,); for multi-label targets 0 and 1, (N, labels).
        """
        A = self._outputs(X)
        if self._labels is not None:
            return self._labels.inverse_transform(A)
        if self._holds_labels_together(A):
            return (A > 0.5).astype(np.intp)
        places = A.argmax(axis=1) if A.shape[1] > 1 else (A[:, 0] > 0.5).astype(np.intp)
        return self.classes_[np.minimum(places, len(self.classes_) - 1)]

    def predict_proba(self, X: Any, return_std: bool = False) -> Any:
        """The probability of each class.

        Parameters
        ----------
        X : array-like, data frame or sparse matrix
            The rows, (N, features).
        return_std : bool
            Also return the spread of an ensemble's networks (``n_networks`` of at least 2).

        Returns
        -------
        array, list of arrays, or a pair
            (N, classes), in the order of ``classes_``; for several targets one array each. With ``return_std`` a pair:
            these, and their standard deviations over the networks.
        """
        found = self._probabilities(self._outputs(X))
        if not return_std:
            return found
        spread = self._spread(X)
        alone = spread.shape[1] == 1 and self._labels is None
        return found, np.column_stack([spread, spread]) if alone else self._by_target(spread)

    def _probabilities(self, A: Array) -> Any:
        if A.shape[1] == 1 and self._labels is None:
            return np.column_stack([1 - A[:, 0], A[:, 0]])
        return self._by_target(A)

    def _by_target(self, A: Array) -> Any:
        """The raw outputs; for several targets with classes, a list by target."""
        return self._labels.split(A) if isinstance(self._labels, SeveralTargets) else A

    def _holds_labels_together(self, A: Array) -> bool:
        """Whether weights that were set by hand are for multi-label targets: several logistic outputs."""
        return "_labels" not in vars(self) and A.shape[1] > 1 and self._activations()[-1] == "sigmoid"

    def predict_log_proba(self, X: Any) -> Any:
        """The natural logarithm of the probability of each class.

        Parameters
        ----------
        X : array-like, data frame or sparse matrix
            The rows, (N, features).

        Returns
        -------
        array, or list of arrays
            (N, classes), in the order of ``classes_``; for several targets one array each.
        """
        with np.errstate(divide="ignore"):
            found = self.predict_proba(X)
            return [np.log(each) for each in found] if isinstance(found, list) else np.log(found)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The share of rows that are predicted correctly; with several targets or labels, all of them must be.

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
            From 0 to 1.
        """
        if not isinstance(self._labels, SeveralTargets):
            return float(super().score(X, y, sample_weight))
        return float(np.average((self.predict(X) == np.asarray(y)).all(axis=1), weights=sample_weight))

    def _cost_for(self, outputs: int) -> tuple[str, str]:
        if isinstance(self._labels, SeveralTargets):
            groups = self._labels.sizes
            cost = "half_squared_error" if self.solver == "lm" else row_name("categorical_cross_entropy", groups)
            return row_name("softmax", groups), cost
        several = outputs > 1 and self._labels is None
        output, cost = ("softmax", "categorical_cross_entropy") if several else ("sigmoid", "binary_cross_entropy")
        return output, "half_squared_error" if self.solver == "lm" else cost

    def _encoded(self, y: Any, first: bool, incremental: bool) -> NDArray[Any]:
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if not hasattr(self, "classes_") or not (self.warm_start or incremental):
            check_classification_targets(y)
            self._labels = _labels_of(y)
            self.classes_ = np.unique(y) if self._labels is None else self._labels.classes_
        elif not isinstance(self._labels, SeveralTargets):
            self._check_classes(unique_labels(y), incremental)
        if self._labels is not None:
            return np.asarray(self._labels.transform(y))
        places = np.searchsorted(self.classes_, y)
        return places[:, None] if len(self.classes_) < 3 else places[:, None] == np.arange(len(self.classes_))

    def _check_classes(self, classes: NDArray[Any], incremental: bool) -> None:
        if not incremental and set(classes) != set(self.classes_):
            raise InputError(
                "warm_start can only be used where `y` has the same classes as in the previous call to fit. Previously "
                f"got {self.classes_}, `y` has {classes}"
            )
        if not set(classes) <= set(self.classes_):
            raise InputError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes_}. 'y' has {classes}."
            )

    def _class_weighted(self, y: Any, weight: Array | None, incremental: bool, number: np.dtype[Any]) -> Array | None:
        if self.class_weight is None:
            return weight
        if incremental and not isinstance(self.class_weight, dict):
            raise InputError("partial_fit supports only a dict as class_weight; 'balanced' needs all samples at once")
        own: Array = compute_sample_weight(self.class_weight, y).astype(number)
        return own if weight is None else own * weight

    def _is_stratified(self, samples: Samples) -> bool:
        return samples.y.shape[1] == 1

    def _score_of(self, A: Array, samples: Samples) -> float:
        if not np.isfinite(A).all():
            return float("nan")
        if isinstance(self._labels, SeveralTargets):
            found, wanted = self._labels.places(A), self._labels.places(samples.y)
            right = (found == wanted).all(axis=1)
        elif samples.y.shape[1] > 1 and self._labels is None:
            right = A.argmax(axis=1) == samples.y.argmax(axis=1)
        else:
            right = ((A > 0.5) == (samples.y > 0.5)).all(axis=1)
        return float(np.average(right, weights=samples.weight))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
