"""Converts a user's X and y to checked arrays of shape (N, inputs) and (N, outputs)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from backpath.errors import InputError
from backpath.maths.arrays import Array
from backpath.maths.checks import are_finite, is_masked

SOME_ROWS = 1000  # rows enough to estimate the scale
SCALED = 2  # a column with a larger root mean square needs standardising (a standardised one has 1)


def as_inputs(X: ArrayLike, inputs: int, dtype: np.dtype[Any]) -> tuple[Array, bool]:
    """X as (N, inputs), and whether it was a single input of shape (inputs,)."""
    array = _numbers(X, "X", dtype)
    if array.ndim == 2 and array.shape[1] == inputs:
        return array, False
    if array.ndim == 1 and len(array) == inputs:
        return array[None], True
    wanted = f"expected {inputs} numbers for one input, or a batch of shape (N, {inputs})"
    if array.ndim not in (1, 2):
        raise InputError(f"{wanted}, but X has shape {array.shape}")
    raise InputError(f"{wanted}, but X has {array.shape[-1]} numbers{'' if array.ndim == 1 else ' in a row'}")


def as_targets(y: ArrayLike, samples: int, outputs: int, single: bool, dtype: np.dtype[Any]) -> Array:
    """y as (N, outputs), also from (N,) for one output, and (outputs,) or a number for one sample."""
    array = _numbers(y, "y", dtype)
    if single and array.shape in ((), (outputs,), (1, outputs)):
        if array.size == outputs:
            return array.reshape(1, outputs)
    elif array.shape == (samples, outputs) or (outputs == 1 and array.shape == (samples,)):
        return array.reshape(samples, outputs)
    wanted = f"({outputs},)" if single else f"({samples}, {outputs})"
    raise InputError(f"y must have shape {wanted} to fit X and the network's outputs, but has shape {array.shape}")


def _numbers(values: ArrayLike, name: str, dtype: np.dtype[Any]) -> Array:
    if is_masked(values):
        raise InputError(f"{name} must be a plain array, but is masked; fill in or leave out what is masked")
    try:
        raw = np.asarray(values)
        if raw.dtype.kind not in "fiub":
            raise TypeError
        array = raw if raw.dtype == dtype else _converted(raw, dtype)
    except (TypeError, ValueError):
        raise InputError(f"{name} must be numbers in rows of equal length, but is {_short(values)}") from None
    if array.size == 0:
        raise InputError(f"{name} must hold at least one sample, but has shape {array.shape}")
    if not are_finite(array):
        place = tuple(map(int, np.argwhere(~np.isfinite(array))[0]))
        where = ", ".join(f"{axis} {k}" for axis, k in zip(("row", "column")[-array.ndim :], place, strict=False))
        raise InputError(f"{name} must be finite in {dtype}, but contains {raw[place]}{' in ' if where else ''}{where}")
    return array


def _converted(raw: NDArray[Any], dtype: np.dtype[Any]) -> Array:
    with np.errstate(over="ignore"):  # overflow is reported by name
        return raw.astype(dtype)


def _short(values: object) -> str:
    text = repr(values).replace("\n", " ")
    return text if len(text) <= 60 else text[:57] + "…"


def large_parts(X: Array, y: Array) -> str:
    """Which of the two would be smaller if standardised.

    >>> large_parts(np.array([[0.0], [1.0]]), np.array([[0.0], [900.0]])), large_parts(np.eye(2), np.eye(2))
    ('target', '')
    """
    with np.errstate(over="ignore", invalid="ignore"):
        large = [
            what
            for what, numbers in (("inputs", X), ("target", y))
            if (np.square(numbers[:SOME_ROWS], dtype=np.float64).mean(axis=0) > SCALED**2).any()
        ]
    return " and the ".join(large)
