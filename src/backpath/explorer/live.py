"""What the picture shows while a network is trained: the numbers of the sample in focus, with the weights of now."""

from __future__ import annotations

from typing import Any

import numpy as np

from backpath.errors import InputError
from backpath.explain.backward import backward
from backpath.explorer.scene import Scene
from backpath.explorer.settings import is_drawn_whole
from backpath.maths.network import Network

MOST_GRADIENTS = 120  # weights whose gradients have room in the picture
MOST_ROWS = 200  # of a batch whose gradient is shown in each frame


def live(scene: Scene, network: Network) -> dict[str, Any] | None:
    """u, σ(u) and ∂C/∂u of every neuron, C, and ∂C/∂W of every weight, in the picture's order."""
    if not is_drawn_whole(network.sizes):
        return None
    focus, cost = scene.focus, scene.settings.cost
    try:
        n = backward(network, focus.x, focus.y, cost)
    except InputError:  # it overflows; the run will say so
        return None
    gradients, value = n.gradients, float(n.costs.sum())
    if focus.batch and len(scene.data.X) <= MOST_ROWS:
        gradients = network.gradients(scene.data.X, scene.data.y, cost).layers
        value = network.cost(scene.data.X, scene.data.y, cost)
    few = sum(W.size for W in network.weights) <= MOST_GRADIENTS and not (focus.batch and len(scene.data.X) > MOST_ROWS)
    return {
        "u": np.concatenate([u[0] for u in n.u]).tolist(),
        "a": np.concatenate([a[0] for a in n.a[1:]]).tolist(),
        "delta": np.concatenate([delta[0] for delta in n.delta]).tolist(),
        "gradients": np.concatenate([np.asarray(g).ravel() for g in gradients]).tolist() if few else [],
        "C": value,
    }
