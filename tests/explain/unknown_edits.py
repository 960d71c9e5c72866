"""Wrong programs that no search for a mistake can know, and right ones in every form that people give them in.

Do not look at this file when you work on the search. An edit is a function of a textbook backprop; what it gives is
wrong in a way that has no name. ``diagnose`` may call it unknown, or offer several readings, but must not be certain.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

import backpath as bp
from explain.mistaken import DERIVATIVES, SLOPES, VALUES, Array, through

Rng = np.random.Generator
Layers = list[Array]
SIZES = [(1, 1, 1), (2, 1, 1), (2, 2, 1), (1, 3, 1), (3, 2, 2), (2, 3, 2), (2, 2, 2, 1), (3, 4, 3), (4, 6, 5, 3)]
OUTPUTS = {"binary_cross_entropy": "sigmoid", "categorical_cross_entropy": "softmax"}
COSTS = ("squared_error", "half_squared_error", *OUTPUTS, "huber", "absolute_error")


def ones(a: Array) -> Array:
    return np.column_stack([a, np.ones(len(a))])


class Textbook:
    """A backprop of one batch; what is passed to ``gradients`` takes the place of one of its parts."""

    def __init__(self, weights: Sequence[Array], activations: Sequence[str], cost: str, X: Array, y: Array):
        self.weights, self.activations, self.cost, self.X, self.y = list(weights), activations, cost, X, y
        self.N, self.layers = len(X), range(len(weights))

    def with_(self, weights: Sequence[Array] | None = None, X: Array | None = None, y: Array | None = None) -> Textbook:
        X, y = self.X if X is None else X, self.y if y is None else y
        return Textbook(self.weights if weights is None else weights, self.activations, self.cost, X, y)

    def forward(self, value: Callable | None = None, hidden: Callable | None = None) -> tuple[Layers, Layers]:
        """u and a by layer; ``value`` is another σ of the hidden layers, ``hidden`` an edit of (layer, a, a before)."""
        us, a = [], [self.X]
        for layer in self.layers:
            us.append(ones(a[-1]) @ self.weights[layer].T)
            last = layer == self.layers[-1]
            out = VALUES[self.activations[layer]](us[-1]) if last or value is None else value(us[-1])
            a.append(out if last or hidden is None else hidden(layer, out, a[-1]))
        return us, a

    def gradients(
        self,
        value: Callable | None = None,
        hidden: Callable | None = None,
        slope: Callable | None = None,  # ∂C/∂A of (A, y)
        chain: Callable | None = None,  # δ of (layer, u, ∂C/∂a)
        delta: Callable | None = None,  # an edit of (layer, δ)
        back: Callable | None = None,  # the weights in the backward pass, of (layer, W without bias)
        inputs: Callable | None = None,  # an edit of (layer, [a 1])
        reduce: Callable | None = None,  # the batch's gradient from those of the samples, (N, neurons, inputs + 1)
    ) -> Layers:
        us, a = self.forward(value, hidden)
        dC_da, found = (slope or SLOPES[self.cost])(a[-1], self.y), []
        for layer in reversed(self.layers):
            d = through(self.activations[layer], us[layer], dC_da) if chain is None else chain(layer, us[layer], dC_da)
            d = d if delta is None else delta(layer, d)
            x = ones(a[layer]) if inputs is None else inputs(layer, ones(a[layer]))
            found.append(d.T @ x / self.N if reduce is None else reduce(np.einsum("nj,ni->nji", d, x)))
            W = self.weights[layer][:, :-1]
            dC_da = d @ (W if back is None else back(layer, W))
        return found[::-1]

    def average_cost(self, weights: Sequence[Array]) -> float:
        """The cost of these weights."""
        return bp.Network.from_weights(weights, self.activations).cost(self.X, self.y, self.cost)


def each(edit: Callable[[Array, Rng], Array]) -> Callable[[Textbook, Rng], Layers]:
    """A family that edits each layer's right gradient."""
    return lambda t, rng: [edit(g, rng) for g in t.gradients()]


def flat(edit: Callable[[Array, Rng], Array]) -> Callable[[Textbook, Rng], Layers]:
    """A family that edits all right figures in one row."""

    def family(t: Textbook, rng: Rng) -> Layers:
        g = t.gradients()
        ends = np.cumsum([a.size for a in g])[:-1]
        made = np.split(edit(np.concatenate([a.ravel() for a in g]), rng), ends)
        return [part.reshape(a.shape) for part, a in zip(made, g, strict=True)]

    return family


