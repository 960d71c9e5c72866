"""The history of a run, thinned as it grows: the cost curve, and weights to return to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backpath.explorer import limits
from backpath.maths.network import Network


class Timeline:
    """The cost of every ``stride``-th epoch, and some of the networks.

    Attributes
    ----------
    epoch : int
        The epoch of the current network.
    epochs, costs : lists
        The curve.
    networks : dict of epoch to Network
        The networks that the slider can return to; the first is the initial network, or that of the ``epoch`` given.
    """

    def __init__(self, network: Network, epoch: int = 0) -> None:
        self.epoch, self.stride = epoch, 1
        self.epochs: list[int] = []
        self.costs: list[float] = []
        self.networks = {epoch: network}
        self.held_out: list[tuple[int, float]] = []  # epochs, and the cost of the held-out rows after them
        size = sum(W.nbytes for W in network.weights)
        self._most = max(3, min(limits.SNAPSHOTS, limits.SNAPSHOT_BYTES // size))
        self._gap = 1

    @property
    def first(self) -> Network:
        return next(iter(self.networks.values()))

    def begin_with(self, costs: Sequence[tuple[int, float]], held_out: Sequence[tuple[int, float]]) -> None:
        """A timeline from a given curve."""
        self.epochs, self.costs = [epoch for epoch, _ in costs], [cost for _, cost in costs]
        self.held_out = list(held_out)

    def copy(self) -> Timeline:
        """An independent copy up to the current epoch."""
        found = Timeline(self.first)
        found.epoch, found.stride, found._gap = self.epoch, self.stride, self._gap
        kept = int(np.searchsorted(self.epochs, self.epoch, side="right"))
        found.epochs, found.costs = self.epochs[:kept], self.costs[:kept]
        found.networks = {epoch: network for epoch, network in self.networks.items() if epoch <= self.epoch}
        found.held_out = [pair for pair in self.held_out if pair[0] <= self.epoch]
        return found

    def add(self, costs: Sequence[float] | NDArray[np.float64], network: Network) -> bool:
        """Add the costs of the next epochs and the network after them; returns whether the curve was thinned."""
        first, self.epoch = self.epoch + 1, self.epoch + len(costs)
        thinned = self._thin(len(costs))
        for epoch in range(-(-first // self.stride) * self.stride, self.epoch + 1, self.stride):
            self.epochs.append(epoch)
            self.costs.append(float(costs[epoch - first]))
        if first == 1 and self.stride > 1 and len(costs):
            self.epochs.insert(0, 1)
            self.costs.insert(0, float(costs[0]))
        self._keep(network)
        return thinned

    def _thin(self, more: int) -> bool:
        """Double the stride until there is room for the costs of more epochs; returns whether that was needed."""
        before = self.stride
        while len(self.epochs) + more // self.stride > limits.CURVE:
            self.stride *= 2
            kept = [k for k, epoch in enumerate(self.epochs) if epoch == 1 or epoch % self.stride == 0]
            self.epochs, self.costs = [self.epochs[k] for k in kept], [self.costs[k] for k in kept]
        return self.stride > before

    def _keep(self, network: Network) -> None:
        if self.epoch - max(self.networks) < self._gap:
            return
        self.networks[self.epoch] = network
        if len(self.networks) > self._most:
            every = list(self.networks)
            self.networks = {epoch: self.networks[epoch] for epoch in every[::2]}
            self._gap = max(2 * self._gap, self.epoch // self._most)

    def measure(self, cost: float) -> None:
        """Add the current cost of the held-out rows; if there are too many, every other one is kept."""
        self.held_out.append((self.epoch, cost))
        if len(self.held_out) > limits.CURVE:
            self.held_out = self.held_out[::2]

    def settle(self, network: Network) -> None:
        """Keep the network at the end of a run."""
        self.networks[self.epoch] = network

    def at(self, epoch: int) -> tuple[Timeline, Network]:
        """The timeline at the kept epoch closest to this one, and its network; nothing is dropped."""
        nearest = min(self.networks, key=lambda kept: abs(kept - epoch))
        found = Timeline(self.first)
        vars(found).update(vars(self) | {"epoch": nearest})
        return found, self.networks[nearest]

    def for_the_page(self) -> dict[str, Any]:
        return {
            "epoch": self.epoch,
            "epochs": self.epochs,
            "cost": self.costs,
            "snapshots": sorted(self.networks),
            "held_out": [pair for pair in self.held_out if math.isfinite(pair[1])],
        }
