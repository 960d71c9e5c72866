"""The place of a mistake in a function: the first quantity that it changes, and the line that computes it.

The function is run again, and the final arrays of its variables are compared with those of a pass with the mistake. A
variable is the wrong quantity if both are equal up to a constant and transposition.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any

import numpy as np

from backpath.explain.diagnosis.mistakes import Mistake
from backpath.explain.diagnosis.passes import PassEdits, Passes
from backpath.explain.diagnosis.problem import Problem
from backpath.maths.arrays import Array

_NEAR = 1e-9  # relative to an array's norm; arrays that differ by less are equal
_LONGEST = 90  # the longest line to quote, in characters


def where_it_sits(q: Problem, slips: tuple[Mistake, ...], run: Callable[[], object], function: object) -> str:
    """The first wrong quantity, and the line that computes it, if it can be found: "δ of layer 1, in your line
    `d1 = …`"; "" if the slips have no effect.

    ``run`` calls the function with the samples of the problem.
    """
    found = _first_changed(q, slips)
    if found is None:
        return ""
    what, wrong = found
    for variable in _variables(run, function):
        if _is_same(variable.value, wrong) and (line := variable.line):
            return f"{what}, in your line `{line}`"
    return what


@dataclass(frozen=True)
class _Variable:
    """The final array of a variable of some code."""

    name: str
    value: Array
    code: CodeType

    @property
    def line(self) -> str:
        """The last statement that sets it; "" if none can be quoted."""
        try:
            source = inspect.getsource(self.code)
        except (OSError, TypeError):
            return ""
        sets = re.compile(rf"(?:^|[\s,(]){re.escape(self.name)}(?:\[[^\]]*\])?\s*(?:,[^=]*)?[-+*/]?=(?!=)")
        statements = [part.strip() for line in source.splitlines() for part in line.split("#")[0].split(";")]
        found = [statement for statement in statements if sets.search(statement)]
        return found[-1] if found and len(found[-1]) <= _LONGEST else ""


def _first_changed(q: Problem, slips: tuple[Mistake, ...]) -> tuple[str, Array] | None:
    """The first wrong quantity, and its values."""
    runs: list[PassEdits] = [(slip.edits, np.array([0])) for slip in slips]
    right, wrong = (_quantities(Passes(q, 1, edits)) for edits in ([], runs))
    for (what, values), (_, others) in zip(right, wrong, strict=True):
        if not np.allclose(values, others, rtol=_NEAR, atol=1e-300, equal_nan=True):
            return what, others
    return None


def _quantities(p: Passes) -> Iterator[tuple[str, Array]]:
    """The quantities of a pass, in order."""
    last = p.q.layers
    for layer in p.q.every:
        yield f"the weighted sums of layer {layer}", p.u[layer][0]
        yield f"the outputs of layer {layer}", p.a[layer][0]
    yield "the error at the outputs", p.dC_da[last][0]
    for layer in range(last, 0, -1):
        if layer < last:
            yield f"the error backpropagated to layer {layer}", p.dC_da[layer][0]
        yield f"δ of layer {layer}", p.delta[layer][0]
        yield f"the gradient of the weights of layer {layer}", p.G[layer][0][:, :-1]
        yield f"the gradient of the biases of layer {layer}", p.G[layer][0][:, -1]


def _variables(run: Callable[[], object], function: object) -> list[_Variable]:
    """The final arrays of the variables of the function, and of functions that it calls in its file, the last ones
    first."""
    code, held = getattr(function, "__code__", None), dict[tuple[CodeType, str], object]()

    def watch(frame: FrameType, event: str, _: object) -> Callable[..., Any] | None:
        if code is None or frame.f_code.co_filename != code.co_filename:
            return None
        if event == "return":
            held.update({(frame.f_code, name): value for name, value in frame.f_locals.items()})
        return watch

    before = sys.gettrace()
    sys.settrace(watch)
    try:
        run()
    finally:
        sys.settrace(before)
    arrays = [(*of, v) for of, v in held.items() if isinstance(v, np.ndarray) and v.dtype.kind == "f"]
    return [_Variable(name, value, code) for code, name, value in reversed(arrays)]


def _is_same(value: Array, wrong: Array) -> bool:
    """Whether two arrays are equal up to a constant and transposition."""
    ways = [value.ravel()] if wrong.ndim == 1 else [value, value.T]
    return bool(wrong.any()) and any(_is_multiple(way, wrong) for way in ways if way.shape == wrong.shape)


def _is_multiple(value: Array, of: Array) -> bool:
    factor = float((value * of).sum() / (of * of).sum())
    return bool(factor and np.abs(value - factor * of).max() <= _NEAR * np.abs(value).max())
