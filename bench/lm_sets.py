"""Regression sets for small networks, each with its network and the error that counts as learned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from sklearn import datasets

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Set:
    """One set. Inputs and outputs are standardised, so always predicting the mean has the error 1.

    Attributes
    ----------
    make : callable
        -> X (N, inputs), y (N,) or (N, outputs)
    hidden : int
        Tanh neurons; the outputs are linear.
    goal : float
        The mean squared error, summed over the outputs, at which it is learned.
    """

    name: str
    make: Callable[[], tuple[Array, Array]]
    hidden: int
    goal: float

    def data(self) -> tuple[Array, Array]:
        X, y = self.make()
        y = y.reshape(len(X), -1)
        return (X - X.mean(axis=0)) / X.std(axis=0), (y - y.mean(axis=0)) / y.std(axis=0)


def sinc() -> tuple[Array, Array]:
    x = np.linspace(-10, 10, 200)
    return x[:, None], np.sinc(x / np.pi)


def parity() -> tuple[Array, Array]:
    X = np.array(list(product((-1.0, 1.0), repeat=4)))
    return X, X.prod(axis=1)


def mackey_glass() -> tuple[Array, Array]:
    """x′ = 0.2 x(t-17) / (1 + x(t-17)¹⁰) - 0.1 x by Runge-Kutta steps of 1 (constant delayed value), from x = 1.2: the
    value 6 steps ahead, from the present value and those 6, 12 and 18 steps ago."""
    x = [1.2] * 18
    for _ in range(1500):
        gain = 0.2 * x[-18] / (1 + x[-18] ** 10)
        k1 = gain - 0.1 * x[-1]
        k2 = gain - 0.1 * (x[-1] + k1 / 2)
        k3 = gain - 0.1 * (x[-1] + k2 / 2)
        k4 = gain - 0.1 * (x[-1] + k3)
        x.append(x[-1] + (k1 + 2 * k2 + 2 * k3 + k4) / 6)
    series = np.array(x[-1024:])
    return np.column_stack([series[18 - lag : -6 - lag] for lag in (18, 12, 6, 0)]), series[24:]


def robot_arm() -> tuple[Array, Array]:
    """The position of the hand of an arm with two links (1 and 0.8 long), from the angles of shoulder and elbow."""
    angles = np.random.default_rng(0).uniform([0, 0], [np.pi / 2, np.pi], (500, 2))
    both = angles.sum(axis=1)
    x, y = np.cos(angles[:, 0]) + 0.8 * np.cos(both), np.sin(angles[:, 0]) + 0.8 * np.sin(both)
    return angles, np.column_stack([x, y])


SETS = (
    Set("friedman1", lambda: datasets.make_friedman1(1000, random_state=0), 10, 1e-3),
    Set("friedman2", lambda: datasets.make_friedman2(1000, random_state=0), 10, 2e-5),
    Set("friedman3", lambda: datasets.make_friedman3(1000, random_state=0), 10, 4e-3),
    Set("diabetes", lambda: datasets.load_diabetes(return_X_y=True), 5, 0.4),
    Set("sinc", sinc, 8, 1e-4),
    Set("parity of 4 bits", parity, 4, 1e-3),
    Set("Mackey-Glass", mackey_glass, 10, 2e-4),
    Set("robot arm", robot_arm, 10, 2e-5),
)
