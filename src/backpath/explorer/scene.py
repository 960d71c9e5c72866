"""The state of a page at one moment. It never changes in place, so Undo returns to an earlier one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from backpath.errors import InputError
from backpath.explain.backward import in_float64
from backpath.explain.step import explain_step
from backpath.explorer import limits
from backpath.explorer.data import Data, built_in, usual_settings
from backpath.explorer.data import of_model as data_of_model
from backpath.explorer.settings import DRAWING, Settings, weight_count
from backpath.explorer.stepping import Stepping, units
from backpath.explorer.timeline import Timeline
from backpath.files.models import Model
from backpath.files.wording import plain
from backpath.maths.arrays import Floats
from backpath.maths.network import Network
from backpath.training.datasets import DATASETS
from backpath.training.job import LEARNING_RATES

CHOSEN = ("sizes", "activations", "cost", "solver", "learning_rate", "batch_size", "biases", "init", "seed")


@dataclass(frozen=True)
class Focus:
    """The selected sample: a row of the data, or a row that was typed or is held out, which has a ``number``. With
    ``batch``, steps are of all rows."""

    index: int | None = 0
    x: Floats = field(default_factory=lambda: np.zeros(0))
    y: Floats = field(default_factory=lambda: np.zeros(0))
    batch: bool = False
    number: int | None = None


@dataclass(frozen=True, eq=False)
class Scene:
    """A moment of a session.

    Attributes
    ----------
    start : Network
        The network that Reset restores: as drawn, or as loaded.
    """

    settings: Settings
    data: Data
    network: Network
    start: Network
    timeline: Timeline
    focus: Focus
    stepping: Stepping = field(default_factory=Stepping)
    loaded: bool = False  # the start is from a file, not drawn from the seed
    own: tuple[Data, ...] = ()  # the user's tables and drawings in the list of data
    run: str = ""  # name and state of a run that is trained elsewhere

    @classmethod
    def drawn(cls, settings: Settings, data: Data, index: int = 0) -> Scene:
        """A scene with the network that the settings draw, before training."""
        check_fit(settings, data)
        network = settings.network()
        return cls(settings, data, network, network, Timeline(network), focus_on(data, index))

    def with_data(self, data: Data) -> Scene:
        """With other samples, and those manual changes to the settings that fit them."""
        settings, before = usual_settings(data), usual_settings(self.data)
        for key, value in self.settings.as_dict().items():
            if key not in CHOSEN or value == before.as_dict()[key]:
                continue
            if key == "learning_rate" and settings.solver != self.settings.solver:
                continue  # it belongs to another solver
            wanted: dict[str, Any] = {key: value}
            if key in ("sizes", "activations"):
                now, last = self.settings, settings.activations[-1]
                sizes = [settings.sizes[0], *now.sizes[1:-1], settings.sizes[-1]]
                wanted = {"sizes": sizes, "activations": [*now.activations[:-1], last]}
            with suppress(InputError):
                settings = settings.changed(wanted)
        return replace(Scene.drawn(settings, data, _first(data)), own=self.own)

    def owning(self, before: Scene) -> Scene:
        """With the previous scene's list of data, and its own."""
        data, own = self.data.whole or self.data, before.own
        if data.name not in DATASETS and not data.typed and not _is_in(data, own):
            own = _with_own(own, data, before.data)
        while len(own) > 1 and (len(own) > limits.OWN_DATA or sum(d.X.size + d.y.size for d in own) > limits.NUMBERS):
            own = own[1:]
        return replace(self, own=own)

    @classmethod
    def of_data_set(cls, name: str) -> Scene:
        data, settings = built_in(name)
        return cls.drawn(settings, data, _first(data))

    @classmethod
    def of_table(cls, data: Data) -> Scene:
        return cls.drawn(usual_settings(data), data)

    @classmethod
    def of_model(cls, model: Model, samples: Data | None = None, note: str = "") -> Scene:
        """A model's network on the given samples, or on the built-in data set that it was trained on, or on a row to
        type."""
        network = in_float64(model.network)
        data, settings = _samples_of(model, network, samples, note)
        settings = _as_recorded(settings, model.record)
        check_fit(settings, data)
        focus = focus_on(data, _first(data))
        return cls(settings, data, network, network, Timeline(network), focus, loaded=True)

    def with_table(self, samples: Data) -> Scene:
        """The model with samples, its first or others: the network stays."""
        data = _enough(self.network, samples)
        check_fit(self.settings, data)
        self.network.samples(data.X, data.y, self.settings.cost)
        found = replace(self, data=data, focus=focus_on(data, _first(data)), timeline=Timeline(self.network))
        return replace(found, stepping=Stepping())

    def with_row(self, x: Floats, y: Floats) -> Scene:
        """With a typed sample; without other samples, the cost is computed on it."""
        self.network.samples(x, y, self.settings.cost)
        if not self.data.typed:
            return self.with_focus(Focus(None, x, y))
        data = replace(self.data, X=x[np.newaxis], y=y[np.newaxis])
        found = replace(self, data=data, timeline=Timeline(self.network))
        return found.with_focus(focus_on(data, 0))

    def with_row_number(self, number: int) -> Scene:
        """With the row of this number in the table, which may be held out."""
        data = self.data
        index = data.index(number)
        if data.typed:
            raise InputError("there are no rows yet; give the model its table first")
        if index is not None:
            return self.with_focus(focus_on(data, index))
        rest = data.held_out
        place = None if rest is None else rest.index(number)
        if rest is not None and place is not None:
            return self.with_focus(Focus(None, rest.X[place], rest.y[place], number=number))
        last = max(part.number(len(part.X) - 1) for part in (data, rest) if part is not None)
        raise InputError(
            f"row {number:,} of {plain(data.name)} was left out (see the note under Data); choose another one"
            if number < last
            else f"the last row of {plain(data.name)} is row {last:,}, so there is no row {number:,}"
        )

    def with_settings(self, settings: Settings, redraw: bool) -> Scene:
        """With other settings for training, or with ``redraw`` another network."""
        if redraw:
            found = Scene.drawn(settings, self.data)
            return replace(found, focus=self.focus, stepping=self._other_network(settings.sizes))
        check_fit(settings, self.data)
        timeline = self.timeline if settings.cost == self.settings.cost else Timeline(self.network)
        return replace(self, settings=settings, timeline=timeline, stepping=self.stepping.restarted())

    def _other_network(self, sizes: tuple[int, ...]) -> Stepping:
        return self.stepping.restarted() if sizes == self.settings.sizes else Stepping()

    def with_network(self, network: Network, timeline: Timeline | None = None) -> Scene:
        """With other weights."""
        return replace(self, network=network, timeline=timeline or self.timeline, stepping=self.stepping.restarted())

    def edited(self, network: Network) -> Scene:
        """With weights that a user typed; a run restarts from them."""
        return self.with_network(network, Timeline(network))

    def with_points(self, X: Floats, y: Floats) -> Scene:
        data = self.data.drawn(X, y)
        check_fit(self.settings, data)
        self.network.samples(X, y, self.settings.cost)
        index = self.focus.index
        focus = self.focus if index is None else replace(focus_on(data, min(index, len(X) - 1)), batch=self.focus.batch)
        return replace(self, data=data, focus=focus, stepping=self.stepping.restarted())

    def with_focus(self, focus: Focus) -> Scene:
        """With another sample selected; the previous sample's values are dropped."""
        return replace(self, focus=focus, stepping=Stepping())

    def holding_out(self, percent: int) -> Scene:
        """With some of the rows held out; the network stays, and its curve restarts."""
        data = self.data.holding_out(percent)
        found = replace(self, data=data, timeline=Timeline(self.network))
        return found.with_focus(focus_on(data, min(self.focus.index or 0, len(data.X) - 1)))

    def reset(self) -> Scene:
        """Before any training."""
        return self.with_network(self.start, Timeline(self.start))

    def stepped(self, passing: str, unit: str) -> Scene:
        """With the next part of the step computed; after the last part, the weights are updated."""
        every = units(self.settings.sizes)
        stepping = self.stepping
        if stepping.done == len(every):
            stepping = stepping.restarted()
        if stepping.step is None:
            rate, cost = self.settings.learning_rate, self.settings.cost
            labels = self.input_labels
            of_neurons = explain_step(self.network, self.focus.x, self.focus.y, cost, rate, labels=labels)
            step = of_neurons
            if self.focus.batch:
                if len(self.data.X) > limits.STEPPED_ROWS:
                    raise InputError(
                        f"the step of a batch is shown for up to {limits.STEPPED_ROWS:,} rows; look at one sample"
                    )
                step = explain_step(self.network, self.data.X, self.data.y, cost, rate, labels=labels)
            stepping = replace(stepping, step=step, of_neurons=of_neurons)
        stepping = stepping.further(self.settings.sizes, passing, unit)
        if stepping.done == len(every) and stepping.step is not None:
            after, timeline = stepping.step.after, self.timeline.copy()
            timeline.add([self.cost], after)
            return replace(self, network=after, timeline=timeline, stepping=stepping)
        return replace(self, stepping=stepping)

    @property
    def follows(self) -> bool:
        """Whether it is an unchanged view of a run that is trained elsewhere."""
        return bool(self.run) and self.network is self.start

    def following(self, run: Scene) -> Scene:
        """The present state of a run, with the sample and table selected here if they fit."""
        found = replace(run, own=self.own)
        same = self.data.name == run.data.name or not self.data.typed
        if same and (self.data.X.shape[1], self.data.y.shape[1]) == (run.data.X.shape[1], run.data.y.shape[1]):
            found = replace(found, data=self.data, focus=self.focus)
        return found

    def put_away(self) -> Scene:
        """Without what can be recomputed, for Undo."""
        return replace(self, stepping=self.stepping.put_away())

    @property
    def input_labels(self) -> dict[str, str]:
        return {name: label for name, label in self.data.labels(self.settings.sizes).items() if name.startswith("X")}

    @property
    def samples(self) -> tuple[Floats, Floats]:
        """The evaluation to derive: the selected sample, or the whole batch."""
        return (self.data.X, self.data.y) if self.focus.batch else (self.focus.x, self.focus.y)

    @property
    def cost(self) -> float:
        """The mean over all rows."""
        return self.network.cost(self.data.X, self.data.y, self.settings.cost)


