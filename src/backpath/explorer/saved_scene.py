"""A scene as its page stores it in the browser, to restore it on a server that has been restarted.

Like any message it comes from outside, so it is checked as strictly as what a user types.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpath.errors import InputError
from backpath.explorer import fields, limits
from backpath.explorer.data import Data, built_in, usual_settings
from backpath.explorer.scene import Focus, Scene, check_fit, focus_on
from backpath.explorer.settings import KEYS
from backpath.explorer.stepping import units
from backpath.explorer.timeline import Timeline
from backpath.files.preparation import Preparation
from backpath.maths.arrays import Floats
from backpath.maths.network import Network
from backpath.training.datasets import DATASETS

_TASKS = ("binary", "multiclass", "regression")


def data_key(scene: Scene) -> str:
    """A digest of a list of samples, so that a page fetches each list once."""
    digest = hashlib.sha256()
    for data in (scene.data, *scene.own):
        digest.update(repr((data.name, data.task, data.X.shape, data.typed)).encode())
        if data.name not in DATASETS:
            digest.update(data.X.tobytes() + data.y.tobytes())
    return digest.hexdigest()


def kept_samples(scene: Scene) -> dict[str, Any]:
    """The samples, and all others in the list of data."""
    own = [kept_data(data) for data in scene.own]
    data = scene.data.whole or scene.data
    place = next((k for k, other in enumerate(scene.own) if other is data), None)
    return {
        "own": own,
        "place": place,
        "percent": scene.data.percent,
        "data": None if place is not None else kept_data(data),
    }


def kept_data(data: Data) -> dict[str, Any]:
    if data.name in DATASETS:
        return {"name": data.name}
    return {
        "name": data.name,
        "task": data.task,
        "X": _text(data.X),
        "y": _text(data.y),
        "preparation": data.preparation and data.preparation.to_dict(),
        "typed": data.typed,
        "note": data.note,
        "numbers": data.numbers if data.numbers is None else _text(data.numbers.astype(np.float64)),
    }


def kept_scene(scene: Scene) -> dict[str, Any]:
    """Everything but the samples."""
    timeline, stepping = scene.timeline, scene.stepping
    every = list(timeline.networks)
    before = stepping.step.network if stepping.step is not None else scene.network
    return {
        "settings": scene.settings.as_dict(),
        "data": data_key(scene),
        "network": _flat(scene.network),
        "start": _flat(scene.start),
        "loaded": scene.loaded,
        "run": scene.run,
        "sample": _kept_sample(scene.focus),
        "batch": scene.focus.batch,
        "stepped": {"done": stepping.done, "network": _flat(before)},
        "history": {
            "epoch": timeline.epoch,
            "stride": timeline.stride,
            "epochs": list(timeline.epochs),
            "held_out": [list(pair) for pair in timeline.held_out],
            "costs": _text(np.array(timeline.costs)),
            "snapshots": every,
            "networks": [_flat(timeline.networks[epoch]) for epoch in every],
        },
    }


def _kept_sample(focus: Focus) -> dict[str, Any]:
    return {"index": focus.index, "x": focus.x.tolist(), "y": focus.y.tolist(), "number": focus.number}


def restored(given: dict[str, Any]) -> Scene:
    """The scene that a page restores.

    Raises
    ------
    InputError
        If it was not made by ``kept_scene`` and ``kept_data``, or exceeds the limits.
    """
    scene, samples = given.get("scene"), given.get("data")
    if not isinstance(scene, dict) or not isinstance(samples, dict):
        raise InputError("the saved state of the page must hold a scene and its data")
    data, own = _samples(samples)
    data = data.holding_out(fields.whole(samples.get("percent", 0), "the share held out", 0, 50))
    settings = usual_settings(data)
    asked = scene.get("settings")
    if not isinstance(asked, dict):
        raise InputError("the saved state of the page has no settings")
    fields.only(asked, KEYS, "the settings")
    settings = settings.changed(asked)
    check_fit(settings, data)
    drawn = settings.network()
    start = _network(drawn, scene.get("start"))
    network = start if scene.get("network") == scene.get("start") else _network(drawn, scene.get("network"))
    timeline = _timeline(scene.get("history"), start)
    found = Scene(settings, data, network, start, timeline, _focus(scene, data, network, settings.cost))
    run = fields.text(scene.get("run"), "the run")[: limits.NOTE]
    found = replace(found, own=own, loaded=fields.truth(scene.get("loaded"), "loaded"), run=run)
    return _stepped(found, scene.get("stepped"))


def _samples(kept: dict[str, Any]) -> tuple[Data, tuple[Data, ...]]:
    given = kept.get("own")
    if not isinstance(given, list) or len(given) > limits.OWN_DATA:
        raise InputError(f"own must be a list of up to {limits.OWN_DATA} data sets")
    own = tuple(_data(one) for one in given)
    if kept.get("place") is not None:
        return own[fields.whole(kept["place"], "the place of the data", 0, len(own) - 1)], own
    return _data(kept.get("data")), own


def _data(kept: object) -> Data:
    if not isinstance(kept, dict):
        raise InputError("the saved state of the page has no data")
    name = fields.text(kept.get("name"), "the data's name")
    if name in DATASETS:
        return built_in(name)[0]
    task = fields.text(kept.get("task"), "the task")
    if task not in _TASKS:
        raise InputError(f"the task must be one of {', '.join(_TASKS)}")
    X, y = (_rows(kept.get(key), key) for key in ("X", "y"))
    if len(X) != len(y) or X.size + y.size > limits.NUMBERS:
        raise InputError(f"X and y must have the same number of rows, and up to {limits.NUMBERS:,} numbers together")
    preparation = _preparation(kept.get("preparation"), X, y)
    typed, note = fields.truth(kept.get("typed"), "typed"), fields.text(kept.get("note"), "the note")
    numbers = _row_numbers(kept.get("numbers"), len(X))
    return Data(name, task, X, y, preparation, typed, note[: limits.NOTE], numbers=numbers)


def _preparation(kept: Any, X: Floats, y: Floats) -> Preparation | None:
    if kept is None:
        return None
    found = Preparation.from_dict(kept)
    if (len(found.input_labels), found.target.outputs) != (X.shape[1], y.shape[1]):
        raise InputError("the preparation does not fit the samples")
    return found


def _row_numbers(kept: object, count: int) -> NDArray[np.intp] | None:
    if kept is None:
        return None
    numbers = _numbers(kept, "the rows' numbers")
    if len(numbers) != count or (np.diff(numbers, prepend=0) < 1).any():
        raise InputError("the rows' numbers must be in ascending order, one for each row")
    return numbers.astype(np.intp)


def _focus(kept: dict[str, Any], data: Data, network: Network, cost: str) -> Focus:
    sample, batch = kept.get("sample"), fields.truth(kept.get("batch"), "batch")
    if not isinstance(sample, dict):
        raise InputError("the saved state of the page has no sample")
    if sample.get("index") is not None:
        index = fields.whole(sample["index"], "the sample's number", 0, len(data.X) - 1)
        return replace(focus_on(data, index), batch=batch)
    x = fields.row(sample.get("x"), "x", data.X.shape[1])
    y = fields.row(sample.get("y"), "y", data.y.shape[1])
    network.samples(x, y, cost)
    number = sample.get("number")
    return Focus(None, x, y, batch, None if number is None else fields.whole(number, "the row's number", 1, 10**9))


def _timeline(kept: Any, start: Network) -> Timeline:
    if not isinstance(kept, dict) or not isinstance(kept.get("epochs"), list):
        raise InputError("the saved state of the page has no history")
    found = Timeline(start)
    found.epochs, found.costs = _curve(kept)
    found.epoch = fields.whole(kept.get("epoch"), "the epoch", 0, 2**53)
    found.stride = fields.whole(kept.get("stride"), "the stride", 1, 2**53)
    found.held_out = _held_out(kept.get("held_out"))
    found.networks = _snapshots(kept.get("snapshots"), kept.get("networks"), start)
    return found


def _curve(kept: dict[str, Any]) -> tuple[list[int], list[float]]:
    costs = _numbers(kept.get("costs"), "the costs")
    epochs = [fields.whole(epoch, "an epoch", 0, 2**53) for epoch in kept["epochs"]]
    if len(epochs) != len(costs) or epochs != sorted(set(epochs)) or len(epochs) > 2 * limits.CURVE:
        raise InputError("the history's curve must have a cost for each epoch, in order")
    return epochs, costs.tolist()


def _held_out(pairs: object) -> list[tuple[int, float]]:
    if not isinstance(pairs, list) or len(pairs) > limits.CURVE + 1:
        raise InputError("the history has no costs of rows held out")
    rows = [fields.row(pair, "a held-out cost", 2) for pair in pairs]
    return [(int(epoch), float(cost)) for epoch, cost in rows]


def _snapshots(epochs: object, networks: object, like: Network) -> dict[int, Network]:
    if not isinstance(epochs, list) or not isinstance(networks, list):
        raise InputError("the history has no snapshots")
    if len(epochs) != len(networks) or not 1 <= len(epochs) <= limits.SNAPSHOTS + 1:
        raise InputError("the history must have snapshots, each with a network")
    return {
        fields.whole(epoch, "a snapshot", 0, 2**53): _network(like, W)
        for epoch, W in zip(epochs, networks, strict=True)
    }


def _stepped(scene: Scene, kept: Any) -> Scene:
    """With the step recomputed as far as before."""
    if not isinstance(kept, dict):
        raise InputError("the saved state of the page has no step")
    every = units(scene.settings.sizes)
    done = fields.whole(kept.get("done"), "the step", 0, len(every))
    if not done:
        return scene
    found = scene.with_network(_network(scene.network, kept.get("network")), Timeline(scene.network))
    for passing, _ in every[:done]:
        found = found.stepped(passing, "neuron")
    return replace(scene, stepping=found.stepping)


def _network(like: Network, kept: object) -> Network:
    numbers = _numbers(kept, "the weights")
    sizes = [W.size for W in like.weights]
    if len(numbers) != sum(sizes):
        raise InputError(f"there must be {sum(sizes):,} weights, but there are {len(numbers):,}")
    parts = np.split(numbers, np.cumsum(sizes)[:-1])
    return like.with_weights([part.reshape(W.shape) for part, W in zip(parts, like.weights, strict=True)])


def _flat(network: Network) -> dict[str, Any]:
    return _text(np.concatenate([W.ravel() for W in network.weights]))


def _text(numbers: Floats) -> dict[str, Any]:
    """Numbers, exact to the bit."""
    return {"shape": list(numbers.shape), "float64": base64.b64encode(numbers.astype("<f8").tobytes()).decode("ascii")}


def _read(kept: object, what: str, dimensions: int) -> Floats:
    shape: Sequence[Any] = kept.get("shape", ()) if isinstance(kept, dict) else ()
    text = kept.get("float64") if isinstance(kept, dict) else None
    if not isinstance(text, str) or not isinstance(shape, list) or len(shape) != dimensions:
        raise InputError(f"{what} must be numbers as the explorer keeps them")
    lengths = [fields.whole(length, f"the shape of {what}", 0, limits.NUMBERS) for length in shape]
    try:
        found = np.frombuffer(base64.b64decode(text, validate=True), "<f8").astype(np.float64)
        found = found.reshape(lengths)
    except (binascii.Error, ValueError):
        raise InputError(f"{what} must be numbers as the explorer keeps them") from None
    if not np.isfinite(found).all():
        raise InputError(f"{what} must be finite")
    return found


def _numbers(kept: object, what: str) -> Floats:
    return _read(kept, what, 1)


def _rows(kept: object, what: str) -> Floats:
    found = _read(kept, what, 2)
    if not found.size:
        raise InputError(f"{what} must hold at least one row")
    return found
