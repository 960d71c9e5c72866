"""A checkpoint file: plain data as a tree, whose arrays are the tensors (see ``files.tensors``).

The description has ``about``, any JSON, and ``tree``, in which ``{"tensor": name}`` stands for an array and
``{"number": text}`` for infinity, NaN, or a whole number with more than 15 digits.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpath.errors import InputError
from backpath.files import tensors
from backpath.files.tensors import TYPES, Format

CHECKPOINT = Format("checkpoint", tuple(TYPES), sparsest=12)
_MOST_DIGITS = 400


def encode(tree: Any, about: dict[str, Any]) -> list[bytes]:
    """The parts of a checkpoint file.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "a.checkpoint")
    ...     _ = path.write_bytes(b"".join(encode({"best": math.inf, "w": [np.zeros(2)]}, {})))
    ...     decode(path)
    ({'best': inf, 'w': [array([0., 0.])]}, {})
    """
    arrays: dict[str, NDArray[Any]] = {}
    plain = _plain(tree, arrays)
    return tensors.encode(CHECKPOINT, arrays, {"about": about, "tree": plain})


def decode(path: Path) -> tuple[Any, dict[str, Any]]:
    """The tree and its description; InputError unless the file is a complete, unaltered checkpoint."""
    arrays, description = tensors.decode(path, CHECKPOINT, lambda *_: None)
    about = _about(description)
    try:
        return _tree(description["tree"], arrays), about
    except (KeyError, TypeError, ValueError):
        raise InputError("its tree names numbers that it does not hold") from None


def read_about(path: Path) -> dict[str, Any]:
    """The description of a checkpoint, without checking the digest."""
    return _about(tensors.read_description(path, CHECKPOINT))


def _about(description: dict[str, Any]) -> dict[str, Any]:
    if set(description) != {"about", "tree"} or not isinstance(description["about"], dict):
        raise InputError("its description must hold about and tree, and nothing else")
    about: dict[str, Any] = description["about"]
    return about


def _plain(value: Any, arrays: dict[str, NDArray[Any]]) -> Any:
    if isinstance(value, np.ndarray):
        name = str(len(arrays))
        arrays[name] = value
        return {"tensor": name}
    if isinstance(value, dict):
        return {name: _plain(part, arrays) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part, arrays) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return {"number": str(value)}
    if isinstance(value, int) and abs(value) >= 10**15:
        return {"number": str(value)}
    return value


def _tree(value: Any, arrays: dict[str, NDArray[Any]]) -> Any:
    if isinstance(value, list):
        return [_tree(part, arrays) for part in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"tensor"}:
        return arrays[value["tensor"]]
    if set(value) == {"number"}:
        text = value["number"]
        return float(text) if text in ("inf", "-inf", "nan") else int(text[:_MOST_DIGITS])
    return {name: _tree(part, arrays) for name, part in value.items()}