def _some(rng: Rng, size: int) -> Array:
    """At least two places of a row."""
    return rng.choice(size, int(rng.integers(min(2, size), size + 1)), replace=False)


def _factors_on_some(g: Array, rng: Rng) -> Array:
    g, k = g.copy(), _some(rng, g.size)
    g[k] *= rng.uniform(-2, 3, len(k))
    return g


def _constants_added_to_some(g: Array, rng: Rng) -> Array:
    g, k = g.copy(), _some(rng, g.size)
    g[k] += rng.normal(0, np.abs(g).max() + 0.01, len(k))
    return g


def _shuffled(g: Array, rng: Rng) -> Array:
    return g[rng.permutation(g.size)]


def _some_dropped_and_scaled(g: Array, rng: Rng) -> Array:
    return g * (rng.random(g.size) > 0.4) / 0.6


def _grid(g: Array, rng: Rng) -> Array:
    step = np.abs(g).max() / rng.uniform(3, 9) + 1e-9
    return np.round(g / step) * step


def _mixed(g: Array, rng: Rng) -> Array:
    return rng.normal(size=(len(g), len(g))) @ g


def _unit_columns(g: Array, rng: Rng) -> Array:
    return g / (np.sqrt((g * g).mean(axis=0, keepdims=True)) + rng.uniform(0.01, 0.1))


def _softmaxed(g: Array, rng: Rng) -> Array:
    e = np.exp(rng.uniform(1, 5) * (g - g.max()))
    return e / e.sum()


def _convolved(g: Array, rng: Rng) -> Array:
    return np.convolve(g, rng.uniform(-1, 1, 3), mode="same")


def _outer_of_means(g: Array, rng: Rng) -> Array:
    return np.outer(g.mean(axis=1) + rng.uniform(0.01, 0.1), g.mean(axis=0) - rng.uniform(0.01, 0.1))


def _lowest_rank(g: Array, rng: Rng) -> Array:
    u, s, v = np.linalg.svd(g, full_matrices=False)
    return (u * s ** rng.uniform(0.3, 0.7)) @ v


def _strange_value(t: Textbook, rng: Rng) -> Layers:
    """Another σ in the hidden layers, with the right σ′."""
    k, c = int(rng.integers(6)), float(rng.uniform(0.5, 1.5))
    return t.gradients(
        value=[
            lambda u: np.arctan(c * u),
            lambda u: u / (1 + c * np.abs(u)),
            lambda u: np.exp(-c * u * u),
            lambda u: np.sin(c * u),
            lambda u: 0.5 + u / 4 - c * u**3 / 48,
            lambda u: np.clip(0.2 * c * u + 0.5, 0, 1),
        ][k]
    )


def _strange_slope_of_sigma(t: Textbook, rng: Rng) -> Layers:
    k, c = int(rng.integers(5)), float(rng.uniform(0.5, 1.5))
    strange = [
        lambda u: np.cos(c * u),
        lambda u: np.exp(-c * u * u),
        lambda u: 1 / (1 + c * u * u),
        lambda u: 0.25 * c - np.abs(u) / 16,
        lambda u: np.log1p(c + u * u),
    ][k]
    return t.gradients(chain=lambda layer, u, dC_da: dC_da * strange(u))


def _strange_cost(t: Textbook, rng: Rng) -> Layers:
    k, c = int(rng.integers(6)), float(rng.uniform(0.6, 1.9))
    return t.gradients(
        slope=[
            lambda A, y: np.tanh(c * (A - y)),  # log cosh
            lambda A, y: np.sign(A - y) * np.abs(A - y) ** (1 + c),
            lambda A, y: (A - y) * np.exp(-c * (A - y) ** 2),  # Welsch
            lambda A, y: (A - y) / np.sqrt(1 + c * (A - y) ** 2),  # pseudo-Huber
            lambda A, y: np.where(y > A, -c, 2.3 - c) * (1 + 0.1 * (A - y)),  # a tilted quantile
            lambda A, y: (A - y) / (c + A * A),
        ][k]
    )


def _sample_weights(t: Textbook, rng: Rng) -> Layers:
    w = rng.exponential(size=t.N) + 0.05
    return t.gradients(reduce=lambda g: np.einsum("n,nji->ji", w, g))


