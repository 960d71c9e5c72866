"""The fitted network: predictions and explanations."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from backpath.errors import InputError
from backpath.estimators.parameters import SKLEARN_NAMES, hidden_activations
from backpath.estimators.training_samples import Samples
from backpath.files.column_inputs import NumberInput
from backpath.files.models import Model
from backpath.files.preparation import Preparation, Target
from backpath.maths.activations import activation
from backpath.maths.arrays import Array
from backpath.maths.network import Network
from backpath.training.prediction import predict
from backpath.version import __version__

if TYPE_CHECKING:
    from backpath.explain.derivation import Evaluation

Layers = list[tuple[Array, Array]]  # coefficients (inputs, neurons) and intercepts (neurons,)

_PREDICT_ROWS = 500  # rows at a time, so that their layers stay in the processor's cache


class PredictingEstimator(BaseEstimator, ABC):  # type: ignore[misc] # scikit-learn has no types
    """A network with scikit-learn's fitted attributes; a subclass defines the meaning of its outputs."""

    @abstractmethod
    def _cost_for(self, outputs: int) -> tuple[str, str]:
        """The output activation and the cost for this many outputs."""

    @abstractmethod
    def _encoded(self, y: Any, first: bool, incremental: bool) -> NDArray[Any]:
        """Targets in the form of the outputs, (N, outputs)."""

    @abstractmethod
    def _score_of(self, A: Array, samples: Samples) -> float:
        """Accuracy or R² of outputs A (N, outputs)."""

    def _encoded_again(self, y: Any) -> NDArray[Any]:
        if sparse.issparse(y):
            y = y.toarray()
        return self._encoded(y if hasattr(y, "ndim") else np.asarray(y), False, True)

    def _weights(self) -> list[Array]:
        return [np.column_stack([C.T, b]) for C, b in zip(self.coefs_, self.intercepts_, strict=True)]

    @property
    def network_(self) -> Network:
        """The fitted backpath network, which can be saved, explained and trained further."""
        check_is_fitted(self, "coefs_")
        return self._network(list(zip(self.coefs_, self.intercepts_, strict=True)))

    @property
    def networks_(self) -> list[Network]:
        """All networks of an ensemble, the best first; without ``n_networks``, the only network."""
        return [self.network_, *map(self._network, self._others())]

    def _network(self, layers: Layers) -> Network:
        weights = [np.column_stack([C.T, b]) for C, b in layers]
        return Network.from_weights(weights, self._activations(), dtype=self.coefs_[0].dtype)

    def as_model(self) -> Model:
        """The network with its cost and the names of features and classes.

        Returns
        -------
        Model
            For ``backpath.save``.
        """
        network = self.network_
        features = network.sizes[0]
        names = getattr(self, "feature_names_in_", [f"X{k}" for k in range(1, features + 1)])
        classes = tuple(map(str, getattr(self, "classes_", ())))
        single = len(classes) == (2 if network.sizes[-1] == 1 else network.sizes[-1])
        task = "binary" if len(classes) == 2 else "multiclass"
        target = Target("y", task, classes=classes) if classes and single else Target("y", "regression")
        columns = tuple(NumberInput(str(name)) for name in names)
        preparation = Preparation(columns, target) if target.outputs == network.sizes[-1] else None
        return Model(network, preparation, {"cost": self._cost_for(network.sizes[-1])[1]})

    def _activations(self) -> tuple[str, ...]:
        """σ by layer; the last one is ``out_activation_``, which may have been set by hand."""
        hidden = hidden_activations(self.activation, len(self.coefs_) - 1)
        output = getattr(self, "out_activation_", None) or self._cost_for(self.coefs_[-1].shape[1])[0]
        return (*hidden, SKLEARN_NAMES.get(output, output))

    def explain(self, X_row: Any, y: Any, weight: str) -> Evaluation:
        """∂C/∂W of one weight for one row, with the numbers in every factor of the chain rule.

        Parameters
        ----------
        X_row : array-like
            One row of features.
        y : class or number, or a sequence of them
            Its target; several for several outputs.
        weight : str
            A weight's name, as in ``W21_1`` (layer 1, to neuron 2, from input 1).

        Returns
        -------
        Evaluation
            Of an ensemble's first network, without the penalty ``alpha``.
        """
        from backpath.explain.derivation import derive

        network = self.network_
        x = np.asarray(X_row, dtype=network.dtype).reshape(-1)
        names = getattr(self, "feature_names_in_", None)
        labels = None if names is None else {f"X{k}": str(name) for k, name in enumerate(names, 1)}
        cost = self._cost_for(network.sizes[-1])[1]
        if network.activations[-1].startswith("softmax("):
            raise InputError(
                "explain supports one target with classes, but this estimator has several; fit one for each target"
            )
        target = self._encoded_again(np.asarray(y).reshape(1, -1) if np.ndim(y) else np.asarray([y]))
        return derive(network, weight, cost, labels=labels).evaluate(x, target[0].astype(network.dtype))

    def _outputs(self, X: Any) -> Array:
        """The outputs A (N, outputs) of rows in any form that scikit-learn accepts."""
        if not self._is_plain(X):
            check_is_fitted(self, "coefs_")
            X = validate_data(self, X, accept_sparse="csr", reset=False)
        A = self._of_one(X, list(zip(self.coefs_, self.intercepts_, strict=True)))
        others = self._others()
        return A if not others else np.mean([A, *(self._of_one(X, layers) for layers in others)], axis=0, dtype=A.dtype)

    def _others(self) -> list[Layers]:
        """The other networks of an ensemble."""
        return [[(W[:, :-1].T, W[:, -1]) for W in weights] for weights in getattr(self, "_members", [])]

    def _spread(self, X: Any) -> Array:
        """The standard deviation of the networks' outputs, (N, outputs)."""
        if not self._others():
            raise InputError("return_std is the spread of several networks, but there is one; fit with n_networks=5")
        self._outputs(X[:1])  # checks X
        X = validate_data(self, X, accept_sparse="csr", reset=False)
        every = [list(zip(self.coefs_, self.intercepts_, strict=True)), *self._others()]
        return np.std([self._of_one(X, layers) for layers in every], axis=0)

    def _of_one(self, X: Any, layers: Layers) -> Array:
        count, number = X.shape[0], self.coefs_[0].dtype
        if count <= _PREDICT_ROWS:
            return self._forward(X.astype(number, copy=False), layers)
        if not sparse.issparse(X):
            return predict(self._network(layers), X)
        A = np.empty((count, len(layers[-1][1])), number)
        for start in range(0, count, _PREDICT_ROWS):
            rows = slice(start, start + _PREDICT_ROWS)
            A[rows] = self._forward(X[rows].astype(number, copy=False), layers)
        return A

    def _is_plain(self, X: Any) -> bool:
        """Whether X has the form that the fitted network needs, so that checks can be skipped; they would take most of
        the time for a single row."""
        return (
            type(X) is np.ndarray
            and X.dtype.char in "df"
            and X.ndim == 2
            and X.shape[0] > 0
            and X.shape[1] == getattr(self, "n_features_in_", None)
            and hasattr(self, "coefs_")
            and not hasattr(self, "feature_names_in_")
            and bool(np.isfinite(X).all())
        )

    def _forward(self, X: Array, layers: Layers) -> Array:
        a = X  # a sparse matrix is multiplied directly
        with np.errstate(over="ignore", invalid="ignore"):
            for (C, b), name in zip(layers, self._activations(), strict=True):
                u = a @ C
                u += b
                a = activation(name).value(u)
        return a

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "_backpath_version": __version__}

    def __setstate__(self, state: dict[str, Any]) -> None:
        version = state.pop("_backpath_version", "of an unknown version")
        if version != __version__:
            warnings.warn(
                f"this {type(self).__name__} was pickled by backpath {version}, and this is {__version__}: it may "
                "predict other values or fail; fit it again",
                UserWarning,
                stacklevel=2,
            )
        super().__setstate__(state)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
