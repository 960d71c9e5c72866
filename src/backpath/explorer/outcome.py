"""The outcome of a run: solved, on a plateau or diverged; and what to try next."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np

from backpath.explain.learning.why import why_not_learning
from backpath.explorer.scene import Scene

_CLOSE = 0.05  # solved: every answer is closer to its target
_FLAT = 1e-3  # a plateau: from the third to the last quarter of the epochs, the mean cost falls by a smaller share
LEAST_EPOCHS = 10_000  # a run with fewer is not on a plateau
ANOTHER_START = ("plateau", "equal_neurons", "zero_weights", "dead_relu", "saturated", "tiny_weights")


@dataclass(frozen=True)
class Outcome:
    """Why a run stopped automatically.

    Attributes
    ----------
    why : "solved" | "plateau" | "diverged"
    message : str
    tries : tuple of dicts
        Remedies: a ``label``, and the settings to ``set`` before the run goes on.
    """

    why: str
    message: str
    tries: tuple[dict[str, Any], ...] = ()


def outcome(scene: Scene, began: int) -> Outcome | None:
    """The outcome of the run that began at an epoch; None while it makes progress."""
    timeline = scene.timeline
    if not timeline.costs:
        return None
    if _is_solved(scene, timeline.costs[-1]):
        return Outcome(
            "solved", f"Solved after {timeline.epoch:,} epochs: every answer is within {_CLOSE} of its target."
        )
    if timeline.epoch - began < max(LEAST_EPOCHS, began):  # continued after a plateau: as many epochs again
        return None
    return _plateau(scene) if _is_flat(timeline.epochs, timeline.costs) else None


def diverged(scene: Scene, message: str) -> Outcome:
    return Outcome("diverged", message, (_rate(scene, 0.1),))


def _is_solved(scene: Scene, cost: float) -> bool:
    data = scene.data
    if data.task == "regression" or cost > _CLOSE * data.y.shape[1]:
        return False
    return bool(np.abs(scene.network.predict(data.X) - data.y).max() < _CLOSE)


def _is_flat(epochs: list[int], costs: list[float]) -> bool:
    """Whether the cost hardly falls, and falls no faster than before: a run that is leaving a plateau speeds up."""
    ends = np.searchsorted(epochs, [epochs[-1] * eighths / 8 for eighths in (4, 5, 6, 7, 8)], side="right")
    parts = [costs[start:end] for start, end in itertools.pairwise(ends)]
    if not all(parts):
        return False
    first, second, third, last = (float(np.mean(part)) for part in parts)
    before, after = (first + second) / 2, (third + last) / 2
    return before - after < _FLAT * after and third - last <= first - second


def _plateau(scene: Scene) -> Outcome:
    s, data = scene.settings, scene.data
    report = why_not_learning(scene.network, data.X, data.y, learning_rate=s.learning_rate, cost=s.cost)
    found = {finding.mistake for finding in report.findings}
    reasons = [f"{finding.message[0].upper()}{finding.message[1:]}." for finding in report.findings[:2]]
    message = f"Paused: the cost has hardly fallen since epoch {scene.timeline.epoch // 2:,}."
    tries = []
    if "step_too_large" in found:
        tries.append(_rate(scene, 1 / 3))
    if "step_too_small" in found:
        tries.append(_rate(scene, 3))
    if found & set(ANOTHER_START) or not tries:
        tries.append({"label": "Another start", "set": {"seed": s.seed + 1}})
        if len(s.sizes) > 2:
            hidden = (*s.sizes[:-2], s.sizes[-2] + 1, s.sizes[-1])
            tries.append({"label": "One more hidden neuron", "set": {"sizes": list(hidden)}})
    return Outcome("plateau", " ".join([message, *reasons]), ({"label": "Continue", "set": {}}, *tries))


def _rate(scene: Scene, factor: float) -> dict[str, Any]:
    rate = float(f"{scene.settings.learning_rate * factor:.2g}")
    return {"label": f"Learning rate {rate:g}", "set": {"learning_rate": rate}, "reset": factor < 1}
