"""A scene as the page draws it, and as a link keeps it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from backpath.explain.digits import shown
from backpath.explorer import limits
from backpath.explorer.scene import Scene
from backpath.explorer.settings import is_drawn_whole, weight_count
from backpath.maths.network import Network
from backpath.maths.notation import layer_weights, neuron_name, neuron_names, weight_name


def view(scene: Scene, running: bool) -> dict[str, Any]:
    """All that the page needs to draw itself."""
    sizes = scene.settings.sizes
    layers = [list(neuron_names(sizes, layer)) for layer in range(len(sizes))]
    whole = is_drawn_whole(sizes)
    return {
        "state": state(scene),
        "layers": layers,
        "labels": scene.data.labels(sizes),
        "weights": weights(scene.network) if whole else [],
        "drawn": "whole" if whole else "summary",
        "summary": None if whole else summary(scene.network),
        "data": scene.data.for_the_page(),
        "sample": {
            "index": scene.focus.index,
            "x": scene.focus.x.tolist(),
            "y": scene.focus.y.tolist(),
            "batch": scene.focus.batch,
        },
        "step": scene.stepping.for_the_page(sizes),
        "history": scene.timeline.for_the_page(),
        "cost": finite(scene.cost),
        "running": running,
    }


def weights(network: Network) -> list[dict[str, Any]]:
    """Every weight with its ends; a bias comes from the neuron "1"."""
    sizes, last = network.sizes, len(network.sizes) - 1
    found = []
    for layer, W in enumerate(network.weights, 1):
        for index, value in zip(layer_weights(sizes, layer, network.biases), W.ravel().tolist(), strict=True):
            source = "1" if index.input is None else neuron_name(layer - 1, index.input, last)
            to = neuron_name(layer, index.neuron, last)
            name = weight_name(*index)
            found.append({"name": name, "from": source, "to": to, "value": value, "text": shown(value)})
    return found


def weight_values(network: Network) -> list[float]:
    """The weights' values in the order of ``weights``."""
    return [value for W in network.weights for value in W.ravel().tolist()] if is_drawn_whole(network.sizes) else []


def summary(network: Network) -> list[dict[str, Any]]:
    """Of a network that is too large to draw: what its weights are like, by layer."""
    return [
        {
            "layer": layer,
            "shape": list(W.shape),
            "mean": float(W.mean()),
            "deviation": float(W.std()),
            "least": float(W.min()),
            "most": float(W.max()),
            "histogram": np.histogram(W, bins=21)[0].tolist(),
        }
        for layer, W in enumerate(network.weights, 1)
    ]


def state(scene: Scene) -> dict[str, Any]:
    """What a link keeps: ``opened`` makes the same scene of it."""
    found = scene.settings.as_dict()
    data, focus = scene.data, scene.focus
    found["dataset"] = data.name
    if data.uploaded:
        found["uploaded"] = True
    elif data.name == "points" and len(data.X) <= limits.LINKED_POINTS:
        found |= {"X": data.X.tolist(), "y": data.y.tolist()}
    if focus.batch:
        found["sample"] = "batch"
    else:
        found["sample"] = {"x": focus.x.tolist(), "y": focus.y.tolist()} if focus.index is None else focus.index
    if scene.loaded or scene.network is not scene.start:
        if weight_count(scene.settings.sizes) <= limits.LINKED_WEIGHTS:
            found["weights"] = [W.tolist() for W in scene.network.weights]
        else:
            found["weights_left_out"] = True
    return found


def finite(value: float) -> float | None:
    """JSON has no infinity."""
    return value if math.isfinite(value) else None
