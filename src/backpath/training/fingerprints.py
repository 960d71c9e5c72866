"""Fingerprints of everything that training depends on, to check that a resumed run is the same."""

from __future__ import annotations

import hashlib
import math
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any

import numpy as np

from backpath.maths.network import Network
from backpath.training.job import Job
from backpath.version import __version__

NOT_SETTINGS = ("order", "threads")  # drawn from the seed; no influence on the results
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")  # differs between processes
_DIGEST = re.compile(r" with digest [0-9a-f]+")
_WORDS = {
    "free": "frozen",
    "CompiledEngine": "compiled",
    "NumpyEngine": "numpy",
}
_NAMES = {"name": "solver"}


def settings_of(job: Job, **more: Any) -> dict[str, Any]:
    """All settings of a job as JSON data, with type, shape and digest for arrays."""
    found: dict[str, Any] = {}
    for field in fields(job):
        if field.name not in NOT_SETTINGS:
            found |= _described(field.name, getattr(job, field.name))
    return found | {name: as_json(value) for name, value in more.items()}


def differences(
    before: dict[str, Any],
    now: dict[str, Any],
    may_change: Sequence[str] = (),
    tell: Callable[[str], object] | None = None,
) -> list[str]:
    """The differences of two such settings, one line each; differences that are allowed are reported instead."""
    found = {}
    for name in sorted(before.keys() | now.keys()):
        was, is_now = before.get(name), now.get(name)
        if was != is_now:
            line = _difference(name, was, is_now)
            if name not in may_change:
                found[name] = line
            elif tell:
                tell(line)
    if len(found) > 1:
        found.pop("given", None)  # the options that differ are listed already
    return list(found.values())


def _difference(name: str, was: Any, is_now: Any) -> str:
    if name == "given":  # values that the call gives are not chosen by a search, even if they are equal
        only = {"before": set(was or ()) - set(is_now or ()), "now": set(is_now or ()) - set(was or ())}
        return "; ".join(f"given only {when}: {', '.join(sorted(names))}" for when, names in only.items() if names)
    called, old, new = _WORDS.get(name, name), _shown(was), _shown(is_now)
    return f"other values of {called}" if old == new or name == "free" else f"{called} was {old}, now {new}"


@cache
def versions() -> dict[str, str]:
    """A fingerprint of everything that can affect the last digits."""
    return {"backpath": __version__, "numpy": np.__version__, "python": ".".join(map(str, sys.version_info[:2]))}


def _described(name: str, value: Any) -> dict[str, Any]:
    if isinstance(value, Network):
        kind = {"sizes": list(value.sizes), "activations": list(value.activations), "biases": value.biases}
        return {**kind, "weights": as_json(value.weights)}
    if is_dataclass(value):
        found: dict[str, Any] = {}
        for field in fields(value):
            found |= _described(_NAMES.get(field.name, field.name), getattr(value, field.name))
        return found
    return {name: as_json(value)}


def as_json(value: Any) -> Any:
    """A value as JSON data, with type, shape and digest for arrays."""
    if isinstance(value, np.ndarray):
        return fingerprint(value)
    if isinstance(value, (list, tuple)):
        return [as_json(part) for part in value]
    if isinstance(value, dict):
        return {str(name): as_json(part) for name, part in value.items()}
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, int | str | None) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return _ADDRESS.sub("", repr(value))


def fingerprint(array: np.ndarray[Any, Any]) -> str:
    """
    >>> fingerprint(np.zeros((4, 2)))
    '4 × 2 float64 with digest f5a5fd42d16a2030'
    """
    digest = hashlib.sha256(np.ascontiguousarray(array).data.cast("B") if array.size else b"").hexdigest()[:16]
    return f"{' × '.join(map(str, array.shape))} {array.dtype} with digest {digest}"


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_shown(part) for part in value if part is not None) or "not set"
    return "not set" if value is None else _WORDS.get(str(value), _DIGEST.sub("", str(value)))
