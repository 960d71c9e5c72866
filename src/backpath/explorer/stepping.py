"""The notes' step, number by number: forward, cost, backward and update, as far as the user has stepped."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from backpath.errors import InputError
from backpath.explain.digits import shown
from backpath.explain.expression import Call, Equation, Expression, Number
from backpath.explain.printers import mathml
from backpath.explain.step import Step
from backpath.explain.written.whole_step import MOST_SAMPLES, MOST_WEIGHTS
from backpath.explorer.even_digits import even, known
from backpath.explorer.settings import drawn
from backpath.maths.activations import activation
from backpath.maths.notation import neuron_index, neuron_names, weight_name

PASSES = ("Forward", "Backward", "Update")
UNITS = ("neuron", "layer", "all")
MOST_LINES = 60  # lines of formulas to show at once, or else one layer's
_COST = "C"

NeuronValues = dict[str, dict[str, Any]]
Unit = tuple[str, str]  # a pass, and a neuron or the cost


def units(sizes: tuple[int, ...]) -> list[Unit]:
    """All units of a step, in order.

    >>> units((2, 2, 1))[:4], units((2, 2, 1))[-1]
    ([('Forward', 'H1'), ('Forward', 'H2'), ('Forward', 'A1'), ('Forward', 'C')], ('Update', 'A1'))
    """
    layers = [neuron_names(sizes, layer) for layer in range(1, len(sizes))]
    found = [("Forward", name) for layer in layers for name in layer] + [("Forward", _COST)]
    found += [("Backward", name) for layer in reversed(layers) for name in layer]
    return found + [("Update", name) for layer in layers for name in layer]


@dataclass(frozen=True, eq=False)
class Stepping:
    """The progress of a step.

    Attributes
    ----------
    step : Step | None
        Cost, gradients and updates of one sample or of the batch; None before anything is computed.
    of_neurons : Step | None
        The step of the sample whose neurons are shown.
    done : int
        The number of ``units`` computed.
    values, previous : by name
        The values computed in this step, and those of the previous step.
    formulas : tuple of (title, Equation)
        The formulas of the values computed last, each under its layer.
    """

    step: Step | None = None
    of_neurons: Step | None = None
    done: int = 0
    values: NeuronValues = field(default_factory=dict)
    previous: NeuronValues = field(default_factory=dict)
    formulas: tuple[tuple[str, Equation], ...] = ()

    def restarted(self) -> Stepping:
        """A new step; the present values become the previous ones."""
        return Stepping(previous=self.previous | self.values)

    def further(self, sizes: tuple[int, ...], passing: str, unit: str) -> Stepping:
        """With the next neuron, the next layer or the rest of a pass computed.

        Raises
        ------
        InputError
            If another pass comes next.
        """
        every = units(sizes)
        now, name = every[self.done]
        if now != passing:
            raise InputError(f"{passing} is not possible yet: {now} comes next, with {name}")
        end = self.done + 1
        while unit != "neuron" and end < len(every) and every[end][0] == passing:
            if unit == "layer" and not _together(every[end - 1][1], every[end][1], sizes):
                break
            end += 1
        values, formulas, exact = dict(self.values), list[tuple[str, Equation]](), self._exact()
        for _, name in every[self.done : end]:
            for key, value, lines in self._computed(passing, name):
                values[key] = value
                formulas += [(_title(name, sizes), even(line, exact)) for line in lines]
        return Stepping(self.step, self.of_neurons, end, values, self.previous, tuple(formulas))

    def _exact(self) -> frozenset[float]:
        steps = [step for step in (self.step, self.of_neurons) if step is not None]
        return frozenset().union(
            *(known(step.network, step.numbers, step.learning_rate, *step.after.weights) for step in steps)
        )

    def put_away(self) -> Stepping:
        """Without what can be recomputed."""
        return replace(self, step=None, of_neurons=None)

    @property
    def is_written_out(self) -> bool:
        """Whether formulas are short enough to read, as in an explained step."""
        return self.step is not None and (
            len(self.step.updates) <= MOST_WEIGHTS and len(self.step.numbers.x) <= MOST_SAMPLES
        )

    def _computed(self, passing: str, name: str) -> Iterator[tuple[str, dict[str, Any], tuple[Equation, ...]]]:
        """The values of one neuron in one pass, with their formulas."""
        if self.step is None or self.of_neurons is None:
            return
        if passing == "Forward":
            yield from _cost(self.step, self.is_written_out) if name == _COST else _forward(self.of_neurons, name)
            return
        layer, j = neuron_index(name, self.step.network.sizes)
        if passing == "Backward":
            delta = float(self.of_neurons.numbers.delta[layer - 1][0, j - 1])
            yield f"delta_{name}", _value(delta), ()
            if not activation(self.step.network.activations[layer - 1]).jacobian:
                slope = float(self.of_neurons.numbers.slopes[layer - 1][0, j - 1])
                yield f"slope_{name}", _value(slope), ()
        count = drawn(self.step.network.sizes)
        if j > count[layer]:
            return
        sources = [*range(1, count[layer - 1] + 1), *([None] if self.step.network.biases else [])]
        for source in sources:
            yield self._of_weight(self.step, passing, weight_name(layer, j, source))

    def _of_weight(self, step: Step, passing: str, weight: str) -> tuple[str, dict[str, Any], tuple[Equation, ...]]:
        if passing == "Backward":
            lines = (step.gradient(weight),) if self.is_written_out else ()
            return f"gradient {weight}", _value(step.gradients[weight], lines), lines
        lines = (step.update(weight),) if self.is_written_out else ()
        return f"new {weight}", _value(step.after[weight], lines), lines

    def for_the_page(self, sizes: tuple[int, ...]) -> dict[str, Any]:
        every = units(sizes)
        over = self.done == len(every)
        upcoming = every[0] if over else every[self.done]
        last = every[self.done - 1] if self.done else None
        return {
            "phase": last[0].lower() if last else "start",
            "at": last[1] if last else None,
            "values": self.values,
            "previous": self.previous,
            "next": {passing: upcoming[1] if upcoming[0] == passing else None for passing in PASSES},
            "formulas": self.tables(),
        }

    def tables(self) -> list[dict[str, Any]]:
        """A table of formulas for each layer, the last computed layer first: one row per formula, one cell per side."""
        found: list[dict[str, Any]] = []
        count = 0
        for title, pairs in itertools.groupby(reversed(self.formulas), key=lambda pair: pair[0]):
            lines = [line for _, line in pairs][::-1]
            count += len(lines)
            if found and count > MOST_LINES:
                break
            found.append({"title": title, "rows": [list(map(mathml.in_a_line, line.sides)) for line in lines]})
        return found


def _title(name: str, sizes: tuple[int, ...]) -> str:
    return "Cost" if name == _COST else f"Layer {neuron_index(name, sizes)[0]}"


def _together(one: str, other: str, sizes: tuple[int, ...]) -> bool:
    """Whether two neurons are in the same layer; the cost belongs to the outputs."""
    return other == _COST or neuron_index(one, sizes)[0] == neuron_index(other, sizes)[0]


def _forward(step: Step, name: str) -> Iterator[tuple[str, dict[str, Any], tuple[Equation, ...]]]:
    layer, j = neuron_index(name, step.network.sizes)
    lines = step.neuron(name) if step.network.sizes[layer - 1] <= MOST_WEIGHTS else ()
    numbers = step.numbers
    u = {"value": float(numbers.u[layer - 1][0, j - 1])}
    yield f"u_{name}", u | {"text": net_input_text(lines) or shown(u["value"])}, lines
    yield name, _value(float(numbers.a[layer][0, j - 1]), lines), ()


def net_input_text(lines: tuple[Equation, ...]) -> str | None:
    """u as in a neuron's formulas: in σ(0.3775), or for softmax at the end of the first line."""
    if len(lines) > 1:
        return _number_text(lines[0].sides[-1])
    inner = lines[0].sides[-2] if lines else None
    return _number_text(inner.arguments[0]) if isinstance(inner, Call) else None


def _cost(step: Step, written_out: bool) -> Iterator[tuple[str, dict[str, Any], tuple[Equation, ...]]]:
    lines = (step.cost_with_numbers(),) if written_out else ()
    yield _COST, _value(step.cost_value, lines), lines


def _value(value: float, lines: tuple[Equation, ...] = ()) -> dict[str, Any]:
    """A number and its text, which is the same as at the end of its formula."""
    text = _number_text(lines[-1].sides[-1]) if lines else None
    return {"value": value, "text": text or shown(value)}


def _number_text(side: Expression) -> str | None:
    return side.text if isinstance(side, Number) else None
