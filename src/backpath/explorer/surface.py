"""The network's answers over a range of inputs: the decision surface of two inputs, or the fitted curve of one."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpath.errors import InputError
from backpath.explorer import limits
from backpath.explorer.scene import Scene
from backpath.maths.arrays import Array
from backpath.maths.network import Network
from backpath.maths.notation import neuron_index, neuron_names

_MARGIN = 0.15  # on each side, relative to the range of the data
CURVE_POINTS = 200
RANGES = {"sigmoid": (0.0, 1.0), "softmax": (0.0, 1.0), "tanh": (-1.0, 1.0)}


@dataclass(frozen=True)
class Surface:
    """The inputs that vary, and the resolution; the other inputs are the sample's."""

    axes: tuple[str, ...]
    resolution: int = 48

    @classmethod
    def checked(cls, scene: Scene, axes: object, resolution: int) -> Surface:
        names = axes if isinstance(axes, list) and axes else ["X1", "X2"][: scene.settings.sizes[0]]
        if len(names) > 2 or len(set(map(str, names))) != len(names):
            raise InputError("axes must be one or two different inputs, as in ['X1', 'X2']")
        for name in names:
            if neuron_index(name, scene.settings.sizes)[0] != 0:
                raise InputError(f"axes must be inputs, but {name} is not an input")
        return cls(tuple(names), resolution)

    def fits(self, network: Network) -> bool:
        """Whether a network has these inputs."""
        return set(self.axes) <= set(neuron_names(network.sizes, 0))

    def of(self, scene: Scene, network: Network) -> dict[str, Any]:
        """The outputs over the range of the data."""
        columns = [neuron_index(name, network.sizes)[1] - 1 for name in self.axes]
        ranges = [_range(scene.data.X[:, column]) for column in columns]
        found: dict[str, Any] = {"axes": list(self.axes), "extent": [end for pair in ranges for end in pair]}
        if len(columns) == 1:
            along = np.linspace(*ranges[0], CURVE_POINTS)
            A = network.predict(_inputs(scene, columns, [along]))
            return found | {"curve": {"x": along.tolist(), "y": _finite(A[:, 0]).tolist()}}
        across = np.linspace(*ranges[0], self.resolution)
        down = np.linspace(*ranges[1], self.resolution)[::-1]
        x1, x2 = np.meshgrid(across, down)
        A = network.predict(_inputs(scene, columns, [x1.ravel(), x2.ravel()]))
        found |= {"resolution": self.resolution, "values": _base64(_finite(A.max(axis=1)).astype("<f4"))}
        if A.shape[1] > 1:
            found["classes"] = _base64(A.argmax(axis=1).astype(np.uint8))
        return found


def maps(scene: Scene, resolution: int) -> dict[str, Any]:
    """The output of every neuron over the range of two inputs, as shades from 0 to 255: over the whole range of σ and
    tanh, otherwise from the smallest to the largest value."""
    network = scene.network
    if network.sizes[0] != 2:
        raise InputError("neurons have maps only in networks of two inputs")
    extent = [_range(scene.data.X[:, column]) for column in range(2)]
    across, down = (np.linspace(*ends, resolution) for ends in extent)
    x1, x2 = np.meshgrid(across, down[::-1])
    run = network.forward(np.column_stack([x1.ravel(), x2.ravel()]))
    found = {}
    for layer, name in enumerate(network.activations, 1):
        for neuron in neuron_names(network.sizes, layer):
            values = _finite(np.asarray(run[neuron]))
            least, most = RANGES.get(name, (float(values.min()), float(values.max())))
            shades = np.clip((values - least) / (most - least or 1.0) * 255, 0, 255)
            found[neuron] = _base64(shades.astype(np.uint8))
    return {"resolution": resolution, "maps": found}


def usual(scene: Scene) -> Surface:
    """The first two inputs, or the only one."""
    return Surface.checked(scene, None, min(48, limits.RESOLUTION))


def _inputs(scene: Scene, columns: list[int], values: list[Array]) -> Array:
    X = np.tile(scene.focus.x, (len(values[0]), 1))
    for column, along in zip(columns, values, strict=True):
        X[:, column] = along
    return X


def _range(values: Array) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    margin = _MARGIN * (high - low) or 1.0
    return low - margin, high + margin


def _finite(values: Array) -> Array:
    """The values for the page, in float32."""
    return np.clip(np.nan_to_num(values, nan=0.0, posinf=1e30, neginf=-1e30), -1e30, 1e30)


def _base64(values: NDArray[Any]) -> str:
    return base64.b64encode(values.tobytes()).decode("ascii")