def _quantised_weights(t: Textbook, rng: Rng) -> Layers:
    step = rng.uniform(0.15, 0.4)
    return t.with_([np.round(W / step) * step for W in t.weights]).gradients()


def _noisy_weights(t: Textbook, rng: Rng) -> Layers:
    return t.with_([W + rng.normal(0, rng.uniform(0.01, 0.5), W.shape) for W in t.weights]).gradients()


def _other_seed(t: Textbook, rng: Rng) -> Layers:
    return t.with_([rng.normal(0, 0.7, W.shape) for W in t.weights]).gradients()


def _absolute_weights(t: Textbook, rng: Rng) -> Layers:
    return t.with_([np.abs(W) + rng.uniform(0.01, 0.2) for W in t.weights]).gradients()


def _standardised_inputs(t: Textbook, rng: Rng) -> Layers:
    return t.with_(X=(t.X - t.X.mean(axis=0)) / (t.X.std(axis=0) + rng.uniform(0.1, 1))).gradients()


def _coarse_inputs(t: Textbook, rng: Rng) -> Layers:
    step = rng.uniform(0.2, 0.7)
    return t.with_(X=np.floor(t.X / step) * step + 0.11).gradients()


def _another_data_set(t: Textbook, rng: Rng) -> Layers:
    X = rng.normal(size=t.X.shape)
    return t.with_(X=X, y=rng.permutation(t.y) * rng.uniform(0.5, 0.9) + 0.03).gradients()


def _stale_activations(t: Textbook, rng: Rng) -> Layers:
    """The outputs of the neurons were left from other samples when the gradients were made."""
    a = t.with_(X=rng.normal(size=t.X.shape)).forward()[1]
    return t.gradients(inputs=lambda layer, x: ones(a[layer]))


def _blurred_targets(t: Textbook, rng: Rng) -> Layers:
    return t.with_(y=t.y * rng.uniform(0.3, 0.9, t.y.shape) + rng.uniform(0.02, 0.1)).gradients()


def _dropout(t: Textbook, rng: Rng) -> Layers:
    keep = rng.uniform(0.4, 0.8)
    masks = [(rng.random((t.N, len(W))) < keep) / keep + 0.05 for W in t.weights]
    return t.gradients(hidden=lambda layer, a, before: a * masks[layer], chain=_masked(t, masks))


def _masked(t: Textbook, masks: Layers) -> Callable:
    def chain(layer: int, u: Array, dC_da: Array) -> Array:
        return through(t.activations[layer], u, dC_da * (masks[layer] if layer < t.layers[-1] else 1))

    return chain


def _batch_norm(t: Textbook, rng: Rng) -> Layers:
    e = rng.uniform(0.01, 0.3)
    return t.gradients(hidden=lambda layer, a, before: (a - a.mean(axis=0) + e) / (a.std(axis=0) + e))


def _residual(t: Textbook, rng: Rng) -> Layers:
    c = rng.uniform(0.3, 1.2)

    def hidden(layer: int, a: Array, before: Array) -> Array:
        k = min(a.shape[1], before.shape[1])
        return a + c * np.pad(before[:, :k], ((0, 0), (0, a.shape[1] - k)))

    return t.gradients(hidden=hidden)


def _recurrent(t: Textbook, rng: Rng) -> Layers:
    """A sample's hidden neurons remember the sample before; the first one remembers noise."""
    c = rng.uniform(0.2, 0.8)
    return t.gradients(
        hidden=lambda layer, a, before: (
            a + c * np.vstack([rng.normal(size=(1, a.shape[1])), a[:-1]]) * (1 + 0.1 * layer)
        )
    )


def _delta_remembers(t: Textbook, rng: Rng) -> Layers:
    c = rng.uniform(0.2, 0.9)

    def delta(layer: int, d: Array) -> Array:
        d = d.copy()
        for n in range(t.N):
            d[n] += c * (d[n - 1] if n else 0.1 * np.arange(1, d.shape[1] + 1))
        return d

    return t.gradients(delta=delta)


def _mixer(t: Textbook, rng: Rng) -> Layers:
    """Another architecture: the hidden layer goes through an unknown matrix."""
    M = [rng.normal(size=(len(W), len(W))) for W in t.weights]
    return t.gradients(
        hidden=lambda layer, a, before: np.tanh(a @ M[layer] + 0.1),
        back=lambda layer, W: W @ M[layer - 1].T if layer else W,
    )


