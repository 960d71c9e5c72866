"""Which engine does a job."""

from __future__ import annotations

import sys
from pathlib import Path

from backpath.errors import InputError
from backpath.training.cache_folders import are_kept
from backpath.training.job import Descent, Engine, Job
from backpath.training.numpy_engine import NumpyEngine

ENGINES = ("auto", "numpy", "compiled")

# Seconds, about: what the NumPy engine takes per layer and update, and per weight and sample; what it takes to load the
# kernels; and how long a job is worth waiting for them to be compiled, once on a machine.
PER_LAYER, PER_PRODUCT, LOADING, COMPILING = 2.5e-5, 1.5e-9, 0.3, 5.0


def check_engine(name: str) -> None:
    if name not in ENGINES:
        raise InputError(f"unknown engine {name!r}; there are {', '.join(ENGINES)}", "engine")


def start_engine(name: str, job: Job, epochs: int, announce: bool = False) -> Engine:
    """The engine of that name, or for ``auto`` the one that does ``epochs`` epochs of this job soonest.

    ``announce`` tells on standard error if kernels have to be compiled, even where that is no terminal.
    """
    if job.solver.name == "lm":
        from backpath.training.lm import LMEngine

        return LMEngine(job)
    return start_descent(name, job, epochs, announce)


def start_descent(name: str, job: Job, epochs: int, announce: bool = False) -> Descent:
    """The same for solvers that go down the gradient."""
    if job.dropout and name == "compiled":
        raise InputError("dropout is done by the NumPy engine; leave engine='compiled' out, or dropout")
    if name == "numpy" or job.dropout or (name == "auto" and not _is_worth_loading(job, epochs)):
        return NumpyEngine(job)
    from backpath.training.compiled_engine import CompiledEngine

    return CompiledEngine(job, announce)


def _is_worth_loading(job: Job, epochs: int) -> bool:
    """Whether NumPy would take longer than it takes to load the kernels, if they are not there already."""
    engine = sys.modules.get("backpath.training.compiled_engine")
    if engine and job.network.dtype in engine.COMPILED:
        return True
    samples, weights = len(job.X), sum(W.size for W in job.network.weights)
    updates = -(-samples // job.batch_size)
    seconds = epochs * (updates * len(job.network.weights) * PER_LAYER + samples * weights * PER_PRODUCT)
    if seconds < LOADING:
        return False
    return seconds > COMPILING or kernels_are_kept()


def kernels_are_kept() -> bool:
    """Whether the kernels seem to have been compiled on this machine before."""
    return are_kept(Path(__file__).with_name("kernels.py"), "train_network")
