"""``diagnose_function``: somebody's back-propagation, tried on many random networks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpath.errors import InputError
from backpath.explain.diagnosis.diagnose import diagnose
from backpath.explain.diagnosis.report import Report
from backpath.maths.costs import check_cost_fits
from backpath.maths.network import Network

Array = NDArray[np.floating]
Backprop = Callable[[list[Array], Array, Array], Sequence[Any]]

_SAMPLES = (1, 5, 3, 2)  # batch sizes, in turn


def diagnose_function(
    function: Backprop,
    sizes: Sequence[int] = (2, 2, 1),
    *,
    activation: str = "sigmoid",
    activations: str | Sequence[str] | None = None,
    cost: str = "squared_error",
    learning_rate: float | None = None,
    biases: bool = True,
    networks: int = 12,
    seed: int = 0,
) -> Report:
    """Whether a function computes the right gradients, and if not, which mistake it makes.

    It is called with many random networks and batches, so that what looks alike on one of them is told apart.

    Parameters
    ----------
    function : callable
        ``function(weights, X, y)`` -> a list of gradient arrays in the weights' shapes, bias last. ``weights`` are
        arrays of shape (neurons, inputs + 1), ``X`` is (N, inputs), ``y`` (N, outputs); all are copies.
    sizes, activation, activations, cost, biases : of the networks
    learning_rate : float | None
        η that the function updates with, if it does; else one is fitted.
    networks : int
        How many are tried.

    Returns
    -------
    Report
        Of the first network on which it is wrong, with the explanations that hold on all of them.

    Raises
    ------
    InputError
        If the function raises, or returns what is no list of finite gradients in the weights' shapes.

    Examples
    --------
    >>> def backprop(weights, X, y):
    ...     (W,) = weights
    ...     A = 1 / (1 + np.exp(-(X @ W[:, :-1].T + W[:, -1])))
    ...     delta = 2 * (A - y)
    ...     return [delta.T @ np.column_stack([X, np.ones(len(X))]) / len(X)]
    >>> diagnose_function(backprop, sizes=(2, 1)).findings[0].mistake
    'missing_output_derivative'
    """
    rng = np.random.default_rng(seed)
    reports = []
    for k in range(networks):
        drawn = int(rng.integers(2**32))
        net = Network(sizes, activation, activations=activations, init="uniform:-1,1", seed=drawn, biases=biases)
        check_cost_fits(cost, net.activations[-1])
        X, y = _samples(net, cost, _SAMPLES[k % len(_SAMPLES)], rng)
        claimed = _called(function, net, X, y)
        reports.append(diagnose(net, X, y, claimed, cost=cost, learning_rate=learning_rate))
    wrong = [report for report in reports if not report.correct]
    return _common(wrong) if wrong else reports[0]


def _samples(net: Network, cost: str, count: int, rng: np.random.Generator) -> tuple[Array, Array]:
    X, y = rng.normal(size=(count, net.sizes[0])), rng.uniform(0.05, 0.95, (count, net.sizes[-1]))
    if cost == "categorical_cross_entropy":
        y = np.eye(net.sizes[-1])[rng.integers(0, net.sizes[-1], count)]
    return X, y


def _called(function: Backprop, net: Network, X: Array, y: Array) -> dict[str, Any]:
    """What the function returns, by weight name."""
    try:
        found = list(function([W.copy() for W in net.weights], X.copy(), y.copy()))
        arrays = [np.asarray(G) for G in found]
    except Exception as error:
        raise InputError(f"the function raised {type(error).__name__}: {error}") from error
    wanted, shapes = [W.shape for W in net.weights], [G.shape for G in arrays]
    if shapes != wanted:
        raise InputError(f"the function must return gradients of shapes {wanted} (bias last), but returned {shapes}")
    if any(G.dtype.kind not in "fiu" or not np.isfinite(G).all() for G in arrays):
        raise InputError("the function must return finite gradients, but some are not")
    figures = [figure for G in arrays for figure in G.ravel()]
    return dict(zip(net.weight_names, figures, strict=True))


def _common(reports: Sequence[Report]) -> Report:
    """The first report, with the explanations that all of them have."""
    first, *rest = reports

    def codes(group: Sequence[Any]) -> frozenset[str]:
        return frozenset(finding.mistake for finding in group)

    kept = [group for group in first.alternatives if all(codes(group) in map(codes, r.alternatives) for r in rest)]
    return Report(kept or first.alternatives, first.figures, first.note)
