"""The options of ``backpath explain``."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SampleOptions:
    """The choice of samples for a model: values, or rows of a table."""

    x: str | None = None
    y: str | None = None
    data: str | None = None
    row: str | None = None


@dataclass(frozen=True, kw_only=True)
class ExplainOptions(SampleOptions):
    """The options of ``backpath explain`` by name; None: the file's setting is used."""

    arguments: tuple[str, ...]
    whole_step: bool
    form: str
    document: bool
    out: str | None
    cost: str | None
    learning_rate: float | None
    frozen: str | None
    sizes: str | None
    weights: str | None
    activations: str | None
