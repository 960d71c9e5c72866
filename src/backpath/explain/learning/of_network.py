"""Reasons in the weights, the neurons and the data."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from backpath.explain.digits import shown
from backpath.explain.learning.situation import Reason, Situation
from backpath.maths.costs import cost_function

TINY = 0.1  # relative to Glorot's deviation, and to a net input's spread; smaller weights pass on almost nothing
_FLAT = 0.05  # relative to the largest σ′; a neuron with a smaller mean σ′ is saturated
STEEPEST = {"sigmoid": 0.25, "tanh": 1.0, "softmax": 0.25}
_LARGE = 10.0  # root mean square; larger inputs need scaling
UNLIKE = 30.0  # ratio of two inputs' sizes; larger ratios need scaling
REACH = {  # the range of an output
    "sigmoid": (0.0, 1.0),
    "softmax": (0.0, 1.0),
    "tanh": (-1.0, 1.0),
    "relu": (0.0, math.inf),
    "softplus": (0.0, math.inf),
    "exp": (0.0, math.inf),
    "elu": (-1.0, math.inf),
    "silu": (-0.27846, math.inf),
    "gelu": (-0.16998, math.inf),
}
_NAMED = 8  # the most neurons to name in a sentence
POOR = 0.1  # relative to the best constant answer's cost; with a smaller cost, the network has learned well
OFTEN_OFF = 0.75  # of the samples; a ReLU that is off on a larger share is reported


def listed(names: list[str]) -> str:
    """H1, H2 and H3; if there are many, the first ones and the number of others."""
    if len(names) > _NAMED:
        return f"{', '.join(names[:_NAMED])} and {len(names) - _NAMED} more"
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def is_of_part(s: Situation, reason: Reason) -> bool:
    """Whether a reason affects only some neurons: every layer has others with used outputs."""
    if reason.mistake not in ("dead_relu", "equal_neurons", "saturated"):
        return False
    for layer in range(1, s.layers + 1):
        used = s.incoming(layer + 1).any(axis=0) if layer < s.layers else np.ones(s.net.sizes[layer], dtype=bool)
        if all(s.neuron(layer, j) in reason.where for j in np.flatnonzero(used).tolist()):
            return False
    return True


def zero_weights(s: Situation) -> Iterator[Reason]:
    """If all weights of a layer are 0, no gradient reaches the layers before it."""
    layers = [layer for layer in range(1, s.layers + 1) if not s.incoming(layer).any()]
    if len(layers) == s.layers > 1:
        yield Reason(
            "zero_weights",
            (),
            "all weights are 0, so no gradient gets past the outputs, and all hidden neurons stay alike; start with "
            "random weights",
        )
        return
    for layer in layers:
        if layer == 1 and s.layers > 1:
            message = "the weights of layer 1 are all 0, so its neurons do not see the inputs"
        elif layer > 1:
            message = f"the weights into layer {layer} are all 0, so no gradient gets back through them"
        else:
            continue  # for a single layer, 0 is a good start
        names = tuple(s.neuron(layer, j) for j in range(s.net.sizes[layer]))
        yield Reason("zero_weights", names, f"{message}; start with random weights")


def equal_neurons(s: Situation) -> Iterator[Reason]:
    """Hidden neurons with equal incoming and outgoing weights get equal gradients and stay equal."""
    for layer in s.hidden:
        rows = np.column_stack([s.net.weights[layer - 1], s.incoming(layer + 1).T])
        groups: dict[bytes, list[str]] = {}
        for j, row in enumerate(rows + 0.0):
            groups.setdefault(row.tobytes(), []).append(s.neuron(layer, j))
        for names in groups.values():
            if len(names) > 1:
                yield Reason(
                    "equal_neurons",
                    tuple(names),
                    f"{listed(names)} have the same weights, so they get the same gradients and stay equal: together "
                    "they can do no more than one neuron; start with random weights",
                )


def tiny_weights(s: Situation) -> Iterator[Reason]:
    """Weights so small that a layer's net inputs are nearly equal for all samples."""
    if s.unlearned < 0.5:
        return
    for layer in range(1, s.layers + 1):
        W = s.incoming(layer)
        size, usual = float(np.sqrt((W * W).mean())), math.sqrt(2 / sum(W.shape))
        spread = float(s.numbers.u[layer - 1].std(axis=0).mean())
        if 0 < size < TINY * usual and spread < TINY:
            yield Reason(
                "tiny_weights",
                tuple(s.neuron(layer, j) for j in range(len(W))),
                f"the weights of layer {layer} are tiny: their root mean square is {shown(size, 2)}, but "
                f"{shown(usual, 2)} is usual at the start; over the samples the layer's net inputs vary by only "
                f"{shown(spread, 2)}",
            )


def dead_neurons(s: Situation) -> Iterator[Reason]:
    """ReLU neurons that no sample activates."""
    for layer in range(1, s.layers + 1):
        if s.net.activations[layer - 1] != "relu":
            continue
        u = s.numbers.u[layer - 1]
        dead = np.flatnonzero((u <= 0).all(axis=0)).tolist()
        if dead:
            names = [s.neuron(layer, j) for j in dead]
            count = f"all {len(u):,} samples" if len(u) > 1 else "the sample"
            highest = shown(float(u[:, dead].max()), 3)
            be, its, reaches = ("is", "its", "its") if len(dead) == 1 else ("are", "their", "their")
            yield Reason(
                "dead_relu",
                tuple(names),
                f"{listed(names)} {be} dead: {its} net input is at most {highest} on {count}, so σ′ is 0 "
                f"and no gradient reaches {reaches} weights",
            )


