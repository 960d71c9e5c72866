"""The workloads: each row is the same for all contenders."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.floating]
Train = Callable[[int], list[Array]]  # epochs -> the weights after them, from the row's initial weights


@dataclass(frozen=True)
class Row:
    """Gradient descent on the squared error, logistic neurons in every layer.

    Attributes
    ----------
    batch : int | None
        Samples per update, in a fixed order; None for all.
    networks : int | None
        The size of a population in which each network has its own initial weights; None for one network.
    cores : int | None
        The cores that a contender may use; None for all.
    per : "epoch" | "step" | "network" | "call" | "process"
        The unit of the time; "network" is one network and epoch.
    epochs : int | None
        Epochs per call; None for as many as fit in the measuring time.
    calls : int
        Consecutive calls per timing; their median counts.
    checked : int
        The number of epochs before the comparison with the reference.
    growth : bool
        Whether it is a point of a growth curve, for which forms that compile slowly are left out.
    """

    key: str
    title: str
    sizes: tuple[int, ...]
    samples: int
    per: str
    batch: int | None = None
    dtype: str = "float64"
    networks: int | None = None
    cores: int | None = 1
    learning_rate: float = 0.5
    epochs: int | None = None
    calls: int = 1
    checked: int = 100
    growth: bool = False

    @property
    def steps(self) -> int:
        """Updates per epoch."""
        return -(-self.samples // (self.batch or self.samples))

    def per_call(self, epochs: int) -> int:
        """The units of the time in a call with this many epochs."""
        return {"epoch": epochs, "step": epochs * self.steps, "network": epochs * (self.networks or 1)}.get(self.per, 1)

    def data(self) -> tuple[Array, Array]:
        """X (N, inputs) and y (N, outputs) of 0 and 1: the truth table of XOR for two inputs, otherwise random."""
        if (self.sizes[0], self.samples) == (2, 4):
            X, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0], [1], [1], [0]])
            return X.astype(self.dtype), y.astype(self.dtype)
        rng = np.random.default_rng(1)
        X, classes = rng.uniform(-1, 1, (self.samples, self.sizes[0])), rng.integers(0, 10, self.samples)
        y = np.eye(10)[classes] if self.sizes[-1] == 10 else np.tile((X[:, :1] > 0), self.sizes[-1])
        return X.astype(self.dtype), y.astype(self.dtype)

    def start(self) -> list[Array]:
        """Weights by layer (neurons, inputs + 1), bias last; for a population (networks, neurons, inputs + 1)."""
        rng, many = np.random.default_rng(0), () if self.networks is None else (self.networks,)
        reach = [1.0 if n_in == 2 else n_in**-0.5 for n_in in self.sizes]
        shapes = [(*many, n_out, n_in + 1) for n_in, n_out in itertools.pairwise(self.sizes)]
        return [rng.uniform(-r, r, shape).astype(self.dtype) for r, shape in zip(reach, shapes, strict=False)]


NOTES, XOR = (2, 2, 1), 4
ROWS = (
    Row("xor", "XOR 2-2-1, full batch, float64: one epoch", NOTES, XOR, "epoch"),
    Row("population", "20,000 networks 2-2-1 on XOR, float64: one network and epoch", NOTES, XOR, "network",
        networks=20_000, cores=None),
    Row("population32", "20,000 networks 2-2-1 on XOR, float32: one network and epoch", NOTES, XOR, "network",
        networks=20_000, cores=None, dtype="float32", epochs=2000),
    Row("population-2-8-1", "2,000 networks 2-8-1, float32, 64 samples: one network and epoch", (2, 8, 1), 64,
        "network", networks=2000, cores=None, dtype="float32", checked=10),
    Row("population-8-16-1", "1,000 networks 8-16-1, float32, 256 samples: one network and epoch", (8, 16, 1), 256,
        "network", networks=1000, cores=None, dtype="float32", checked=10),
    Row("population-8-16-8-1", "200 networks 8-16-8-1, float32, 500 samples: one network and epoch", (8, 16, 8, 1), 500,
        "network", networks=200, cores=None, dtype="float32", checked=10),
    Row("population-20-32-3", "100 networks 20-32-3, float32, 500 samples: one network and epoch", (20, 32, 3), 500,
        "network", networks=100, cores=None, dtype="float32", checked=10),
    Row("8-16-1", "8-16-1, float32, one core: a step of 32", (8, 16, 1), 1024, "step", 32, "float32", checked=10),
    Row("64-100-10", "64-100-10, float32, one core: a step of 32", (64, 100, 10), 1024, "step", 32, "float32",
        checked=10),
    Row("784-128-10", "784-128-10, float32, one core: a step of 128", (784, 128, 10), 1024, "step", 128, "float32",
        checked=10, learning_rate=0.1),
    Row("784-512-512-10", "784-512-512-10, float32, one core: a step of 128", (784, 512, 512, 10), 1024, "step", 128,
        "float32", checked=10, learning_rate=0.1),
    Row("784-128-10-all", "784-128-10, float32, all cores: a step of 128", (784, 128, 10), 1024, "step", 128, "float32",
        cores=None, checked=10, learning_rate=0.1),
    Row("784-512-512-10-all", "784-512-512-10, float32, all cores: a step of 128", (784, 512, 512, 10), 1024, "step",
        128, "float32", cores=None, checked=10, learning_rate=0.1),
    Row("20-100-1", "20-100-1, float64, all cores: an epoch of 100,000 samples, full batch", (20, 100, 1), 100_000,
        "epoch", cores=None, checked=10),
    Row("10-16-1", "10-16-1, float64, all cores: an epoch of 1,000,000 samples, full batch", (10, 16, 1), 1_000_000,
        "epoch", cores=None, checked=3),
    Row("start", "from the start of a process to 10,000 XOR epochs done", NOTES, XOR, "process",
        cores=None, epochs=10_000),
    Row("call", "one call that trains one XOR epoch, warm", NOTES, XOR, "call", cores=None, epochs=1, calls=200),
)  # fmt: skip # compact