def _gates(t: Textbook, rng: Rng) -> Layers:
    c = rng.uniform(0.5, 2)
    return t.gradients(hidden=lambda layer, a, before: a / (1 + np.exp(-c * before.sum(axis=1, keepdims=True))))


def _coarse_differences(t: Textbook, rng: Rng) -> Layers:
    h, found = rng.uniform(0.3, 1.5), [np.zeros_like(W) for W in t.weights]
    base = t.average_cost(t.weights)
    for layer, W in enumerate(t.weights):
        for place in np.ndindex(W.shape):
            moved = [V.copy() for V in t.weights]
            moved[layer][place] += h
            found[layer][place] = (t.average_cost(moved) - base) / h
    return found


def _random_direction(t: Textbook, rng: Rng) -> Layers:
    """One difference along random signs, shared out to all weights."""
    signs, h = [rng.choice([-1.0, 1.0], W.shape) * rng.uniform(0.5, 1.5, W.shape) for W in t.weights], 0.05
    up, down = (t.average_cost([W + s * h * z for W, z in zip(t.weights, signs, strict=True)]) for s in (1, -1))
    return [(up - down) / (2 * h * z) for z in signs]


def _feedback_alignment(t: Textbook, rng: Rng) -> Layers:
    return t.gradients(
        back=lambda layer, W: rng.normal(0, 0.8, W.shape), delta=lambda layer, d: d * rng.uniform(0.7, 1.4, d.shape[1])
    )


def _oja(t: Textbook, rng: Rng) -> Layers:
    a, c = t.forward()[1], rng.uniform(0.1, 1)
    return [(b.T @ ones(x) - c * (b.T @ b) @ W) / t.N for x, b, W in zip(a, a[1:], t.weights, strict=False)]


def _nesterov(t: Textbook, rng: Rng) -> Layers:
    c = rng.uniform(0.05, 0.5)
    return t.with_([W - c * rng.normal(size=W.shape) for W in t.weights]).gradients()


def _squares(t: Textbook, rng: Rng) -> Layers:
    p = rng.uniform(1.4, 2.2)
    return t.gradients(reduce=lambda g: (np.abs(g) ** p).sum(axis=0) / len(g))


def _pseudo_inverse(t: Textbook, rng: Rng) -> Layers:
    e = rng.uniform(0.05, 0.5)
    return t.gradients(back=lambda layer, W: np.linalg.pinv(W + e * np.eye(*W.shape)).T + 0.01)


def _signs_back(t: Textbook, rng: Rng) -> Layers:
    c = rng.uniform(0.2, 0.9)
    return t.gradients(back=lambda layer, W: np.sign(W) * c + 0.07 * W**3)


def _neurons_scaled(t: Textbook, rng: Rng) -> Layers:
    return t.gradients(delta=lambda layer, d: d * rng.uniform(0.3, 2.5, d.shape[1]) ** rng.choice([-1, 1]))


def _samples_mixed_up(t: Textbook, rng: Rng) -> Layers:
    return t.gradients(
        inputs=lambda layer, x: x[rng.permutation(t.N)] * np.array([*rng.uniform(0.8, 1.2, x.shape[1] - 1), 1])
    )


def _trimmed(t: Textbook, rng: Rng) -> Layers:
    q = rng.uniform(0.3, 0.45)
    return t.gradients(reduce=lambda g: np.quantile(g, q, axis=0) * 0.7 + 0.3 * np.quantile(g, 1 - q / 2, axis=0))


def _along_the_way(t: Textbook, rng: Rng) -> Layers:
    """The mean of the gradients on the way from the origin to the weights."""
    shares = np.linspace(rng.uniform(0, 0.5), 1, 7)
    made = [t.with_([s * W for W in t.weights]).gradients() for s in shares]
    return [np.mean(layer, axis=0) for layer in zip(*made, strict=True)]


def _odd_penalty(t: Textbook, rng: Rng) -> Layers:
    a, b = rng.uniform(0.05, 0.5, 2)
    return [g + a * W**3 - b * np.cos(3 * W) for g, W in zip(t.gradients(), t.weights, strict=True)]


def _two_networks(t: Textbook, rng: Rng) -> Layers:
    c = rng.uniform(0.2, 0.8)
    return [c * g + (1 - c) * h for g, h in zip(t.gradients(), _other_seed(t, rng), strict=True)]


