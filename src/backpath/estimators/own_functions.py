"""A user's own loss and activation, as pairs of a function and its derivative, which are checked before training."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from backpath.errors import InputError
from backpath.estimators.parameters import is_pair
from backpath.maths.activations import own_activation
from backpath.maths.arrays import Array
from backpath.maths.costs import own_cost
from backpath.maths.network import Network

_SAMPLES = 7  # for the diagnosis of a wrong derivative
_STEP = 1e-5  # step of the finite differences
_CLOSE = 1e-4  # tolerance, relative to the largest
MOST_OFF = 0.2  # share of the points that may be beside a kink


def check_own_functions(p: Any) -> None:
    """Refuse a pair whose second function is not the derivative of the first, and name the mistake.

    Raises
    ------
    InputError
        With the numbers, and the mistake if `backpath.diagnose` finds it.
    """
    rng = np.random.default_rng(0)
    u = rng.uniform(-3, 3, (100, 2))
    layers = p.activation if isinstance(p.activation, Iterable) and not is_pair(p.activation) else [p.activation]
    for pair in layers:
        if is_pair(pair):
            _check("activation", pair, (u,), _about_activation)
    loss = getattr(p, "loss", None)
    if is_pair(loss):
        _check("loss", loss, (u, rng.uniform(-3, 3, u.shape)), _about_loss)


def _check(what: str, pair: Any, points: tuple[Array, ...], about: Callable[..., str]) -> None:
    value, derivative = pair
    first, *rest = points
    taken = "(u)" if what == "activation" else "(A, y)"
    for name, function in (("function", value), ("derivative", derivative)):
        try:
            found = np.asarray(function(*points))
        except Exception as error:
            raise InputError(f"the {what}'s {name} must take arrays {taken}, but fails: {error}") from error
        if found.shape != first.shape or not np.isfinite(found).all():
            raise InputError(
                f"the {what}'s {name} must return finite numbers in the shape of its argument, {first.shape}, "
                f"but returns {f'shape {found.shape}' if found.shape != first.shape else 'some that are not finite'}"
            )
    right = (value(first + _STEP, *rest) - value(first - _STEP, *rest)) / (2 * _STEP)
    claimed = derivative(*points)
    off = np.abs(claimed - right) > _CLOSE * max(1.0, float(np.abs(right).max()))
    if off.mean() <= MOST_OFF:
        return
    worst = np.unravel_index(np.argmax(np.abs(claimed - right)), right.shape)
    at = ", ".join(f"{float(array[worst]):.4g}" for array in points)
    raise InputError(
        f"the {what}'s derivative is not that of its function: at {taken[1:-1]} = {at} it gives {claimed[worst]:.6g}, "
        f"but finite differences give {right[worst]:.6g}{about(value, derivative)}"
    )


def _about_activation(value: Any, derivative: Any) -> str:
    def right(u: Array) -> Array:
        return (value(u + _STEP) - value(u - _STEP)) / (2 * _STEP)

    u = np.linspace(-2, 2, 41)[:, None]
    with np.errstate(all="ignore"):
        if np.allclose(derivative(value(u)), right(u), rtol=_CLOSE, atol=_CLOSE):
            return "; it takes σ(u), but must take u"
    net = Network((2, 3, 1), activations=(own_activation(value, right), "identity"), seed=0)
    theirs = Network.from_weights(net.weights, (own_activation(value, derivative), "identity"))
    return _named(net, theirs, "half_squared_error", "half_squared_error")


def _about_loss(value: Any, derivative: Any) -> str:
    net = Network((2, 3, 1), activations=("tanh", "identity"), seed=0)
    right = own_cost(value, lambda A, y: (value(A + _STEP, y) - value(A - _STEP, y)) / (2 * _STEP))
    return _named(net, net, right, own_cost(value, derivative))


def _named(net: Network, theirs: Network, right: str, cost: str) -> str:
    """The diagnosis of the gradients with these functions."""
    from backpath.explain.diagnosis.diagnose import diagnose

    rng = np.random.default_rng(1)
    X, y = rng.normal(size=(_SAMPLES, 2)), rng.normal(size=(_SAMPLES, 1))
    gradient = theirs.gradients(X, y, cost=cost)
    report = diagnose(net, X, y, claimed={name: float(gradient[name]) for name in net.weight_names}, cost=right)
    known = [finding.message for finding in report.findings if finding.mistake != "unknown"]
    return f"; in a network of 2-3-1, {known[0]}" if known else ""
