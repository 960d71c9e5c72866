"""The numbers in the picture during training: those of the selected sample, with the current weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpath.errors import InputError
from backpath.explain.backward import backward
from backpath.explorer.scene import Scene
from backpath.explorer.settings import drawn
from backpath.explorer.view import drawn_part
from backpath.maths.network import Network

MOST_GRADIENTS = 120  # gradients that fit in the picture
_MOST_ROWS = 200  # in a batch whose gradient is shown in each frame


def live(scene: Scene, network: Network) -> dict[str, Any] | None:
    """u, σ(u) and ∂C/∂u of every drawn neuron, C, and ∂C/∂W of every drawn weight, in the picture's order."""
    count = drawn(network.sizes)
    if not any(count):
        return None
    data, focus, cost = scene.data, scene.focus, scene.settings.cost
    try:
        n = backward(network, focus.x, focus.y, cost)
    except InputError:  # it overflows; the run reports that
        return None
    gradients, value = n.gradients, float(n.costs.sum())
    whole = not focus.batch or len(data.X) <= _MOST_ROWS
    if focus.batch and whole:
        gradients, value = network.gradients(data.X, data.y, cost).layers, network.cost(data.X, data.y, cost)
    parts = [drawn_part(network, layer, np.asarray(g)).ravel() for layer, g in enumerate(gradients, 1)]
    few = whole and sum(map(len, parts)) <= MOST_GRADIENTS

    def of_drawn(arrays: Sequence[NDArray[np.floating]]) -> list[float]:
        return [value for most, array in zip(count[1:], arrays, strict=True) for value in array[0, :most].tolist()]

    return {
        "u": of_drawn(n.u),
        "a": of_drawn(n.a[1:]),
        "delta": of_drawn(n.delta),
        "gradients": np.concatenate(parts).tolist() if few else [],
        "C": value,
    }
