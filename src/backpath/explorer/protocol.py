"""Messages between page and server: JSON in text frames.

The page sends ``{"id": 7, "do": "derive", …}`` and receives ``{"id": 7, "ok": …}`` or ``{"id": 7, "error": line}``;
the server pushes ``{"event": …}``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from backpath.errors import InputError
from backpath.explorer import limits
from backpath.files.wording import quoted
from backpath.maths.activations import ACTIVATIONS
from backpath.maths.costs import COSTS
from backpath.maths.initialisations import INITIALISATIONS
from backpath.training.datasets import DATASETS, dataset
from backpath.training.job import LEARNING_RATES


@dataclass(frozen=True)
class Message:
    """A request of a page: the number to answer under, the command, and its fields."""

    id: int | None
    do: str
    fields: dict[str, Any]


def read(text: str | None) -> Message:
    """A message from the page.

    Raises
    ------
    InputError
        If it is not a JSON object with ``id`` and ``do``.

    >>> read('{"id": 1, "do": "derive", "weight": "W11_1"}').fields
    {'weight': 'W11_1'}
    """
    try:
        found = json.loads(text or "", parse_constant=no_constant)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise InputError('a message must be a JSON object, as in {"id": 1, "do": "derive", "weight": "W11_1"}')
    number, do = found.pop("id", None), found.pop("do", None)
    if isinstance(number, bool) or not isinstance(number, int) or not isinstance(do, str):
        raise InputError(f"a message must have a whole number id and a text do, but has {quoted(number)}, {quoted(do)}")
    return Message(number, do, found)


def no_constant(name: str) -> float:
    raise ValueError(name)  # NaN and Infinity are Python's, not JSON's


def write(message: dict[str, Any]) -> str:
    return json.dumps(message, allow_nan=False, separators=(",", ":"))


def choices() -> dict[str, Any]:
    """The choices in the page's menus."""
    return {
        "activations": [name for name, row in ACTIVATIONS.items() if not row.no_derivative],
        "output_activations": [name for name, row in ACTIVATIONS.items() if row.jacobian],
        "costs": [{"name": name, "output_activation": row.output_activation} for name, row in COSTS.items()],
        "solvers": [{"name": name, "learning_rate": rate} for name, rate in LEARNING_RATES.items()],
        "initialisations": list(INITIALISATIONS),
        "datasets": [{"name": name, "title": dataset(name).title} for name in DATASETS],
        "limits": limits.for_the_page(),
    }
