"""What Hypothesis draws from: networks, samples, costs."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from backpath.maths.activations import ACTIVATIONS
from backpath.maths.costs import COSTS
from backpath.maths.network import Network

# activations that hidden layers can be trained with, and of those the ones without a kink
HIDDEN = [name for name, row in ACTIVATIONS.items() if not row.no_derivative and row.jacobian is None]
HIDDEN.remove("exp")  # of several layers it overflows at once; it is for the output of counts
SMOOTH = [name for name in HIDDEN if name not in ("relu", "leaky_relu", "elu")]
seeds = st.integers(0, 2**32 - 1)


def output_activations(cost: str) -> list[str]:
    needed = COSTS[cost].output_activation
    return [needed] if needed else [*HIDDEN, "softmax"]


@st.composite
def networks(draw, hidden=HIDDEN, max_layers=4, max_width=6, dtypes=("float64",)):
    """A network, and a cost that it can be trained with."""
    cost = draw(st.sampled_from(sorted(COSTS)))
    output = draw(st.sampled_from([name for name in output_activations(cost) if name in (*hidden, "softmax", "exp")]))
    sizes = draw(st.lists(st.integers(1, max_width), min_size=2, max_size=max_layers))
    if output == "softmax":
        sizes[-1] = max(2, sizes[-1])
    activations = [draw(st.sampled_from(hidden)) for _ in sizes[2:]] + [output]
    dtype = draw(st.sampled_from(dtypes))
    return Network(sizes, activations=activations, init="uniform:-1,1", seed=draw(seeds), dtype=dtype), cost


def samples(network: Network, cost: str, count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Inputs, and targets that the cost has a meaning for."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(count, network.sizes[0]))
    y = rng.uniform(0.05, 0.95, (count, network.sizes[-1]))
    if cost == "poisson":
        y = rng.poisson(3 * y).astype(float)
    if cost == "categorical_cross_entropy":
        y /= y.sum(axis=1, keepdims=True)
    return X, y


@st.composite
def problems(draw, max_samples=5, **kinds):
    """A network, a cost, X and y."""
    network, cost = draw(networks(**kinds))
    X, y = samples(network, cost, draw(st.integers(1, max_samples)), draw(seeds))
    return network, cost, X, y
