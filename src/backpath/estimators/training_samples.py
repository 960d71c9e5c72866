"""Training samples: rows, targets and weights, validated and converted for backpath; and a check of their scales."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils import check_array

from backpath.errors import InputError
from backpath.maths.arrays import Array
from backpath.maths.checks import machine_memory

WILD = 1e4  # the largest allowed ratio between columns' largest numbers
_NAMED = 3  # columns in a warning
DENSE_BYTES, SPARSE = 2**25, 10  # sparse rows become dense up to this many bytes, or if they grow at most this much


@dataclass(frozen=True)
class Samples:
    """Rows X (N, inputs), encoded targets y (N, outputs), weights (N,) or None, all of the same number type."""

    X: Array
    y: Array
    weight: Array | None = None

    def __len__(self) -> int:
        return len(self.y)

    def part(self, rows: NDArray[np.intp]) -> Samples:
        return Samples(self.X[rows], self.y[rows], None if self.weight is None else self.weight[rows])


def prepared_rows(X: Any, may_stay_sparse: bool) -> Any:
    """Rows for training, in the memory order of the engines; large sparse rows stay sparse if dense ones would be much
    larger."""
    if (
        may_stay_sparse
        and sparse.issparse(X)
        and X.shape[0] * X.shape[1] * X.dtype.itemsize > max(DENSE_BYTES, SPARSE * X.data.nbytes)
    ):
        X.sort_indices()
        return X
    return dense(X)


def dense(X: Any) -> Array:
    """Rows as an array in the memory order of the engines; refuses rows that do not fit into memory."""
    if not sparse.issparse(X):
        return np.ascontiguousarray(X)
    needed = X.shape[0] * X.shape[1] * X.dtype.itemsize
    if needed > machine_memory():
        raise InputError(
            f"sparse rows are made dense for training, and {X.shape[0]:,} × {X.shape[1]:,} need {needed >> 30:,} GiB, "
            f"but this machine has {machine_memory() >> 30:,}; reduce the columns, or use partial_fit on blocks of rows"
        )
    return np.ascontiguousarray(X.toarray())


def sample_weights(given: Any, count: int, number: np.dtype[Any]) -> Array | None:
    """The weights of ``count`` samples as an array (count,), or None."""
    if given is None:
        return None
    if isinstance(given, Real):
        given = np.full(count, given, number)
    weight: Array = check_array(given, ensure_2d=False, dtype=number, input_name="sample_weight")
    if weight.shape != (count,):
        raise InputError(f"sample_weight must have shape ({count},), one for each sample, but has {weight.shape}")
    if (weight < 0).any():
        raise InputError(f"sample_weight must be numbers of at least 0, but contains {weight.min():g}")
    if not weight.any():
        raise InputError("every sample_weight is zero, so there is nothing to train on; set some above 0")
    return weight


def column_sizes(X: Array) -> Array:
    """The largest |x| of each column."""
    if sparse.issparse(X):
        return np.asarray(abs(X).max(axis=0).toarray()).ravel()
    return np.maximum(X.max(axis=0), -X.min(axis=0))


def warn_of_scales(sizes: Array, names: Sequence[str] | None) -> None:
    """Warn of columns with very different scales, because gradient descent hardly uses the small ones."""
    filled = np.flatnonzero(sizes)
    if len(filled) < 2:
        return
    order = filled[np.argsort(sizes[filled], kind="stable")]
    low, high = float(sizes[order[0]]), float(sizes[order[-1]])
    if high <= WILD * low:
        return

    def named(columns: NDArray[np.intp]) -> str:
        shown = [f"{names[k] if names is not None else f'column {k}'} ({sizes[k]:.3g})" for k in columns[:_NAMED]]
        return ", ".join(shown) + (f" and {len(columns) - _NAMED} more" if len(columns) > _NAMED else "")

    large = order[::-1][sizes[order[::-1]] > WILD * low]
    small = order[sizes[order] * WILD < high]
    warnings.warn(
        f"the columns' scales differ widely: the largest numbers are in {named(large)}, the smallest in "
        f"{named(small)} (largest of each in brackets); standardise them, as sklearn.preprocessing.StandardScaler does",
        UserWarning,
        stacklevel=4,
    )
