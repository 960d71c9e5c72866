"""Recognises numerical derivatives: differences of the cost, which are right except for the error of their step."""

from __future__ import annotations

import itertools

import numpy as np

from backpath.explain.diagnosis.comparison import Comparison
from backpath.explain.digits import shown
from backpath.maths.arrays import Array
from backpath.maths.backprop import batch_cost, forward

_NEAR = 0.05  # relative to a layer's largest figure; the error of usual steps is smaller
_MOST = 2000  # figures; each takes two passes
_STEPS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8)
_NOISE = 4e-15  # relative to the cost, in each of the two costs of a difference


def as_differences(c: Comparison) -> str:
    """The note on gradients that are forward, backward or central differences of the cost over a usual step h; ""
    for others.

    A forward difference (C(W + h) - C(W)) / h is off by about h/2 × ∂²C/∂W². The figures give h, and all of them must
    equal the differences with this step.
    """
    if not _may_be_differences(c):
        return ""
    every = range(len(c.claims.value))
    probe = int(np.argmax(_off(c) / np.where(c.size > 0, c.size, np.inf)))
    for h, kind in itertools.product(_STEPS, ("forward", "backward", "central")):
        if _meets(c, h, kind, [probe]) and _meets(c, h, kind, every):
            return f"They are {kind} differences with h ≈ {shown(h, 1)}: right except for the error of that step."
    return ""


def _may_be_differences(c: Comparison) -> bool:
    """Whether all claims are gradients with all digits, near the right ones."""
    claims = c.claims
    if c.is_update.any() or not c.is_weight.all() or claims.last.any() or len(claims.value) > _MOST:
        return False
    return bool(np.isfinite(claims.value).all()) and not (_off(c) > _NEAR * c.size + claims.slack).any()


def _off(c: Comparison) -> Array:
    return np.abs(c.claims.value - c.right[c.claims.positions])


def _meets(c: Comparison, h: float, kind: str, places: range | list[int]) -> bool:
    """Whether these claims are differences with this step."""
    here = _cost(c, None, 0.0)
    for k in places:
        position = int(c.claims.positions[k])
        up = here if kind == "backward" else _cost(c, position, h)
        down = here if kind == "forward" else _cost(c, position, -h)
        found = (up - down) / (2 * h if kind == "central" else h)
        allowed = _NOISE * (abs(here) + 1) / h + 1e-7 * abs(found) + 1e-12
        if abs(found - float(c.claims.value[k])) > allowed:
            return False
    return True


def _cost(c: Comparison, position: int | None, by: float) -> float:
    """The cost with one weight changed."""
    q = c.q
    weights: list[Array] = list(q.net.weights)
    if position is not None:
        layer = int(np.searchsorted(q.ends, position, side="right"))
        weights[layer] = weights[layer].copy()
        weights[layer].flat[position - (q.ends[layer - 1] if layer else 0)] += by
    with np.errstate(all="ignore"):
        u, a = forward(weights, q.net.activations, q.X)
        return float(batch_cost(q.cost, u[-1], a[-1], q.y))
