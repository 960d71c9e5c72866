"""Names with parameters, such as ``quantile(0.1,0.9)``, and names of a user's own functions, such as ``own:swish:1``.

The tables of ``activations`` and ``costs`` list the families, and their rows are created there. They have no kernels,
so the NumPy engine trains them. A user's functions exist only in this process, so a model with them cannot be saved.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from backpath.errors import InputError
from backpath.maths.arrays import Array

NOT_COMPILED = -1  # the code of a row without kernels

_FAMILY = re.compile(r"(\w+)\(([-+.,\w]*)\)")


def row_name(family: str, parameters: Sequence[float]) -> str:
    """The row's name.

    >>> row_name("quantile", (0.1, 0.9))
    'quantile(0.1,0.9)'
    """
    return f"{family}({','.join(f'{p:g}' if float(f'{p:g}') == p else f'{p:.17g}' for p in parameters)})"


def family_of(name: str) -> tuple[str, tuple[float, ...]] | None:
    """The family and the parameters of a row with this name; None if it has no family.

    >>> family_of("quantile(0.1,0.9)")
    ('quantile', (0.1, 0.9))
    """
    found = _FAMILY.fullmatch(name)
    if not found:
        return None
    try:
        return found[1], tuple(float(text) for text in found[2].split(","))
    except ValueError:
        raise InputError(f"{found[1]} takes numbers in its brackets, but got {name!r}") from None


def is_own(name: str) -> bool:
    """Whether the row is a user's functions."""
    return name.startswith("own:")


def own_name(pair: tuple[Any, Any], known: Mapping[str, tuple[Any, Any]]) -> str:
    """The name of the row for a user's pair of functions, which is unique to the pair."""
    stem = getattr(pair[0], "__name__", type(pair[0]).__name__).strip("<>")
    number = 1
    while known.get(name := f"own:{stem}:{number}", pair) != pair:
        number += 1
    return name


def by_groups(name: str, sizes: Sequence[float], function: Callable[..., Array]) -> Callable[..., Array]:
    """A function of arrays (N, outputs), group by group of the outputs."""
    if not all(size >= 1 and size == int(size) for size in sizes):
        raise InputError(f"the sizes of groups of outputs must be whole numbers of at least 1, but got {name!r}")
    groups = [slice(begin, end) for begin, end in pairwise(accumulate(map(int, sizes), initial=0))]

    def of_groups(*arrays: Array) -> Array:
        if arrays[0].shape[-1] != groups[-1].stop:
            raise InputError(f"{name} is for {groups[-1].stop} outputs, but there are {arrays[0].shape[-1]}")
        return np.concatenate([function(*(array[..., g] for array in arrays)) for g in groups], axis=-1)

    return of_groups
