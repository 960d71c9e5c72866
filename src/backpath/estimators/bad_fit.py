"""Warns of a failed fit, whose loss is no better than that of the best constant output."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from backpath.errors import BadFitWarning, InputError
from backpath.estimators.training_samples import DENSE_BYTES, Samples, column_sizes, dense
from backpath.maths import backprop
from backpath.maths.activations import activation
from backpath.maths.network import Network

_SAMPLES = 5000  # the most samples to use
BARELY = 0.01  # less improvement over a constant than this share counts as hardly better
HELD_DOWN = 0.05  # the same with a strong penalty, which keeps the weights small
_SMALL, _LARGE = 1e-3, 1e3  # magnitudes of inputs that slow training
_MOST = 0.5  # share of the hidden neurons; fewer dead or saturated ones do not explain a bad fit
_NAMED = 3
OF_NETWORK = ("dead_relu", "saturated", "equal_neurons", "zero_weights", "tiny_weights")


def warn_of_bad_fit(
    network: Network, cost: str, samples: Samples, losses: Sequence[float], parameters: Mapping[str, Any], names: Any
) -> None:
    """Compare the loss on the training samples with that of the best constant output.

    Parameters
    ----------
    network : Network
        The fitted network, for raw numbers.
    samples : Samples
        Raw.
    losses : the loss curve
    parameters : the estimator's
    names : the columns' names, or None
    """
    part = samples.part(np.linspace(0, len(samples) - 1, min(len(samples), _SAMPLES)).astype(np.intp))
    if part.weight is not None and not part.weight.any():
        return
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        u, a = backprop.forward(network.weights, network.activations, part.X)
        reached = backprop.batch_cost(cost, u[-1], a[-1], part.y, part.weight)
        constant = _constant_loss(network.activations[-1], cost, part)
    barely = HELD_DOWN if parameters["alpha"] >= 1 else BARELY
    if not math.isfinite(constant) or reached < constant * (1 - barely) or constant == 0:
        return
    reasons = [
        *_of_targets(network, part, parameters),
        *_of_columns(part, parameters, names),
        *_of_losses(losses, parameters),
        *_of_alpha(network, parameters),
        *_of_network(network, cost, part),
    ]
    because = "; ".join(reasons) or "train longer (max_iter), with other sizes, or from another random_state"
    warnings.warn(
        f"the fit is {'hardly' if reached < constant else 'no'} better than a constant prediction (loss "
        f"{reached:.4g}, the best constant's is {constant:.4g}): {because}",
        BadFitWarning,
        stacklevel=4,
    )


def _constant_loss(output: str, cost: str, samples: Samples) -> float:
    """The loss of the best constant output: the mean, or for absolute errors the median."""
    y, weight = samples.y.astype(np.float64), samples.weight
    answer = np.median(y, axis=0) if cost in ("absolute_error", "huber") else np.average(y, axis=0, weights=weight)
    if output in ("softmax", "sigmoid"):
        answer = np.clip(answer, 1e-12, 1 - 1e-12)
    u = answer
    if output == "softmax":
        u = np.log(answer)
    elif output == "sigmoid":
        u = np.log(answer / (1 - answer))
    elif output == "exp":
        u = np.log(np.maximum(answer, 1e-300))
    rows = np.tile(u, (len(y), 1))
    return backprop.batch_cost(cost, rows, activation(output).value(rows), y, weight)


def _of_targets(network: Network, samples: Samples, p: Mapping[str, Any]) -> Iterator[str]:
    """Targets that should be standardised."""
    if network.activations[-1] != "identity" or p.get("scale_y") or p["bayesian"]:
        return
    spread = float(samples.y.std(axis=0, dtype=np.float64).max())
    middle = float(np.abs(samples.y.mean(axis=0, dtype=np.float64)).max())
    if not 0.1 < spread < 10 or middle > 10 * spread:
        yield (
            f"y has a spread of {spread:.3g} around {middle:.3g}: use scale_y=True, or "
            "sklearn.compose.TransformedTargetRegressor with StandardScaler"
        )


def _of_columns(samples: Samples, p: Mapping[str, Any], names: Any) -> Iterator[str]:
    """Columns that should be standardised."""
    if p.get("scale_X"):
        return
    sizes = column_sizes(samples.X)
    odd = np.flatnonzero((sizes > _LARGE) | ((sizes < _SMALL) & (sizes > 0)))
    if len(odd):
        shown = ", ".join(f"{names[k] if names is not None else f'column {k}'} ({sizes[k]:.3g})" for k in odd[:_NAMED])
        more = f" and {len(odd) - _NAMED} more" if len(odd) > _NAMED else ""
        yield f"the largest values of {shown}{more} are far from 1: use scale_X=True, or StandardScaler"


def _of_losses(losses: Sequence[float], p: Mapping[str, Any]) -> Iterator[str]:
    """A learning rate that is too high or too low."""
    finite = [loss for loss in losses if math.isfinite(loss)]
    if p["solver"] in ("sgd", "adam") and len(finite) > 1:
        rate, least = p["learning_rate_init"], min(finite)
        if finite[-1] > 1.05 * least:
            yield f"the loss rose from {least:.4g} to {finite[-1]:.4g}: try learning_rate_init={rate / 10:g}"
        elif len(finite) >= p["max_iter"] and finite[-1] < 0.999 * finite[-min(len(finite), 10)]:
            yield f"the loss was still falling after {len(finite):,} epochs: raise max_iter or learning_rate_init"


def _of_alpha(network: Network, p: Mapping[str, Any]) -> Iterator[str]:
    """A penalty that is too strong."""
    alpha = p["alpha"]
    if alpha >= 1 and not p["bayesian"]:
        largest = max(float(np.abs(W[:, :-1]).max()) for W in network.weights)
        yield f"alpha={alpha:g} keeps all weights small (the largest is {largest:.2g}): try alpha={alpha / 1000:g}"


def _of_network(network: Network, cost: str, samples: Samples) -> Iterator[str]:
    """Weights and neurons that keep the network from learning."""
    from backpath.explain.learning.why import why_not_learning  # only for a bad fit

    few = samples.part(np.arange(min(len(samples), max(1, DENSE_BYTES // (8 * samples.X.shape[1])))))
    try:
        report = why_not_learning(network, dense(few.X), few.y, cost=cost)
    except InputError:  # the passes overflow, and the scales above explain it
        return
    hidden = sum(network.sizes[1:-1])
    yield from (
        found.message
        for found in report.findings
        if found.mistake in OF_NETWORK and (len(found.where) >= _MOST * hidden or found.mistake == "zero_weights")
    )
