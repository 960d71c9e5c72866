"""The requests of a page. A question is answered from a scene; an edit returns a new scene.

Both are plain functions of a scene and the message's fields, independent of sockets and threads.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from backpath.errors import InputError
from backpath.explorer import answers, fields, limits, original
from backpath.explorer.data import Data, built_in
from backpath.explorer.scene import Scene, focus_on, with_settings
from backpath.explorer.settings import DRAWING, KEYS
from backpath.explorer.stepping import PASSES, UNITS, Stepping
from backpath.explorer.surface import Surface
from backpath.explorer.surface import maps as neuron_maps
from backpath.explorer.truth_table import truth_table
from backpath.files.wording import quoted
from backpath.maths.arrays import Floats
from backpath.maths.network import Network
from backpath.maths.notation import weight_index

Fields = Mapping[str, Any]
OWN_PREFIX = "own:"  # prefix of the place in the list of the user's own data
STATE_KEYS = (*KEYS, "dataset", "uploaded", "typed", "X", "y", "sample", "weights", "weights_left_out")


def derive(scene: Scene, given: Fields) -> dict[str, Any]:
    return answers.derivation(scene, fields.text(given.get("weight"), "weight"))


def neuron(scene: Scene, given: Fields) -> dict[str, Any]:
    return answers.neuron(scene, fields.text(given.get("name"), "name"))


def surface(scene: Scene, given: Fields) -> dict[str, Any]:
    return asked_surface(scene, given).of(scene, scene.network)


def maps(scene: Scene, given: Fields) -> dict[str, Any]:
    return neuron_maps(scene, fields.whole(given.get("resolution", 20), "resolution", 2, limits.RESOLUTION))


def asked_surface(scene: Scene, given: Fields) -> Surface:
    resolution = fields.whole(given.get("resolution", 48), "resolution", 2, limits.RESOLUTION)
    return Surface.checked(scene, given.get("axes"), resolution)


def check(scene: Scene, given: Fields) -> dict[str, Any]:
    claimed = given.get("claimed")
    if not isinstance(claimed, dict):
        raise InputError("claimed must hold figures by weight, as in {'W11_1': '0.0123'}")
    return answers.check(scene, claimed, fields.text(given.get("kind", "gradients"), "kind"))


def samples(scene: Scene, given: Fields) -> dict[str, Any]:
    first = fields.whole(given.get("first", 0), "the first row", 0, len(scene.data.X) - 1)
    name = given.get("weight")
    return truth_table(scene, None if name is None else fields.text(name, "weight"), first)


def formulas(scene: Scene, given: Fields) -> dict[str, Any]:
    """A step's gradients written out with the current weights, for a page that watches a run."""
    fresh = replace(scene, stepping=Stepping())
    done = fresh.stepped("Forward", "all").stepped("Backward", "all")
    return {"phase": "backward", "formulas": done.stepping.tables()}


def weight(scene: Scene, given: Fields) -> Scene:
    name = fields.text(given.get("name"), "name")
    weight_index(name, scene.settings.sizes, scene.settings.biases)
    return scene.edited(scene.network.replace({name: fields.number(given.get("value"), name)}))


def points(scene: Scene, given: Fields) -> Scene:
    return scene.with_points(*_given_points(given, scene.settings.sizes))


def _given_points(given: Fields, sizes: tuple[int, ...]) -> tuple[Floats, Floats]:
    X = fields.rows(given.get("X"), "X", sizes[0], limits.POINTS)
    y = fields.rows(given.get("y"), "y", sizes[-1], limits.POINTS)
    if len(X) != len(y):
        raise InputError(f"X has {len(X):,} rows, but y has {len(y):,}; give the same number of each")
    return X, y


def sample(scene: Scene, given: Fields) -> Scene:
    """Select ``index``, or the ``row`` with that number in the table, or ``x`` and ``y``, or ``batch``."""
    if "batch" in given:
        return scene.with_focus(replace(scene.focus, batch=fields.truth(given["batch"], "batch")))
    if "index" in given:
        if given["index"] == "batch":
            return scene.with_focus(replace(scene.focus, batch=True))
        index = fields.whole(given["index"], "the sample's number", 0, len(scene.data.X) - 1)
        return scene.with_focus(focus_on(scene.data, index))
    if "row" in given:
        return scene.with_row_number(fields.whole(given["row"], "the row's number", 1, 10**9))
    x = fields.row(given.get("x"), "x", scene.settings.sizes[0])
    y = fields.row(given.get("y"), "y", scene.settings.sizes[-1])
    return scene.with_row(x, y)


def row(scene: Scene, given: Fields) -> Scene:
    """A row typed as in the table, target last."""
    preparation = scene.data.preparation
    if preparation is None:
        raise InputError("only a table has cells; type the inputs as numbers")
    cells = given.get("cells")
    if not isinstance(cells, list) or len(cells) != len(preparation.inputs) + 1:
        raise InputError(f"cells must be {len(preparation.inputs) + 1} texts: a cell for each column, and the target")
    return scene.with_row(*original.encoded(preparation, [fields.text(cell, "a cell") for cell in cells]))


