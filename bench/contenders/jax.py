"""JAX: the whole run is one compiled loop with donated weights.

There is the usual form (matrix products, ``vmap`` for a population), and the fastest one for tiny networks: products
summed over an axis, which XLA fuses into one loop over the samples; several epochs per iteration of the loop; and a
population in blocks that stay in the cache, with networks along the last axis, and one device per core for the blocks.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import NamedSharding, PartitionSpec

from bench.contenders import LeftOut
from bench.rows import Array, Row, Train

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
jax.config.update("jax_platforms", "cpu")
jax.config.update("jax_num_cpu_devices", CORES)
jax.config.update("jax_enable_x64", True)
jax.config.update("jax_compilation_cache_dir", str(Path(__file__).parents[2] / "build" / "jax-cache"))
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)  # backpath's kernels are also kept from run to run
jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)

NAME = "JAX"
COST = "squared_error"
UNROLLED = 8  # epochs
BLOCK = 200  # networks
TINY = 1000  # weights; in layers with more, products summed over an axis are not tried
Weights = list[tuple[Any, Any]]  # W (neurons, inputs), b (neurons,) by layer
Cost = Callable[[Weights, Any, Any], Any]


def versions() -> str:
    return f"JAX {jax.__version__}"


def products(weights: Weights, X: Any, y: Any) -> Any:
    a = X
    for W, b in weights:
        a = jax.nn.sigmoid(a @ W.T + b)
    return ((a - y) ** 2).sum() / len(X)


def sums(weights: Weights, X: Any, y: Any) -> Any:
    a = X.T
    for W, b in weights:
        a = jax.nn.sigmoid((W[:, :, None] * a).sum(1) + b[:, None])
    return ((a - y.T) ** 2).sum() / len(X)


def lanes(weights: Weights, X: Any, y: Any) -> Any:
    """The step for many networks: W (neurons, inputs, networks), b (neurons, networks)."""
    a = X.T[:, :, None]
    for W, b in weights:
        a = jax.nn.sigmoid((W[:, :, None] * a).sum(1) + b[:, None])
    return ((a - y.T[:, :, None]) ** 2).sum() / len(X)


def forms(row: Row) -> dict[str, Train]:
    if row.samples % (row.batch or row.samples):
        raise LeftOut("JAX's loop here is for batches of one size")
    if row.networks is not None:
        made = {"vmap, networks first": population(row, 0), "vmap, networks last": population(row, -1)}
        if row.networks % BLOCK == 0:
            made["networks last, in blocks"] = population_in_blocks(row)
        return made
    made = {"matrix products": single(row, products, 1)}
    if max(W.size for W in row.start()) <= TINY:
        made["sums"] = single(row, sums, UNROLLED if row.steps == 1 else 1)
    return made


def descent(row: Row, gradient: Cost) -> Callable[[Weights, Any, Any], Weights]:
    def step(weights: Weights, X: Any, y: Any) -> Weights:
        return jax.tree.map(lambda W, g: W - row.learning_rate * g, weights, gradient(weights, X, y))

    return step


def single(row: Row, cost: Cost, unrolled: int) -> Train:
    X, y = row.data()
    step = descent(row, jax.grad(cost))
    batches = jax.device_put((X.reshape(row.steps, -1, X.shape[1]), y.reshape(row.steps, -1, y.shape[1])))

    def epoch(weights: Weights, batches: Any) -> Weights:
        if row.steps == 1:
            return step(weights, *(part[0] for part in batches))
        return jax.lax.scan(lambda w, batch: (step(w, *batch), None), weights, batches)[0]

    def several(weights: Weights, batches: Any) -> Weights:
        for _ in range(unrolled):
            weights = epoch(weights, batches)
        return weights

    @partial(jax.jit, donate_argnums=0)
    def train(weights: Weights, batches: Any, turns: int, rest: int) -> Weights:
        weights = jax.lax.fori_loop(0, turns, lambda _, w: several(w, batches), weights)
        return jax.lax.fori_loop(0, rest, lambda _, w: epoch(w, batches), weights)

    start = pairs(row)
    return lambda epochs: from_jax(train(jax.tree.map(jnp.array, start), batches, *divmod(epochs, unrolled)))


def population(row: Row, networks: int) -> Train:
    """``networks``: the axis of the networks."""
    data = jax.device_put(row.data())
    step = descent(row, jax.vmap(jax.grad(products), (networks, None, None), networks))

    @partial(jax.jit, donate_argnums=0)
    def train(weights: Weights, X: Any, y: Any, epochs: int) -> Weights:
        return jax.lax.fori_loop(0, epochs, lambda _, w: step(w, X, y), weights)

    start = jax.tree.map(lambda W: np.moveaxis(W, 0, networks), pairs(row))

    def run(epochs: int) -> list[Array]:
        weights = train(jax.tree.map(jnp.array, start), *data, epochs)
        return from_jax(jax.tree.map(lambda W: np.moveaxis(W, networks, 0), weights))

    return run


def population_in_blocks(row: Row) -> Train:
    """For weights of shape (blocks, neurons, inputs, BLOCK)."""
    data = row.data()
    step = descent(row, jax.grad(lanes))
    used = max(n for n in range(1, CORES + 1) if row.networks // BLOCK % n == 0)
    devices, blocks = jax.make_mesh((used,), ("cores",), devices=jax.devices()[:used]), PartitionSpec("cores")

    @partial(jax.jit, donate_argnums=0)
    @partial(jax.shard_map, mesh=devices, in_specs=(blocks, PartitionSpec()), out_specs=blocks)
    def train(weights: Weights, epochs: int) -> Weights:
        return jax.lax.map(lambda w: jax.lax.fori_loop(0, epochs, lambda _, w: step(w, *data), w), weights)

    start = jax.tree.map(lambda W: np.moveaxis(W.reshape(-1, BLOCK, *W.shape[1:]), 1, -1), pairs(row))

    def run(epochs: int) -> list[Array]:
        weights = train(jax.device_put(start, NamedSharding(devices, blocks)), epochs)
        return from_jax(jax.tree.map(lambda W: np.moveaxis(W, -1, 1).reshape(row.networks, *W.shape[1:-1]), weights))

    return run


def pairs(row: Row) -> list[tuple[Array, Array]]:
    return [(w[..., :-1], w[..., -1]) for w in row.start()]


def from_jax(weights: Weights) -> list[Array]:
    return [np.concatenate([np.asarray(W), np.asarray(b)[..., None]], axis=-1) for W, b in weights]
