"""Chooses the engine for a job."""

from __future__ import annotations

import warnings

from backpath.errors import InputError
from backpath.maths.unknown import unknown
from backpath.training.engines.compiled import CompiledEngine
from backpath.training.engines.pieces import InPieces, rows_of_piece
from backpath.training.job import Descent, Engine, Job
from backpath.training.native.library import why_no_kernels

ENGINES = ("auto", "numpy", "compiled")


def check_engine(name: str) -> None:
    if name not in ENGINES:
        raise unknown("engine", name, ENGINES)


def start_engine(name: str, job: Job) -> Engine:
    """The engine of this name; ``auto`` is the compiled one if it supports the job."""
    if job.solver.name == "lm":
        from backpath.training.engines.lm import LMEngine

        return LMEngine(job)
    return start_descent(name, job)


def start_descent(name: str, job: Job) -> Descent:
    """The engine for gradient-descent solvers."""
    if job.needs_numpy and name == "compiled":
        raise InputError(f"{job.needs_numpy} needs the NumPy engine; leave engine='compiled' out")
    if name == "numpy" or job.needs_numpy or (name == "auto" and must_do_without()):
        from backpath.training.engines.numpy import NumpyEngine

        return NumpyEngine(job)
    if rows_of_piece(job) < len(job.X):
        return InPieces(job)
    return CompiledEngine(job)


def must_do_without() -> bool:
    """Whether there are no kernels; warns if so."""
    why = why_no_kernels()
    if why:
        warnings.warn(
            f"training with NumPy, which is slow; there are no native kernels: {why}", RuntimeWarning, stacklevel=4
        )
    return bool(why)
