"""The contenders, one module each. Every module has

NAME : str
COST : its cost, by backpath's name
versions() -> str
forms(row) -> {description: Train}, of which the fastest is measured; or raises ``LeftOut``.
"""

from __future__ import annotations

CONTENDERS = ("backpath", "numpy", "jax", "torch", "sklearn", "fann", "intrinsics")


class LeftOut(Exception):
    """The reason why a contender does not take part in a row, or at all."""
