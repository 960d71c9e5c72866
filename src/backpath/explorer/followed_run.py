"""A run that is trained elsewhere, as scenes: the network of its newest checkpoint and the curve so far."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from backpath.errors import InputError
from backpath.explorer.data import Data, of_training_table
from backpath.explorer.scene import Scene
from backpath.explorer.timeline import Timeline
from backpath.files.choices import Choices
from backpath.files.dialect import Dialect
from backpath.files.models import Model
from backpath.files.tables import read_training_table
from backpath.files.wording import plain
from backpath.training.datasets import DATASETS
from backpath.training.run_views import RunView, key_of, look_at

SECONDS = 1.0  # between updates
RECORDED = ("cost", "solver", "learning_rate", "batch_size", "seed")
BY_ALL_ROWS = (
    "Here the inputs are prepared with all rows of the table, in the run with its training rows only; they may differ."
)
NO_SAMPLES = "The samples of this run are not available here."


class FollowedRun:
    """The run in a folder.

    Attributes
    ----------
    scene : Scene
        The scene at the last update.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self._key = key_of(folder)
        found = look_at(folder)
        self._data = _data(found.call)
        self.scene = self._scene(found)

    def look(self) -> None:
        """Update the scene if there is more to see; an unreadable folder is tried again at the next update."""
        with suppress(InputError, OSError):
            key = key_of(self.folder)
            if key != self._key:
                self.scene, self._key = self._scene(look_at(self.folder)), key

    def _scene(self, found: RunView) -> Scene:
        net, data = found.network, self._data
        record = {key: found.settings[key] for key in RECORDED if found.settings.get(key) is not None}
        if data is not None and (data.X.shape[1], data.y.shape[1]) != (net.sizes[0], net.sizes[-1]):
            data = None
        model = Model(net, None, record | {"source": found.call.get("source")})
        timeline = Timeline(net, found.epoch)
        timeline.begin_with(found.costs, found.held_out)
        name = plain(Path(self.folder).resolve().name)
        return replace(Scene.of_model(model, data, NO_SAMPLES), timeline=timeline, run=f"{name}: {_standing(found)}")


def _standing(found: RunView) -> str:
    run = found.run
    training = f"training {run.training}, " if run.training > 1 else ""
    last = max([found.epoch, *(epoch for epoch, _ in found.costs[-1:])])
    at = "" if last == found.epoch else f"; the network is that of epoch {found.epoch:,}"
    return f"{run.state}, {training}epoch {last:,} of {run.of or last:,}{at}"


def _data(call: dict[str, Any]) -> Data | None:
    """The table of a run of ``backpath train``, read as there; None for other runs, or if it cannot be read."""
    source, target = call.get("source"), call.get("target")
    if not isinstance(source, str) or not isinstance(target, str) or source in DATASETS:
        return None
    try:
        dialect = Dialect(call["delimiter"], call["encoding"], call["decimal"], call["header"], tuple(call["na"]))
        taken = [tuple(call[key]) for key in ("categorical", "numeric", "ignore", "keep_column")]
        choices = Choices(call["task"], taken[0], taken[1], taken[2], taken[3], call["missing"], call["dates"])
        files = [source, *(call.get("more_files") or ())]
        data = of_training_table(Path(source).name, read_training_table(files, target, choices, dialect))
    except (InputError, KeyError, TypeError):
        return None
    return replace(data, note=f"{data.note} {BY_ALL_ROWS}".strip())
