"""A model file: the tensors W1, W2, … of one type with matching shapes, and a description (see ``files.tensors``)."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpath.errors import InputError
from backpath.files import tensors
from backpath.files.tensors import Format, Place

MODEL = Format("model", ("F32", "F64"), dimensions=2)

Arrays = list[NDArray[np.floating]]


def encode(weights: Sequence[NDArray[np.floating]], description: dict[str, Any]) -> list[bytes]:
    """The parts of a model file: its header, then each tensor's bytes."""
    return tensors.encode(MODEL, {f"W{layer}": W for layer, W in enumerate(weights, 1)}, description)


def decode(path: Path) -> tuple[Arrays, dict[str, Any]]:
    """The weights and the description in a model file.

    Raises
    ------
    InputError
        If it is not a valid model file; the message says what is wrong.
    """
    found, description = tensors.decode(path, MODEL, _check_chain)
    for layer, W in enumerate(found.values(), 1):
        if not np.isfinite(W).all():
            raise InputError(f"its layer {layer} holds a weight that is not finite ({W[~np.isfinite(W)][0]})")
    return list(found.values()), description


def _check_chain(places: dict[str, Place], description: dict[str, Any]) -> None:
    """Refuse tensors that are not the layers of one network in order."""
    if not places:
        raise InputError("it holds no tensor")
    biases = description.get("biases") is not False
    for layer, name in enumerate(places, 1):
        if f"W{layer}" not in places:
            raise InputError(f"the tensor W{layer} is missing among its {len(places)} tensors")
        if name != f"W{layer}":
            raise InputError(f"the tensor W{layer} is not in its place; the layers must follow each other")
    for layer, (before, after) in enumerate(itertools.pairwise(places.values()), 2):
        if before.shape[0] + biases != after.shape[1] or before.number != after.number:
            raise InputError(
                f"the shapes do not chain: W{layer - 1} has shape {before.shape}, so W{layer} must have "
                f"{before.shape[0] + biases} columns of the same type, but has shape {after.shape}"
            )
