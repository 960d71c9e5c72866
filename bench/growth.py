"""The growth curves: a panel for each quantity, and a row for each point."""

from __future__ import annotations

import os
from dataclasses import replace

from bench.rows import NOTES, XOR, Row

CONTENDERS = ("backpath", "numpy", "jax", "torch")
BASE = Row("growth", "", (16, 16, 1), 128, "epoch", dtype="float32", checked=10, growth=True)
POPULATION = Row("growth", "", NOTES, XOR, "network", dtype="float32", cores=None, checked=10, growth=True)
Panels = dict[str, list[tuple[float, Row]]]


def numbers_of_cores() -> list[int]:
    """1, 2, 4 … up to the cores that this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return [2**k for k in range(cores.bit_length())]


def panels() -> Panels:
    """Title ("quantity: timed work") -> pairs (quantity, row)."""
    xor = replace(BASE, sizes=NOTES, samples=XOR, dtype="float64", per="call")
    many = replace(POPULATION, networks=20_000)
    wide = replace(BASE, sizes=(784, 512, 512, 10), samples=1024, batch=128, per="step", learning_rate=0.1)
    counts = numbers_of_cores()
    return {
        "epochs: one call, XOR 2-2-1": [
            (n, replace(xor, epochs=n, calls=max(1, 100 // n))) for n in (1, 10, 100, 1000, 10_000, 100_000)
        ],
        "samples: an epoch of 16-16-1, full batch": [
            (n, replace(BASE, samples=n)) for n in (4, 32, 256, 2048, 16_384, 131_072)
        ],
        "width: an epoch of 16-width-1, 128 samples": [
            (n, replace(BASE, sizes=(16, n, 1))) for n in (2, 8, 32, 128, 512, 2048)
        ],
        "depth: an epoch of 16-16-…-1, 128 samples": [
            (n, replace(BASE, sizes=(16, *[16] * n, 1))) for n in (1, 2, 4, 8, 16)
        ],
        "networks: an epoch of one of them, 2-2-1": [
            (n, replace(POPULATION, networks=n)) for n in (1, 20, 400, 8000, 160_000)
        ],
        "cores: an epoch of one of 20,000 networks": [(n, replace(many, cores=n)) for n in counts],
        "cores: a step of 128 of 784-512-512-10": [(n, replace(wide, cores=n)) for n in counts],
    }
