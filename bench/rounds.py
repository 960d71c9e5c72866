"""The cost of a round of distributed training: ``python bench/rounds.py [WORKERS]`` (see docs/distributed.md).

A round with almost no samples is only overhead; the same network on one machine shows the cost of the work itself.
"""

from __future__ import annotations

import itertools
import sys
import time
from typing import Any

import numpy as np

import backpath as bp

ROUNDS = 200


def measured(client: Any, sizes: tuple[int, ...], rows: int, blocks: int) -> tuple[float, float]:
    """The seconds per round, with the workers and on one machine."""
    from backpath import distributed

    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(rows, sizes[0])), rng.normal(size=(rows, sizes[-1]))
    parts = list(zip(np.array_split(X, blocks), np.array_split(y, blocks), strict=True))
    samples = distributed.DistributedSamples(client, client.scatter(parts, hash=False), tuple)
    net = bp.Network(sizes, activations=("tanh", "identity"), seed=0)
    distributed.train(net, samples, epochs=5, learning_rate=1e-4)
    began = time.perf_counter()
    distributed.train(net, samples, epochs=ROUNDS, learning_rate=1e-4)
    there = (time.perf_counter() - began) / ROUNDS
    began = time.perf_counter()
    bp.train(net, X, y, epochs=ROUNDS, learning_rate=1e-4, threads=1)
    return there, (time.perf_counter() - began) / ROUNDS


def memory(client: Any) -> float:
    """The memory of the largest worker, in MB."""
    return max(client.run(resident).values()) / 1e6


def resident() -> int:
    import psutil

    return int(psutil.Process().memory_info().rss)


def main() -> None:
    from distributed import Client, LocalCluster

    workers = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    with (
        LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster) as client,
    ):
        print(f"an idle worker: {memory(client):,.0f} MB")
        for sizes, rows in (
            ((10, 16, 1), 200),
            ((10, 16, 1), 200_000),
            ((100, 256, 10), 200),
            ((100, 256, 10), 20_000),
        ):
            there, here = measured(client, sizes, rows, 2 * workers)
            weights = sum((a + 1) * b for a, b in itertools.pairwise(sizes))
            print(
                f"{'-'.join(map(str, sizes))} ({weights * 8 / 1e3:,.0f} kB of weights), {rows:,} rows: "
                f"{there * 1e3:.2f} ms a round with {workers} workers, {here * 1e3:.2f} ms on one core; "
                f"{memory(client):,.0f} MB a worker"
            )


if __name__ == "__main__":
    main()
