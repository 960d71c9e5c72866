"""Loads the native kernels: the build that suits this processor, once per process."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from ctypes import addressof, c_char
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from backpath.errors import InputError
from backpath.training import native
from backpath.training.native.calls import SIGNATURES, STEP_BYTES

FOLDER = native.__path__[0]
SUFFIX = {"darwin": ".dylib", "win32": ".dll"}.get(sys.platform, ".so")
X86_64, OTHERS = ("x86_64_v2", "x86_64_v3", "x86_64_v4"), ("aarch64",)
NUMBER_TYPES = {"float64": "f64", "float32": "f32"}


class Kernels:
    """The kernels for one number type, each a method of the name that ``kernels.cpp`` gives it."""

    activate: Any
    lay_samples: Any
    begin: Any
    train: Any
    predict: Any
    begin_predicting: Any
    train_many: Any
    evaluate_many: Any
    train_each: Any

    def __init__(self, library: ctypes.CDLL, number: str):
        for name, (result, arguments) in SIGNATURES.items():
            function = library[f"{name}_{number}"]
            function.restype, function.argtypes = result, arguments
            setattr(self, name, function)


def kernels(dtype: DTypeLike) -> Kernels:
    """The kernels for float64 or float32; InputError if there are none."""
    loaded, why_not = _loaded()
    if loaded is None:
        raise InputError(f"no native kernels here: {why_not}")
    return loaded[np.dtype(dtype)]


def why_no_kernels() -> str:
    """The reason why there are no kernels, in one line; "" if there are some."""
    return _loaded()[1]


def level() -> str:
    """The build of the kernels that this process uses."""
    if given := os.environ.get("BACKPATH_CPU"):
        if given not in (*X86_64, *OTHERS):
            raise InputError(f"BACKPATH_CPU must be one of {', '.join((*X86_64, *OTHERS))}, but is {given!r}")
        return given
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return OTHERS[0]
    there = [name for name in X86_64 if os.path.exists(_path(name))]  # noqa: PTH110 - pathlib takes a while to import
    lowest = _library(there[0] if there else X86_64[0])
    lowest.processor_level.restype = ctypes.c_int64
    own = f"x86_64_v{lowest.processor_level()}"
    return max((name for name in there if name <= own), default=own)


@cache
def _loaded() -> tuple[dict[np.dtype[Any], Kernels] | None, str]:
    try:
        library = _library(level())
        return {np.dtype(name): Kernels(library, number) for name, number in NUMBER_TYPES.items()}, ""
    except (OSError, AttributeError) as fault:  # no such file, not a library, or one without these names
        return None, f"{fault}; in a clone build them with: python hatch_build.py".replace("\n", " ")


def _path(name: str) -> str:
    return f"{FOLDER}{os.sep}kernels-{name}{SUFFIX}"


def _library(name: str) -> ctypes.CDLL:
    return ctypes.CDLL(_path(name))


def address(array: NDArray[Any], dtype: DTypeLike, least: int) -> int:
    """The address of an array's numbers; the kernels use the first ``least``."""
    if array.dtype != dtype or array.size < least or not array.flags.c_contiguous:
        raise ValueError(
            f"the kernels need {least} numbers of {np.dtype(dtype)} in a row, not {array.size} of {array.dtype}"
        )
    try:
        return _start(array)
    except (TypeError, ValueError):  # read-only, or empty
        return int(array.__array_interface__["data"][0])


def _start(array: NDArray[Any]) -> int:
    """The address of a writable array, five times as fast as NumPy's own method."""
    return addressof(c_char.from_buffer(array))  # type: ignore[arg-type] # an array is a buffer


def part(start: int, first: int, count: int, dtype: np.dtype[Any]) -> int:
    """The address of ``count`` numbers of a buffer, beginning with number ``first``."""
    return start + first * dtype.itemsize


def buffer(numbers: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Zeros, aligned so that vectors do not straddle cache lines."""
    raw = np.zeros(numbers + STEP_BYTES // dtype.itemsize, dtype)
    first = -_start(raw) % STEP_BYTES // dtype.itemsize
    return raw[first : first + numbers]
