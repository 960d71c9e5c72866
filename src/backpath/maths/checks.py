"""Validation of sizes, activations, weights, learning rates and so on."""

from __future__ import annotations

import itertools
import math
import os
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from backpath.errors import InputError
from backpath.maths.activations import activation as activation_row
from backpath.maths.arrays import Array

_MOST_WEIGHTS = 10**9
MOST_COUNT = 2**63 - 1
FITS_ANYWHERE = 2**24  # bytes that fit on every machine, so that its memory is not queried


def as_given(value: object) -> str:
    """A value in a message.

    >>> as_given("3"), as_given(10**5000)
    ("'3'", 'a number of over 4,300 digits')
    """
    try:
        return repr(value)
    except ValueError:  # Python writes no longer whole numbers
        return f"a number of over {sys.get_int_max_str_digits():,} digits"


def check_sizes(sizes: Sequence[int]) -> tuple[int, ...]:
    """Sizes as a tuple of at least two whole numbers, each at least 1."""
    try:
        whole = tuple(int(n) for n in sizes)
        if any(w != n for w, n in zip(whole, sizes, strict=True)):
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"sizes must be whole numbers, as in (2, 2, 1), but are {as_given(sizes)}", "sizes") from None
    if len(whole) < 2 or min(whole) < 1:
        raise InputError(
            f"sizes must be at least two numbers (inputs, …, outputs), each at least 1, but are {as_given(whole)}",
            "sizes",
        )
    return whole


def check_number(
    value: object, name: str, *, above: float = -math.inf, least: float = -math.inf, below: float = math.inf
) -> float:
    """A finite number from outside (Python's, NumPy's or a 0-d array's) as a float.

    >>> check_number(np.array(3), "learning_rate", above=0)
    3.0
    """
    number = _as_float(value)
    if math.isfinite(number) and above < number < below and number >= least:
        return number
    limits = (("above", above), ("of at least", least), ("below", below))
    bounds = [f"{word} {limit:g}" for word, limit in limits if math.isfinite(limit)]
    wanted = f"a number {' and '.join(bounds)}" if bounds else "a finite number"
    raise InputError(f"{name} must be {wanted}, but is {as_given(value)}", name)


def _as_float(value: object) -> float:
    """A number as a float; NaN for anything else."""
    try:
        plain = type(value) is float or type(value) is int
        if not plain and (isinstance(value, (bool, np.bool_, str, bytes)) or np.ndim(value)):  # type: ignore[arg-type] # may be anything
            raise TypeError
        return float(value)  # type: ignore[arg-type] # raises for anything that is not a number
    except (TypeError, ValueError, OverflowError):
        return math.nan


_FEW = 4096  # numbers; for fewer, a library call costs more than a loop


def are_finite(array: Array) -> bool:
    """Whether all of an array's numbers are finite.

    >>> are_finite(np.array([1e300, 0.0])), are_finite(np.array([np.nan]))
    (True, False)
    """
    if array.size <= _FEW and math.isfinite(np.vdot(array, array)):  # else one is not finite, or a square overflows
        return True
    return bool(np.isfinite(array).all())


def check_seed(seed: int | None) -> None:
    """Refuse a seed that is neither None nor a whole number of at least 0."""
    whole = isinstance(seed, (int, np.integer)) and not isinstance(seed, bool)
    if seed is not None and not (whole and seed >= 0):
        raise InputError(f"seed must be a whole number of at least 0, but is {as_given(seed)}", "seed")


def check_count(value: int, name: str, least: int = 1) -> int:
    """A whole number of at least ``least`` that fits into 64 bits."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not least <= value <= MOST_COUNT:
        most = " and at most 2⁶³ - 1" if isinstance(value, int) and value > MOST_COUNT else ""
        raise InputError(f"{name} must be a whole number of at least {least}{most}, but is {as_given(value)}", name)
    return int(value)


def check_truth(value: object, name: str) -> bool:
    """True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise InputError(f"{name} must be True or False, but is {as_given(value)}", name)
    return bool(value)


def check_learning_rate(learning_rate: object) -> float:
    """A learning rate as a float: a finite number above 0."""
    return check_number(learning_rate, "learning_rate", above=0)