def _error_of_another_output(t: Textbook, rng: Rng) -> Layers:
    M = rng.normal(size=(t.y.shape[1],) * 2)
    return t.gradients(slope=lambda A, y: A @ M - np.sqrt(np.abs(y) + 0.1))


def _inputs_warped(t: Textbook, rng: Rng) -> Layers:
    c = rng.uniform(0.3, 2)
    return t.gradients(inputs=lambda layer, x: np.log1p(np.abs(x) * c) + 0.05 * x)


def _delta_warped(t: Textbook, rng: Rng) -> Layers:
    c = rng.uniform(1, 6)
    return t.gradients(delta=lambda layer, d: np.arcsinh(c * d) + 0.1 * d * d)


def _noisy_values(t: Textbook, rng: Rng) -> Layers:
    s = rng.uniform(0.02, 0.3)
    return t.gradients(
        hidden=lambda layer, a, before: a + rng.normal(0, s, a.shape), delta=lambda layer, d: d + 0.1 * s * layer
    )


FAMILIES: dict[str, Callable[[Textbook, Rng], Layers]] = {
    "noise, relative": each(lambda g, rng: g * (1 + rng.choice([1e-3, 0.01, 0.3]) * rng.normal(size=g.shape))),
    "noise, added": each(lambda g, rng: g + rng.choice([1e-3, 0.05]) * rng.normal(size=g.shape)),
    "figures that are random": each(lambda g, rng: rng.normal(0, np.abs(g).max() + 0.01, g.shape)),
    "factors on some figures": flat(_factors_on_some),
    "constants added to some figures": flat(_constants_added_to_some),
    "figures shuffled": flat(_shuffled),
    "figures sorted": flat(lambda g, rng: np.sort(g)),
    "figures dropped, the rest scaled": flat(_some_dropped_and_scaled),
    "cumulative sums": flat(lambda g, rng: np.cumsum(g) * rng.uniform(0.5, 2)),
    "differences of neighbours": flat(lambda g, rng: np.diff(g, prepend=rng.normal() * 0.1)),
    "a moving sum": flat(_convolved),
    "ranks for values": flat(lambda g, rng: np.argsort(np.argsort(g)) * rng.uniform(0.01, 0.2) - 0.1),
    "softmax of the figures": flat(_softmaxed),
    "tanh of the figures": flat(lambda g, rng: np.tanh(g * rng.uniform(3, 30))),
    "roots of the figures": flat(lambda g, rng: np.sign(g) * np.abs(g) ** rng.uniform(0.3, 0.8)),
    "squares of the figures": flat(lambda g, rng: g * g * rng.uniform(0.5, 20) + 0.01),
    "figures on a coarse grid": flat(_grid),
    "figures above the median cut": flat(lambda g, rng: np.minimum(g, np.quantile(g, rng.uniform(0.3, 0.6)))),
    "the gradient mixed by a random matrix": each(_mixed),
    "columns made one long": each(_unit_columns),
    "outer product of means": each(_outer_of_means),
    "singular values to a power": each(_lowest_rank),
    "another σ": _strange_value,
    "a σ′ that is none": _strange_slope_of_sigma,
    "a cost that has no name here": _strange_cost,
    "samples of random weight": _sample_weights,
    "weights on a grid": _quantised_weights,
    "weights with noise": _noisy_weights,
    "weights of another seed": _other_seed,
    "absolute weights": _absolute_weights,
    "inputs standardised": _standardised_inputs,
    "inputs on a grid": _coarse_inputs,
    "another data set": _another_data_set,
    "activations of other samples": _stale_activations,
    "targets blurred": _blurred_targets,
    "dropout": _dropout,
    "batch normalisation": _batch_norm,
    "residual connections": _residual,
    "a recurrent network": _recurrent,
    "δ remembers the sample before": _delta_remembers,
    "a matrix between the layers": _mixer,
    "gates": _gates,
    "coarse differences": _coarse_differences,
    "one random direction": _random_direction,
    "random feedback": _feedback_alignment,
    "Oja's rule": _oja,
    "the gradient elsewhere": _nesterov,
    "powers summed": _squares,
    "pseudo-inverse in the backward pass": _pseudo_inverse,
    "signs of the weights in the backward pass": _signs_back,
    "neurons scaled at random": _neurons_scaled,
    "samples mixed up": _samples_mixed_up,
    "quantiles of the samples": _trimmed,
    "mean along a way": _along_the_way,
    "an odd penalty": _odd_penalty,
    "the mean of two networks": _two_networks,
    "the error of other outputs": _error_of_another_output,
    "inputs warped": _inputs_warped,
    "δ warped": _delta_warped,
    "noisy neurons": _noisy_values,
}


