"""Checks a caller's arrays of weights against each other, and reads their printed digits."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from backpath.errors import InputError
from backpath.maths.arrays import Array
from backpath.maths.checks import float_type, weight_array
from backpath.maths.printed import printed_array

# one unit of the last printed digit by weight, 0 for a plain number; None if none was printed
PrintedUnits = tuple[Array, ...] | None


def read_layers(
    weights: Sequence[ArrayLike], dtype: DTypeLike | None, biases: bool | None
) -> tuple[list[Array], PrintedUnits, bool]:
    """The arrays, their printed digits, and whether they have a bias column (see ``Network.from_weights``)."""
    if not isinstance(weights, Sequence | np.ndarray):
        raise InputError(f"weights must hold an array per layer, but are of type {type(weights).__name__}")
    number = float_type(_common_type(weights) if dtype is None else dtype)
    read = [printed_array(W, f"layer {layer}'s weights") for layer, W in enumerate(weights, 1)]
    arrays = [weight_array(W, layer, number, biases=biases is True) for layer, (W, _) in enumerate(read, 1)]
    if not arrays:
        raise InputError("weights must hold an array per layer, but there is none")
    if biases is None:
        biases = _have_biases(arrays)
        arrays = [weight_array(W, layer, number, biases) for layer, W in enumerate(arrays, 1)]
    _check_fit(arrays, biases)
    return arrays, _units(arrays, [unit for _, unit in read]), biases


def _have_biases(arrays: Sequence[Array]) -> bool:
    """Whether a layer has more columns than the layer before it has neurons; one layer alone has biases."""
    return len(arrays) == 1 or any(W.shape[1] != len(before) for before, W in itertools.pairwise(arrays))


def _units(arrays: Sequence[Array], units: Sequence[Array | None]) -> PrintedUnits:
    if all(unit is None for unit in units):
        return None
    return tuple(np.zeros(W.shape) if unit is None else unit for unit, W in zip(units, arrays, strict=True))


def _common_type(weights: Sequence[ArrayLike]) -> str:
    given = [getattr(W, "dtype", None) for W in weights]
    return "float32" if given and all(dtype == np.float32 for dtype in given) else "float64"


def _check_fit(arrays: Sequence[Array], biases: bool) -> None:
    """Check that each layer has a column for each neuron of the layer before it, and one for the bias."""
    for layer, (before, W) in enumerate(itertools.pairwise(arrays), 2):
        if W.shape[1] != len(before) + biases:
            raise InputError(
                f"layer {layer}'s weights must have {len(before) + biases} columns (the {len(before)} neurons of "
                f"layer {layer - 1}{' and the bias' if biases else ''}), but have shape {W.shape}"
            )
