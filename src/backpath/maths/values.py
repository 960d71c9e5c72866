"""Immutable values that compare, hash and pickle by their parts."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np


class Value:
    """The base class; ``_parts`` are the arguments that construct an equal value.

    A dataclass uses ``@dataclass(frozen=True, eq=False)``; its parts are its fields. Arrays are compared by content.

    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True, eq=False)
    ... class Costs(Value):
    ...     cost: np.ndarray
    >>> Costs(np.array([1.0, 2.0])) == Costs(np.array([1.0, 2.0]))
    True
    """

    __slots__ = ()

    def _parts(self) -> tuple[object, ...]:
        return tuple(getattr(self, field.name) for field in fields(self))  # type: ignore[arg-type] # a dataclass

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return same(self._parts(), other._parts())

    def __hash__(self) -> int:
        return hash((type(self), _hashable(self._parts())))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._parts()


def same(one: Any, other: Any) -> bool:
    """Whether two parts are equal: arrays of one type and shape with equal numbers, NaN like NaN."""
    if isinstance(one, np.ndarray) or isinstance(other, np.ndarray):
        alike = type(one) is type(other) and one.dtype == other.dtype
        return alike and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    if isinstance(one, (tuple, list)) and isinstance(other, (tuple, list)):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def _hashable(part: Any) -> Any:
    if isinstance(part, np.ndarray):
        numbers = part + 0.0 if part.dtype.kind == "f" else part  # -0 as 0, because they are equal
        return part.dtype.str, part.shape, numbers.tobytes()
    if isinstance(part, (tuple, list)):
        return tuple(map(_hashable, part))
    if isinstance(part, dict):
        return frozenset((key, _hashable(value)) for key, value in part.items())
    return part