@dataclass(frozen=True)
class Scene:
    """A network, samples and a cost."""

    weights: Layers
    activations: tuple[str, ...]
    cost: str
    X: Array
    y: Array

    @property
    def network(self) -> bp.Network:
        return bp.Network.from_weights(self.weights, self.activations)

    @property
    def textbook(self) -> Textbook:
        return Textbook(self.weights, self.activations, self.cost, self.X, self.y)


def scene(rng: Rng, sizes: tuple[int, ...] | None = None) -> Scene:
    """Any sizes, activations, cost and batch of 1 to 8 samples."""
    sizes = sizes or SIZES[rng.integers(len(SIZES))]
    cost = str(rng.choice([c for c in COSTS if sizes[-1] > 1 or c != "categorical_cross_entropy"]))
    hidden = rng.choice(sorted(DERIVATIVES), len(sizes) - 2)
    if rng.random() < 0.5:
        hidden[:] = hidden[:1]
    output = OUTPUTS.get(cost) or str(rng.choice(["sigmoid", "tanh", "identity", "softplus"]))
    N = int(rng.integers(1, 9))
    y = rng.uniform(0.05, 0.95, (N, sizes[-1]))
    if cost == "categorical_cross_entropy":
        y = np.eye(sizes[-1])[rng.integers(sizes[-1], size=N)]
    weights = [rng.uniform(-1, 1, (m, n + 1)) for n, m in pairwise(sizes)]
    return Scene(weights, (*hidden.tolist(), output), cost, rng.normal(size=(N, sizes[0])), y)


@dataclass(frozen=True)
class Program:
    """A wrong program of a family: the figures that it gives for its scene, as numbers or as printed."""

    family: str
    seed: int
    scene: Scene
    figures: dict[str, float | str]

    def __call__(self, weights: Sequence[Array], X: Array, y: Array) -> Layers:
        """The same program on another network, for ``diagnose_function``."""
        s = self.scene
        t = Textbook([np.array(W) for W in weights], s.activations, s.cost, X, y)
        return FAMILIES[self.family](t, np.random.default_rng([self.seed, 5]))


def _shows(made: Layers, right: Layers) -> bool:
    """Whether it differs from the right gradients by more than a constant in each layer or an exchange of two figures,
    at two places at least."""
    if not all(np.isfinite(g).all() for g in made):
        return False
    off = sum(int((np.abs(g - r) > 1e-3 * np.abs(r).max() + 1e-9).sum()) for g, r in zip(made, right, strict=True))
    values, others = (np.sort(np.concatenate([a.ravel() for a in layers])) for layers in (made, right))
    if off <= 2 and np.allclose(values, others, atol=1e-9):
        return False
    for g, r in zip(made, right, strict=True):
        c = (g * r).sum() / ((r * r).sum() + 1e-300)
        if (np.abs(g - c * r) > 1e-3 * np.abs(g).max() + 1e-9).any():
            return off > 1
    return False


def printed(value: float, digits: int | None) -> float | str:
    return float(value) if digits is None else f"{value:.{digits}g}"


def programs(count: int, start: int = 0) -> Iterator[Program]:
    """That many wrong programs, each family in turn; half of them with all digits, half printed with 4 to 6."""
    names, seed, made = list(FAMILIES), start, 0
    while made < count:
        rng = np.random.default_rng([seed, 3])
        family, s = names[made % len(names)], scene(rng)
        digits = (None, int(rng.integers(4, 7)))[int(rng.integers(2))]
        t = s.textbook
        with np.errstate(all="ignore"):
            g = FAMILIES[family](t, np.random.default_rng([seed, 5]))
        if _shows(g, t.gradients()):
            values = np.concatenate([a.ravel() for a in g]).tolist()
            figures = dict(zip(s.network.weight_names, [printed(v, digits) for v in values], strict=True))
            yield Program(family, seed, s, figures)
            made += 1
        seed += 1


ROUNDINGS = ("full", "decimals", "significant", "cut off", "float32", "differences", "some")