def mostly_off_neurons(s: Situation) -> Iterator[Reason]:
    """ReLU neurons that few samples activate, and samples that activate no neuron of a layer."""
    if s.unlearned < POOR:
        return
    for layer in range(1, s.layers + 1):
        if s.net.activations[layer - 1] == "relu":
            off = s.numbers.u[layer - 1] <= 0
            yield from _rarely_on(s, layer, off)
            yield from _all_off(s, layer, off)


def _rarely_on(s: Situation, layer: int, off: NDArray[np.bool_]) -> Iterator[Reason]:
    rare = np.flatnonzero((off.mean(axis=0) > OFTEN_OFF) & ~off.all(axis=0)).tolist()
    if rare:
        names, times = [s.neuron(layer, j) for j in rare], [f"{int(off[:, j].sum()):,}" for j in rare[:_NAMED]]
        yield Reason(
            "relu_mostly_off",
            tuple(names),
            f"{listed(names)} {'is' if len(rare) == 1 else 'are'} off on {listed(times)} of {len(off):,} samples: "
            f"{'its' if len(rare) == 1 else 'their'} weights learn only from the remaining samples",
        )


def _all_off(s: Situation, layer: int, off: NDArray[np.bool_]) -> Iterator[Reason]:
    count, some = len(off), off[:, ~off.all(axis=0)]  # those that are off on all samples are dead
    silent = int(some.all(axis=1).sum()) if some.shape[1] > 1 else 0
    if silent > OFTEN_OFF * count:
        yield Reason(
            "relu_mostly_off",
            tuple(s.neuron(layer, j) for j in range(s.net.sizes[layer])),
            f"on {silent:,} of {count:,} samples every ReLU of layer {layer} is off, and learns nothing from them",
        )


def saturated_neurons(s: Situation) -> Iterator[Reason]:
    """Neurons in the flat tails of σ; outputs only if the targets do not require that."""
    for layer in range(1, s.layers + 1):
        steepest = STEEPEST.get(s.net.activations[layer - 1])
        if steepest is None or (layer == s.layers and not _outputs_can_be_stuck(s)):
            continue
        mean = s.numbers.slopes[layer - 1].mean(axis=0)
        flat = np.flatnonzero(mean < _FLAT * steepest).tolist()
        if flat:
            names = [s.neuron(layer, j) for j in flat]
            values = ", ".join(shown(float(mean[j]), 2) for j in flat[:_NAMED])
            yield Reason(
                "saturated",
                tuple(names),
                f"{listed(names)} {'is' if len(flat) == 1 else 'are'} saturated: averaged over the samples, σ′ is only "
                f"{values} (it can be up to {shown(steepest)}), so hardly any gradient gets through",
            )


def _outputs_can_be_stuck(s: Situation) -> bool:
    return s.unlearned > 0.5 and cost_function(s.cost_name).delta is None


def targets_out_of_reach(s: Situation) -> Iterator[Reason]:
    """Targets outside the range of the output's σ."""
    low, high = REACH.get(s.net.activations[-1], (-math.inf, math.inf))
    for j in range(s.net.sizes[-1]):
        y = s.y[:, j]
        outside = int(((y < low) | (y > high)).sum())
        if outside:
            A, name = s.neuron(s.layers, j), s.net.activations[-1]
            reach = f"values between {low:g} and {high:g}" if high < math.inf else f"values of at least {low:.4g}"
            which, span = "the target is", f"the target is {shown(float(y[0]), 4)}"
            if len(y) > 1:
                which = f"{outside:,} of {len(y):,} targets {'is' if outside == 1 else 'are'}"
                span = f"the targets go from {shown(float(y.min()), 4)} to {shown(float(y.max()), 4)}"
            yield Reason(
                "target_out_of_range",
                (A,),
                f"{which} out of {A}'s reach: {name} gives only {reach}, and {span}; "
                "scale them, or use identity outputs",
            )


def unscaled_inputs(s: Situation) -> Iterator[Reason]:
    """Inputs that are much larger than others, or than suits the weights."""
    if s.unlearned < 0.05:
        return
    size = np.sqrt((s.X * s.X).mean(axis=0))
    names = [f"X{i}" for i in range(1, len(size) + 1)]
    large = np.flatnonzero(size > _LARGE).tolist()
    there = size > 0
    ratio = float(size[there].max() / size[there].min()) if there.any() else 1.0
    if not large and ratio < UNLIKE:
        return
    most, least = int(size.argmax()), int(np.where(there, size, np.inf).argmin())
    said = f"{names[most]} has a root mean square of {shown(float(size[most]), 3)}"
    if ratio >= UNLIKE:
        said += f", {names[least]} of {shown(float(size[least]), 3)}, a ratio of {shown(ratio, 2)}"
    where = tuple(names[i] for i in large) or (names[most], names[least])
    yield Reason("unscaled_inputs", where, f"the inputs are not scaled: {said}; standardise each column")