def _is_in(data: Data, own: Sequence[Data]) -> bool:
    return any(data is other for other in own)


def _with_own(own: tuple[Data, ...], data: Data, before: Data) -> tuple[Data, ...]:
    """The list with these data: instead of the data before if more points were drawn in them, otherwise at its end."""
    if data.name == before.name == "points" and _is_in(before, own):
        return tuple(data if other is before else other for other in own)
    return (*own, data)


def _samples_of(model: Model, network: Network, samples: Data | None, note: str) -> tuple[Data, Settings]:
    """A model's data and usual settings: see ``Scene.of_model``."""
    sizes, activations, biases = network.sizes, network.activations, network.biases
    settings = Settings(sizes, activations, _usual_cost(network), learning_rate=0.05, biases=biases)
    source = model.record.get("source")
    if samples is not None:
        return _enough(network, samples), settings
    if isinstance(source, str) and source in DATASETS:
        found, of_found = built_in(source)
        if (found.X.shape[1], found.y.shape[1]) == (sizes[0], sizes[-1]):
            return found, replace(of_found, sizes=sizes, activations=activations, biases=biases)
    return data_of_model(network, model.preparation, note), settings


def _as_recorded(settings: Settings, record: Mapping[str, Any]) -> Settings:
    """The settings of a model's training, as far as the page has them."""
    known = {key: record[key] for key in ("cost", "solver", "learning_rate", "batch_size", "seed") if key in record}
    if str(known.get("solver", "gd")) not in LEARNING_RATES:  # such as lm; its rate does not suit another solver
        known = {**known, "solver": "adam"}
        known.pop("learning_rate", None)
    for key, value in known.items():
        with suppress(InputError):  # a file's record of its training helps, but may be from elsewhere
            settings = settings.changed({key: value})
    return settings