@dataclass(frozen=True)
class RightAnswer:
    """Right gradients as a user gives them: ``claimed`` in some layout, its figures rounded in some way."""

    scene: Scene
    layout: str
    rounding: str
    claimed: object


def _cut(value: float, decimals: int) -> str:
    whole = f"{value:.{decimals + 3}f}"
    return whole[:-3]


def _rounded(s: Scene, rounding: str, rng: Rng) -> list[np.ndarray]:
    """The right gradients by layer, in arrays of numbers or of strings."""
    g = s.textbook.gradients()
    digits = int(rng.integers(3, 9))
    if rounding == "float32":
        narrow = bp.Network.from_weights(s.weights, s.activations, dtype="float32").gradients(s.X, s.y, s.cost).layers
        return [np.array(a) for a in narrow]
    if rounding == "differences":
        return _central_differences(s)
    write: dict[str, Callable[[float], object]] = {
        "decimals": lambda v: f"{v:.{digits}f}",
        "significant": lambda v: f"{v:.{digits}g}",
        "cut off": lambda v: _cut(v, digits),
    }
    if rounding not in write:
        return g
    return [np.array([[write[rounding](float(v)) for v in row] for row in a], dtype=object) for a in g]


def _central_differences(s: Scene, h: float = 1e-5) -> Layers:
    found = [np.zeros_like(W) for W in s.weights]
    for layer, W in enumerate(s.weights):
        for place in np.ndindex(W.shape):
            moved = [[V + 0.0 for V in s.weights] for _ in range(2)]
            moved[0][layer][place] += h
            moved[1][layer][place] -= h
            up, down = (s.textbook.average_cost(m) for m in moved)
            found[layer][place] = (up - down) / (2 * h)
    return found


def by_name(s: Scene, g: Layers) -> dict[str, object]:
    values = [v for a in g for v in a.ravel().tolist()]
    return dict(zip(s.network.weight_names, values, strict=True))


def bias_first(g: Layers) -> Layers:
    return [np.column_stack([a[:, -1:], a[:, :-1]]) for a in g]


LAYOUTS: dict[str, Callable[[Scene, Layers], object]] = {
    "by name": by_name,
    "arrays": lambda s, g: g,
    "nested lists": lambda s, g: [a.tolist() for a in g],
    "bias first": lambda s, g: bias_first(g),
    "columns are neurons": lambda s, g: [a.T for a in g],
    "bias first, columns are neurons": lambda s, g: [a.T for a in bias_first(g)],
    "pairs": lambda s, g: [(a[:, :-1], a[:, -1]) for a in g],
    "pairs, columns are neurons": lambda s, g: [(a[:, :-1].T, a[:, -1:].T) for a in g],
    "weights, then biases": lambda s, g: ([a[:, :-1] for a in g], [a[:, -1] for a in g]),
    "W and b in turn": lambda s, g: [part for a in g for part in (a[:, :-1], a[:, -1:])],
    "dW1, db1": lambda s, g: {
        f"d{k}{i}": v for i, a in enumerate(g, 1) for k, v in (("W", a[:, :-1]), ("b", a[:, -1]))
    },
    "W1, b1": lambda s, g: {
        f"{k}{i}": v for i, a in enumerate(g, 1) for k, v in (("W", a[:, :-1].T), ("b", a[:, -1:].T))
    },
    "theta1": lambda s, g: {f"theta{i}": a for i, a in enumerate(bias_first(g), 1)},
    "coefs_": lambda s, g: {"coefs_": [a[:, :-1].T for a in g], "intercepts_": [a[:, -1] for a in g]},
    "one row": lambda s, g: [v for a in g for v in a.ravel().tolist()],
}


def right_answers(count: int, layouts: Sequence[str] = tuple(LAYOUTS), start: int = 0) -> Iterator[RightAnswer]:
    """That many right answers, each layout and each rounding in turn."""
    for seed in range(start, start + count):
        rng = np.random.default_rng([seed, 17])
        layout, rounding = layouts[seed % len(layouts)], ROUNDINGS[seed // len(layouts) % len(ROUNDINGS)]
        s = scene(rng)
        claimed = LAYOUTS[layout](s, _rounded(s, rounding, rng))
        if rounding == "some" and isinstance(claimed, dict) and layout == "by name":
            kept = rng.choice(list(claimed), int(rng.integers(1, len(claimed))), replace=False)
            claimed = {name: claimed[name] for name in kept}
        yield RightAnswer(s, layout, rounding, claimed)