def check_sample_weight(weights: ArrayLike, X: Array) -> Array:
    """The sample weights of X: (N,), at least 0, not all 0."""
    try:
        found = np.array(weights, dtype=X.dtype)
    except (TypeError, ValueError):
        found = np.empty(0, X.dtype)
    if found.shape != (len(X),) or not np.isfinite(found).all() or (found < 0).any() or not found.any():
        raise InputError(
            f"sample_weight must be {len(X)} finite numbers of at least 0, one per sample and not all 0",
            "sample_weight",
        )
    return found


def float_type(dtype: DTypeLike) -> np.dtype[Any]:
    try:
        found = np.dtype(dtype)
    except TypeError:
        found = None
    if found is None or found not in (np.dtype("float64"), np.dtype("float32")):
        raise InputError(f"dtype must be float64 or float32, but is {as_given(dtype)}", "dtype")
    return found


def check_activations(names: str | Sequence[str], sizes: Sequence[int]) -> tuple[str, ...]:
    layers = len(sizes) - 1
    if not isinstance(names, Sequence):
        raise InputError(f"activations must be a name, or one per layer, but are {as_given(names)}")
    found = (names,) * layers if isinstance(names, str) else tuple(names)
    if len(found) != layers:
        raise InputError(
            f"there must be {layers} activations, one per layer after the inputs, but there are {len(found)}"
        )
    for layer, name in enumerate(found, 1):
        row = activation_row(name)
        if row.jacobian and (layer < layers or sizes[-1] == 1):
            raise InputError(f"{name} is for an output layer of at least 2 neurons, but layer {layer} is {name}")
    return found


CONTAINER_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")  # version 2, version 1


def machine_memory() -> int:
    """The memory of the machine in bytes, or the limit of its container if that is lower."""
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):  # not a POSIX system
        memory = 16 * 2**30
    from pathlib import Path  # imported late, to start the process fast

    for limit in CONTAINER_LIMITS:
        try:
            text = Path(limit).read_text().strip()
        except OSError:
            continue
        if text.isdecimal():  # not "max"
            memory = min(memory, int(text))
    return memory


def check_network_memory(sizes: Sequence[int], number: np.dtype[Any]) -> None:
    """Refuse a network that does not fit into memory, before it is drawn (training needs about four copies)."""
    count = sum(n_out * (n_in + 1) for n_in, n_out in itertools.pairwise(sizes))
    needed = 4 * count * number.itemsize
    if needed < FITS_ANYWHERE:
        return
    memory = machine_memory()
    if needed > memory or count > _MOST_WEIGHTS:
        shown = f"{count:,}" if count < 10**15 else "more than 10¹⁵"
        raise InputError(
            f"a network of these sizes has {shown} weights; training it needs {min(needed >> 30, 10**12):,} GiB, "
            f"and this machine has {memory >> 30:,} (at most {_MOST_WEIGHTS:,} weights anywhere); use smaller layers"
        )


def is_masked(values: object) -> bool:
    """Whether this is a masked array; there are none unless their module is loaded."""
    return "numpy.ma" in sys.modules and isinstance(values, np.ma.MaskedArray)


def weight_array(values: ArrayLike, layer: int, number: np.dtype[Any], biases: bool = True) -> Array:
    if is_masked(values):
        raise InputError(f"layer {layer}'s weights must be a plain array, but are masked; fill in what is masked")
    try:
        raw = np.asarray(values)
        if raw.dtype.kind not in "fiub":  # not text, dates, complex numbers or objects
            raise TypeError
        with np.errstate(over="ignore"):
            array = np.array(raw, dtype=number, order="C")
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"layer {layer}'s weights must be rows of numbers of equal length") from None
    if array.ndim != 2 or array.shape[0] < 1 or array.shape[1] < 1 + biases:
        wanted = "(neurons, inputs + 1), bias last" if biases else "(neurons, inputs)"
        raise InputError(f"layer {layer}'s weights must have shape {wanted}, but have shape {array.shape}")
    if not np.isfinite(array).all():
        raise InputError(f"layer {layer}'s weights must be finite, but contain {array[~np.isfinite(array)][0]}")
    return array


def finite_number(value: float, name: str, number: np.dtype[Any]) -> float:
    try:
        with np.errstate(over="ignore"):
            found = float(number.type(value))
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if not math.isfinite(found):
        raise InputError(f"{name} must be a finite number, but is {as_given(value)}")
    return found
