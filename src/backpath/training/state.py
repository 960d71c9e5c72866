"""The state of objects in training as plain data, to save it and to resume from it.

Plain data are None, bool, int, float, str, arrays, and lists and dictionaries of those (see
``files.checkpoint_format``).
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any, ClassVar

import numpy as np

_LONGEST = 100_000  # numbers to save of a history


class Stateful:
    """Its state is all its attributes except ``_given``, which its constructor receives again."""

    _given: ClassVar[tuple[str, ...]] = ()

    def state(self) -> dict[str, Any]:
        return {name: taken(value) for name, value in vars(self).items() if name not in self._given}

    def restore(self, state: dict[str, Any]) -> None:
        """Restore this state; ValueError if its kind or shape differs."""
        mine = set(vars(self)) - set(self._given)
        if set(state) != mine:
            raise ValueError(f"{type(self).__name__} has {sorted(mine)}, not {sorted(state)}")
        for name, value in state.items():
            setattr(self, name, put_back(getattr(self, name), value))


def taken(value: Any) -> Any:
    """A copy of a value as plain data."""
    for kind, copied in _COPIED:
        if isinstance(value, kind):
            return copied(value)
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: taken(getattr(value, field.name)) for field in fields(value)}
    return value


def _list_taken(value: list[Any] | tuple[Any, ...]) -> Any:
    return thinned(np.array(value)) if value and isinstance(value[0], float) else [taken(part) for part in value]


_COPIED: tuple[tuple[type | tuple[type, ...], Callable[[Any], Any]], ...] = (
    (Stateful, lambda value: value.state()),
    (np.random.Generator, lambda generator: generator.bit_generator.state),
    (np.random.RandomState, lambda generator: generator.get_state(legacy=False)),
    (ctypes.Structure, lambda value: {name: getattr(value, name) for name, *_ in value._fields_}),
    (np.ndarray, np.ndarray.copy),
    ((list, tuple), _list_taken),
    (np.generic, np.generic.item),
)


def put_back(now: Any, value: Any) -> Any:
    """The restored value of ``now`` from the saved ``value``."""
    if isinstance(now, Stateful):
        now.restore(value)
        return now
    if isinstance(now, np.random.Generator):
        now.bit_generator.state = value
        return now
    if isinstance(now, np.random.RandomState):
        now.set_state(value)
        return now
    if isinstance(now, ctypes.Structure):
        return type(now)(**value)
    if isinstance(now, np.ndarray):
        if not isinstance(value, np.ndarray) or (value.dtype, value.shape) != (now.dtype, now.shape):
            raise ValueError("an array has another type or shape")
        return value
    if isinstance(now, (list, tuple)):
        return _list_put_back(now, value)
    return value


def _list_put_back(now: list[Any] | tuple[Any, ...], value: Any) -> list[Any]:
    if isinstance(value, dict):
        return with_gaps(value).tolist()
    if now and isinstance(now[0], (Stateful, np.ndarray)) and len(now) != len(value):
        raise ValueError("a list has another length")
    return [put_back(old, new) for old, new in zip(now, value, strict=True)] if len(now) == len(value) else list(value)


def thinned(numbers: np.ndarray[Any, np.dtype[np.float64]], longest: int = _LONGEST) -> dict[str, Any]:
    """All numbers of a history, or if there are more than ``longest`` the last and every second, fourth, eighth, ….

    >>> with_gaps(thinned(np.arange(3.0))).tolist()
    [0.0, 1.0, 2.0]
    """
    count = len(numbers)
    every = 2 ** math.ceil(math.log2(count / longest)) if count > longest else 1
    return {"count": count, "every": every, "kept": numbers[::every].copy(), "last": numbers[-1:].copy()}


def with_gaps(kept: dict[str, Any]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """A history with NaN where its numbers were not saved."""
    numbers = np.full(kept["count"], np.nan)
    numbers[:: kept["every"]] = kept["kept"]
    numbers[-1:] = kept["last"]
    return numbers
