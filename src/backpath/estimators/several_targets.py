"""Several targets, each with its own classes, as groups of outputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpath.errors import InputError
from backpath.maths.arrays import Array, Indices


class SeveralTargets:
    """Encodes several targets, each with its own classes, as groups of outputs.

    Attributes
    ----------
    classes_ : list of arrays
    sizes : list of int
        The sizes of the groups.
    """

    def __init__(self, classes: Sequence[Any]):
        self.classes_ = [np.asarray(own) for own in classes]
        self.sizes = [len(own) for own in self.classes_]

    def split(self, A: Array) -> list[Array]:
        """Outputs (N, outputs) by target."""
        return np.split(A, np.cumsum(self.sizes)[:-1], axis=1)

    def places(self, A: Array) -> Indices:
        """The number of the most probable class, (N, targets)."""
        return np.column_stack([group.argmax(axis=1) for group in self.split(A)])

    def transform(self, y: Any) -> NDArray[Any]:
        columns = np.asarray(y).T
        for k, (column, own) in enumerate(zip(columns, self.classes_, strict=True)):
            if not set(np.unique(column)) <= set(own):
                raise InputError(
                    f"column {k} of y has classes that are not among {own}; fit again with samples of them"
                )
        return np.hstack([column[:, None] == own for column, own in zip(columns, self.classes_, strict=True)])

    def inverse_transform(self, A: Array) -> NDArray[Any]:
        return np.column_stack([own[k] for own, k in zip(self.classes_, self.places(A).T, strict=True)])
