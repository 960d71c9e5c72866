"""Intrinsics by hand for the notes' network, as a lower bound: AVX2 for one network, AVX-512 on all cores for many.

It only trains: no costs, no error checks, no stopping.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from ctypes import c_double, c_int64, c_void_p
from pathlib import Path

import numpy as np

from bench.contenders import LeftOut
from bench.rows import NOTES, XOR, Array, Row, Train
from hatch_build import compiler

NAME = "intrinsics"
COST = "squared_error"
SOURCE = Path(__file__).with_suffix(".cpp")
FLAGS = [
    "-std=c++17",
    "-O3",
    "-mavx2",
    "-mfma",
    "-ffp-contract=off",
    "-fPIC",
    "-shared",
    "-Wno-psabi",
]
AVX_512 = ["-mavx512f", "-mavx512dq"]
LANES = {"float64": 8, "float32": 16}
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
BLOCKS = 16  # per core


def library(*, many: bool) -> ctypes.CDLL:
    try:
        has = set(Path("/proc/cpuinfo").read_text().split())
    except OSError:
        has = set()
    command = compiler()
    if command is None or not {"avx2", "fma"} <= has:
        raise LeftOut("it needs Linux, a processor with AVX2 and a C++ compiler")
    if many and "avx512dq" not in has:
        raise LeftOut("for many networks it needs a processor with AVX-512")
    with tempfile.TemporaryDirectory() as folder:
        built = Path(folder, "intrinsics.so")
        flags = [*FLAGS, *(AVX_512 if many else [])]
        subprocess.run([*command, *flags, str(SOURCE), "-o", str(built)], check=True)
        return ctypes.CDLL(str(built))


def versions() -> str:
    return "AVX2 and AVX-512 intrinsics"


def forms(row: Row) -> dict[str, Train]:
    if row.sizes != NOTES or row.samples != XOR or row.per in ("process", "call"):
        raise LeftOut("written for networks 2-2-1 on XOR")
    if row.networks is None:
        return {"a sample in each lane": train_one(row)}
    return {"a network in each lane": train(row)}


def train_one(row: Row) -> Train:
    (X, y), start = row.data(), row.start()
    if row.dtype != "float64":
        raise LeftOut("one network is in float64 only")
    function = library(many=False).train_one
    function.argtypes = [c_void_p, c_void_p, c_void_p, c_double, c_int64]
    columns, targets = np.ascontiguousarray(X.T), y.ravel().copy()

    def run(epochs: int) -> list[Array]:
        weights = np.zeros((3, 4))
        weights[:, :3] = np.concatenate(start)
        function(weights.ctypes.data, columns.ctypes.data, targets.ctypes.data, row.learning_rate, epochs)
        return [weights[:2, :3], weights[2:, :3]]

    return run


def train(row: Row) -> Train:
    X, y = row.data()
    start = np.concatenate([w.reshape(row.networks, -1) for w in row.start()], axis=1).T
    lanes = LANES[row.dtype]
    stride = -(-start.shape[1] // lanes) * lanes
    function = library(many=True)[f"train_{row.dtype}"]
    function.argtypes = [c_void_p, c_int64, c_int64, c_int64, c_void_p, c_void_p, c_double, c_int64]
    block = -(-stride // (CORES * BLOCKS * lanes)) * lanes
    pool = ThreadPoolExecutor(CORES)

    def run(epochs: int) -> list[Array]:
        weights = np.zeros((len(start), stride), row.dtype)
        weights[:, : start.shape[1]] = start
        calls = [
            pool.submit(
                function, weights.ctypes.data, stride, first, min(first + block, stride), X.ctypes.data, y.ctypes.data,
                row.learning_rate, epochs,
            )
            for first in range(0, stride, block)
        ]  # fmt: skip # the arguments in the order of the call
        for call in calls:
            call.result()
        W = np.ascontiguousarray(weights[:, : start.shape[1]].T)
        return [W[:, :6].reshape(-1, 2, 3), W[:, 6:].reshape(-1, 1, 3)]

    return run
