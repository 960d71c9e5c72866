"""A scene as the page draws it, and as a link stores it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpath.explain.digits import shown
from backpath.explorer import limits, original
from backpath.explorer.answer_quality import quality_lines
from backpath.explorer.commands import OWN_PREFIX
from backpath.explorer.data import Data
from backpath.explorer.scene import Focus, Scene
from backpath.explorer.settings import drawn, weight_count
from backpath.files.wording import plain
from backpath.maths.network import Network
from backpath.maths.notation import neuron_name, neuron_names, weight_name


def view(scene: Scene, running: bool) -> dict[str, Any]:
    """Everything that the page needs to draw a scene."""
    sizes = scene.settings.sizes
    shown_of = drawn(sizes)
    kind = "summary" if not any(shown_of) else "whole" if shown_of == list(sizes) else "part"
    layers = [list(neuron_names(sizes, layer))[: count or None] for layer, count in enumerate(shown_of)]
    return {
        "state": state(scene),
        "layers": layers,
        "labels": scene.data.labels(sizes),
        "more": [n - count for n, count in zip(sizes, shown_of, strict=True)],
        "weights": weights(scene.network),
        "drawn": kind,
        "summary": summary(scene.network) if kind == "summary" else None,
        "data": scene.data.for_the_page() | {"key": own_key(scene)},
        "own": [
            {"key": f"{OWN_PREFIX}{place}", "name": "points" if data.name == "points" else plain(data.name)}
            for place, data in enumerate(scene.own)
        ],
        "sample": sample(scene),
        "step": scene.stepping.for_the_page(sizes),
        "history": scene.timeline.for_the_page(),
        "cost": finite(scene.cost),
        "run": _run(scene),
        "quality": quality_lines(scene.data, scene.network),
        "running": running,
    }


def sample(scene: Scene) -> dict[str, Any]:
    """The selected sample; in a table with its number and cells, target last."""
    data, focus = scene.data, scene.focus
    cells = None
    if data.units:
        cells = original.cells(data.units, focus.x[np.newaxis])[0]
        cells += original.targets(data.units, focus.y[np.newaxis], original.OF_CELLS)
    return {
        "index": focus.index,
        "number": focus.number if focus.index is None else data.number(focus.index),
        "cells": cells,
        "x": focus.x.tolist(),
        "y": focus.y.tolist(),
        "batch": focus.batch,
    }


def _run(scene: Scene) -> str:
    if not scene.run or scene.follows:
        return scene.run
    return f"{scene.run.partition(':')[0]}: changed here; reset to follow the run again"


def own_key(scene: Scene) -> str | None:
    """The place of the data in the list of the user's own."""
    return next(
        (f"{OWN_PREFIX}{place}" for place, data in enumerate(scene.own) if data is (scene.data.whole or scene.data)),
        None,
    )


def drawn_part(network: Network, layer: int, W: NDArray[np.floating]) -> NDArray[np.floating]:
    """The drawn part of an array in the shape of W."""
    count = drawn(network.sizes)
    rows, inputs = W[: count[layer]], count[layer - 1]
    return np.hstack([rows[:, :inputs], rows[:, network.sizes[layer - 1] :]]) if count[layer] else rows


def weights(network: Network) -> list[dict[str, Any]]:
    """Every drawn weight with its ends; a bias starts at the neuron "1"."""
    sizes, last = network.sizes, len(network.sizes) - 1
    count, found = drawn(sizes), list[dict[str, Any]]()
    for layer, W in enumerate(network.weights, 1):
        sources = [*range(1, count[layer - 1] + 1), *([None] if network.biases else [])]
        places = [(j, i) for j in range(1, count[layer] + 1) for i in sources]
        for (j, i), value in zip(places, drawn_part(network, layer, W).ravel().tolist(), strict=True):
            source = "1" if i is None else neuron_name(layer - 1, i, last)
            to, name = neuron_name(layer, j, last), weight_name(layer, j, i)
            found.append({"name": name, "from": source, "to": to, "value": value, "text": shown(value)})
    return found


def weight_values(network: Network) -> list[float]:
    """The values of the weights, in the order of ``weights``."""
    return [v for k, W in enumerate(network.weights, 1) for v in drawn_part(network, k, W).ravel().tolist()]


def summary(network: Network) -> list[dict[str, Any]]:
    """Statistics of the weights by layer, for a network that is too large to draw."""
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
    """The state in a link; ``opened`` restores the scene from it."""
    return {
        **scene.settings.as_dict(),
        **_linked_data(scene.data),
        "sample": _linked_sample(scene.focus),
        **_linked_weights(scene),
    }


def _linked_data(data: Data) -> dict[str, Any]:
    found: dict[str, Any] = {"dataset": data.name}
    if data.uploaded:
        return found | {"uploaded": True}
    if data.name != "points" or len(data.X) > limits.LINKED_POINTS:
        return found
    found |= {"X": data.X.tolist(), "y": data.y.tolist()}
    return found | {"typed": True} if data.typed else found


def _linked_sample(focus: Focus) -> Any:
    if focus.batch:
        return "batch"
    return {"x": focus.x.tolist(), "y": focus.y.tolist()} if focus.index is None else focus.index


def _linked_weights(scene: Scene) -> dict[str, Any]:
    """The weights, if the settings do not draw them."""
    if not scene.loaded and scene.network is scene.start:
        return {}
    if weight_count(scene.settings.sizes) > limits.LINKED_WEIGHTS:
        return {"weights_left_out": True}
    return {"weights": [W.tolist() for W in scene.network.weights]}


def finite(value: float) -> float | None:
    """JSON has no infinity."""
    return value if math.isfinite(value) else None
