"""Which engine does a job."""

from __future__ import annotations

from backpath.errors import InputError
from backpath.training.job import Engine, Job
from backpath.training.numpy_engine import NumpyEngine

ENGINES = ("auto", "numpy")


def check_engine(name: str) -> None:
    if name not in ENGINES:
        raise InputError(f"unknown engine {name!r}; there are {', '.join(ENGINES)}")


def start_engine(name: str, job: Job, epochs: int) -> Engine:
    """The engine of that name, or for ``auto`` the one that does ``epochs`` epochs of this job soonest."""
    return NumpyEngine(job)