def hold_out(scene: Scene, given: Fields) -> Scene:
    percent = fields.whole(given.get("percent"), "the share held out", 0, 50)
    if scene.data.typed or (percent and len(scene.data.X) * percent // 100 < 1):
        raise InputError("there are too few rows to hold some out")
    return scene.holding_out(percent)


def change(scene: Scene, given: Fields) -> Scene:
    """Set any part of the state: the data set first, then what depends on it."""
    fields.only(given, STATE_KEYS, "the state")
    found = _with_data(scene, given)
    settings = {key: value for key, value in given.items() if key in KEYS}
    if settings:
        found = found.with_settings(*with_settings(found.settings, settings))
    if "weights" in given:
        found = found.edited(_network(found, given["weights"]))
    if "sample" in given:
        asked = given["sample"]
        found = sample(found, asked if isinstance(asked, dict) else {"index": asked})
    return found


def _with_data(scene: Scene, given: Fields) -> Scene:
    if "dataset" not in given:
        return points(scene, given) if "X" in given or "y" in given else scene
    name = fields.text(given["dataset"], "dataset")
    if name.startswith(OWN_PREFIX):
        return scene.with_data(_own(scene, name))
    if given.get("uploaded"):
        return _with_uploaded(scene, name)
    if name == "points":
        return _with_drawn(scene, given)
    return scene if name == scene.data.name else scene.with_data(built_in(name)[0])


def _with_uploaded(scene: Scene, name: str) -> Scene:
    """With the last uploaded table of this name."""
    if scene.data.uploaded and scene.data.name == name:
        return scene
    uploaded = [data for data in scene.own if data.uploaded and data.name == name]
    if not uploaded:
        raise InputError(f"this state uses the table {quoted(name)}, which a link does not contain; upload it first")
    return scene.with_data(uploaded[-1])


def _with_drawn(scene: Scene, given: Fields) -> Scene:
    """With a link's points, and a new network."""
    if "X" not in given:
        raise InputError("this state has too many points for a link, so the link does not contain them")
    settings = scene.settings.changed({key: given[key] for key in (*DRAWING, "cost") if key in given})
    X, y = _given_points(given, settings.sizes)
    typed = fields.truth(given.get("typed", False), "typed")
    data = replace(scene.data.drawn(X, y), task=_task(settings.activations[-1], y), preparation=None, typed=typed)
    return Scene.drawn(settings, data)


def _own(scene: Scene, key: str) -> Data:
    number = key.removeprefix(OWN_PREFIX)
    if not number.isdecimal() or int(number) >= len(scene.own):
        raise InputError(f"there is no data set named {quoted(key)}")
    return scene.own[int(number)]


def _task(output: str, y: np.ndarray[Any, Any]) -> str:
    if output == "softmax":
        return "multiclass"
    return "binary" if y.shape[1] == 1 and set(y.ravel().tolist()) <= {0.0, 1.0} else "regression"


def _network(scene: Scene, weights: object) -> Network:
    shapes = [W.shape for W in scene.network.weights]
    if not isinstance(weights, list) or len(weights) != len(shapes):
        raise InputError(f"weights must hold a list of rows for each of the {len(shapes)} layers")
    rows = []
    for layer, (given, shape) in enumerate(zip(weights, shapes, strict=True), 1):
        found = fields.rows(given, f"layer {layer}'s weights", shape[1], limits.NEURONS)
        if len(found) != shape[0]:
            raise InputError(f"layer {layer}'s weights must have {shape[0]} rows, but have {len(found)}")
        rows.append(found)
    return scene.network.with_weights(rows)


def open_state(scene: Scene, given: Fields) -> Scene:
    """A whole scene from a link's state."""
    kept = given.get("state")
    if not isinstance(kept, dict):
        raise InputError("state must have the fields of a link of this page")
    found = change(replace_data(scene, kept), kept)
    return found if "weights" in kept else found.reset()


def replace_data(scene: Scene, kept: Fields) -> Scene:
    """Apply a data set's own settings first, so that a state that omits some means the same everywhere."""
    name = kept.get("dataset")
    if isinstance(name, str) and name != "points" and not kept.get("uploaded"):
        return Scene.of_data_set(name)
    return scene


def step(scene: Scene, given: Fields) -> Scene:
    passing, unit = given.get("pass"), given.get("unit", "all")
    if passing not in PASSES or unit not in UNITS:
        raise InputError(f"a step has a pass ({', '.join(PASSES)}) and a unit ({', '.join(UNITS)})")
    return scene.stepped(str(passing), str(unit))


def reset(scene: Scene, given: Fields) -> Scene:
    return scene.reset()


def scrub(scene: Scene, given: Fields) -> Scene:
    timeline, network = scene.timeline.at(fields.whole(given.get("epoch"), "epoch", 0, 2**53))
    return scene.with_network(network, timeline)


QUESTIONS: dict[str, Callable[[Scene, Fields], dict[str, Any]]] = {
    "derive": derive,
    "neuron": neuron,
    "surface": surface,
    "maps": maps,
    "formulas": formulas,
    "samples": samples,
    "check": check,
}
EDITS: dict[str, Callable[[Scene, Fields], Scene]] = {
    "open": open_state,
    "set": change,
    "weight": weight,
    "points": points,
    "sample": sample,
    "row": row,
    "hold_out": hold_out,
    "step": step,
    "reset": reset,
    "scrub": scrub,
}
PAUSING = ("open", "reset", "scrub", "step")  # edits that stop a run
