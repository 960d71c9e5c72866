"""The fitted network: what it predicts, and why."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from backpath.estimators.parameters import SKLEARN_NAMES, hidden_activations
from backpath.estimators.training_samples import Samples
from backpath.explain.derivation import Evaluation, derive
from backpath.maths.activations import activation
from backpath.maths.arrays import Array
from backpath.maths.network import Network
from backpath.training.prediction import predict
from backpath.version import __version__

PREDICT_ROWS = 500  # through the network at a time: their layers stay in the processor's cache


class PredictingEstimator(BaseEstimator, ABC):  # type: ignore[misc] # scikit-learn has no types
    """A network behind scikit-learn's fitted attributes; a subclass says what its outputs mean."""

    @abstractmethod
    def _cost_for(self, outputs: int) -> tuple[str, str]:
        """The output activation and the cost of that many outputs."""

    @abstractmethod
    def _encoded(self, y: Any, first: bool, incremental: bool) -> NDArray[Any]:
        """Targets as the outputs should be, (N, outputs)."""

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
        """The fitted network as backpath's: it can be saved, explained, trained on."""
        check_is_fitted(self, "coefs_")
        return Network.from_weights(self._weights(), self._activations(), dtype=self.coefs_[0].dtype)

    def _activations(self) -> tuple[str, ...]:
        """σ by layer; that of the outputs is ``out_activation_``, which may have been set by hand."""
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
            Without the penalty ``alpha``.
        """
        network = self.network_
        x = np.asarray(X_row, dtype=network.dtype).reshape(-1)
        names = getattr(self, "feature_names_in_", None)
        labels = None if names is None else {f"X{k}": str(name) for k, name in enumerate(names, 1)}
        cost = self._cost_for(network.sizes[-1])[1]
        target = self._encoded_again(np.asarray(y).reshape(1, -1) if np.ndim(y) else np.asarray([y]))
        return derive(network, weight, cost, labels=labels).evaluate(x, target[0].astype(network.dtype))

    def _outputs(self, X: Any) -> Array:
        """The outputs A (N, outputs) of rows that may be anything scikit-learn takes."""
        if not self._is_plain(X):
            check_is_fitted(self, "coefs_")
            X = validate_data(self, X, accept_sparse="csr", reset=False)
        count, number = X.shape[0], self.coefs_[0].dtype
        if count <= PREDICT_ROWS:
            return self._forward(X.astype(number, copy=False))
        if not sparse.issparse(X):
            return predict(self.network_, X)
        A = np.empty((count, self.coefs_[-1].shape[1]), number)
        for start in range(0, count, PREDICT_ROWS):
            rows = slice(start, start + PREDICT_ROWS)
            A[rows] = self._forward(X[rows].astype(number, copy=False))
        return A

    def _is_plain(self, X: Any) -> bool:
        """Whether X is such rows as the fitted network takes, with nothing left to check: most of the time that a row
        takes would go there."""
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

    def _forward(self, X: Array) -> Array:
        a = X  # a sparse one is multiplied as it is
        with np.errstate(over="ignore", invalid="ignore"):
            for C, b, name in zip(self.coefs_, self.intercepts_, self._activations(), strict=True):
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
