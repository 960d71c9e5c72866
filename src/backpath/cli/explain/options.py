"""What a call of ``backpath explain`` asks for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ExplainOptions:
    """The options of ``backpath explain`` under their own names; None where the file's own setting is to be used."""

    arguments: tuple[str, ...]
    x: str | None
    y: str | None
    data: str | None
    row: str | None
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
