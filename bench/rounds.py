"""The cost of a round of distributed training: ``python -m bench.rounds [WORKERS]`` (see docs/distributed.md).

A round with almost no samples is only overhead; the same network on one machine shows the cost of the work itself. If
there are more workers than cores, they wait for one another, and only the driver's own time is meaningful: with
workers that ask others and without.
"""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import backpath as bp
from backpath.distributed import DistributedSamples, parts, train

ROUNDS, REPEATS = 20, 10
USUAL = parts.FOLLOWERS  # workers that the driver asks itself; these ask the others
MOST = 10**9  # all of them
SIZES = ((10, 16, 1), (100, 256, 10))


def measured(client: Any, sizes: tuple[int, ...], rows: int, blocks: int) -> tuple[float, float, float]:
    """The seconds per round, those that the driver works in it, and those on one core of one machine."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(rows, sizes[0])), rng.normal(size=(rows, sizes[-1]))
    pairs = list(zip(np.array_split(X, blocks), np.array_split(y, blocks), strict=True))
    samples = DistributedSamples(client, client.scatter(pairs, hash=False), tuple)
    net = bp.Network(sizes, activations=("tanh", "identity"), seed=0)
    train(net, samples, epochs=5, learning_rate=1e-4)
    there, worked = fastest(lambda: train(net, samples, epochs=ROUNDS, learning_rate=1e-4))
    here, _ = fastest(lambda: bp.train(net, X, y, epochs=ROUNDS, learning_rate=1e-4, threads=1))
    return there, worked, here


def fastest(run: Callable[[], object]) -> tuple[float, float]:
    """The seconds per round, and those that this process works, in the least disturbed of several runs."""
    found = []
    for _ in range(REPEATS):
        began, worked = time.perf_counter(), time.process_time()
        run()
        found.append((time.perf_counter() - began, time.process_time() - worked))
    return min(there for there, _ in found) / ROUNDS, min(worked for _, worked in found) / ROUNDS


def memory(client: Any) -> float:
    """The memory of the largest worker, in MB."""
    return max(client.run(resident).values()) / 1e6


def resident() -> int:
    import psutil

    return int(psutil.Process().memory_info().rss)


def main() -> None:
    from distributed import Client
    from distributed.deploy.subprocess import SubprocessCluster

    workers = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    with SubprocessCluster(n_workers=workers, threads_per_worker=1) as cluster:
        for direct in (True, False):
            with Client(cluster, direct_to_workers=direct) as client:
                client.wait_for_workers(workers)
                print(f"{'directly' if direct else 'through the scheduler'}; a worker has {memory(client):,.0f} MB")
                for sizes, rows, parts.FOLLOWERS in cases(workers, direct):
                    print(line(client, sizes, rows, workers), flush=True)


def cases(workers: int, direct: bool) -> list[tuple[tuple[int, ...], int, int]]:
    """(sizes, rows, the most workers that one process asks)"""
    usual = [(sizes, 200, USUAL) for sizes in SIZES]
    if workers > USUAL:
        return usual + [(sizes, 200, MOST) for sizes in SIZES]
    return [*usual, (SIZES[0], 200_000, MOST), (SIZES[1], 20_000, MOST)] if direct else usual


def line(client: Any, sizes: tuple[int, ...], rows: int, workers: int) -> str:
    there, worked, here = measured(client, sizes, rows, 2 * workers)
    weights = sum((a + 1) * b for a, b in itertools.pairwise(sizes))
    return (
        f"{'-'.join(map(str, sizes))} ({weights * 8 / 1e3:,.0f} kB of weights), {rows:,} rows: "
        f"{there * 1e3:.2f} ms a round with {workers} workers"
        f"{' asked by the driver' if parts.FOLLOWERS == MOST else ''}, of which the driver works "
        f"{worked * 1e3:.2f} ms; {here * 1e3:.2f} ms on one core; {memory(client):,.0f} MB a worker"
    )


if __name__ == "__main__":
    main()