def _usual_cost(network: Network) -> str:
    """The cost of a network whose file names none: the notes' cost, unless the outputs require another one."""
    return "categorical_cross_entropy" if network.activations[-1] == "softmax" else "squared_error"


def _enough(network: Network, data: Data) -> Data:
    """Samples for a network; every n-th one if there are too many to train on the page."""
    every = -(-len(data.X) * weight_count(network.sizes) // limits.WORK)
    if every <= 1:
        return data
    note = f"{data.note} One in {every:,} of the {len(data.X):,} rows is shown.".strip()
    return replace(data.taking(slice(None, None, every)), note=note)


def _first(data: Data) -> int:
    """The first sample to select: 1, 1 in a truth table, where no gradient is 0 because of a zero input."""
    return min(3, len(data.X) - 1)


def focus_on(data: Data, index: int) -> Focus:
    return Focus(index, data.X[index], data.y[index])


def check_fit(settings: Settings, data: Data) -> None:
    """Refuse sizes that do not fit the data, and too much work for a shared server."""
    inputs, outputs = data.X.shape[1], data.y.shape[1]
    if (settings.sizes[0], settings.sizes[-1]) != (inputs, outputs):
        raise InputError(
            f"the data have {inputs} inputs and {outputs} outputs, but the sizes begin with {settings.sizes[0]} and "
            f"end with {settings.sizes[-1]}"
        )
    settings.check()
    work = weight_count(settings.sizes) * len(data.X)
    if work > limits.WORK:
        raise InputError(
            f"{weight_count(settings.sizes):,} weights on {len(data.X):,} rows are more than a page can show in "
            "motion; use a smaller network, or backpath train"
        )


def with_settings(settings: Settings, given: Mapping[str, Any]) -> tuple[Settings, bool]:
    """The settings with these changes, and whether the network must be redrawn."""
    return settings.changed(given), any(key in given for key in DRAWING)
