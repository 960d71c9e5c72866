"""The contenders, a module each. Every module has

NAME : str
COST : the cost that it minimises, by backpath's name
versions() -> str
forms(row) -> {what of the library is used: Train}, of which the fastest is measured; or raises ``LeftOut``.
"""

from __future__ import annotations

CONTENDERS = ("backpath", "numpy", "jax", "torch", "sklearn", "fann", "intrinsics")


class LeftOut(Exception):
    """Why a contender does not take part in a row, or at all."""
