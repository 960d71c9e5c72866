"""The trainings whose calls of the kernels every platform replays: a sample of the sweeps, checked against NumPy."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np

import backpath as bp
from backpath.maths.activations import ACTIVATIONS
from backpath.maths.costs import COSTS
from backpath.training.engines.compiled import CompiledEngine
from backpath.training.engines.numpy import NumpyEngine
from backpath.training.job import Job, Solver
from backpath.training.prediction import Predictor, Workspace
from native.record import Recorder
from strategies import HIDDEN, output_activations, samples

EPOCHS = 3
SOLVERS = [
    Solver("gd", 0.05),
    Solver("momentum", 0.005),
    Solver("momentum", 0.01, momentum=0.8, nesterov=True),
    Solver("adam", 0.005),
]
BATCHES = [{"batch_size": 11}, {"batch_size": 4}, {"batch_size": 1}, {"batch_size": 5, "shuffle": True, "seed": 7}]
NEAR = {"float64": 1e-12, "float32": 1e-4}


def job(sizes, activations, cost="squared_error", count=11, dtype="float64", solver=SOLVERS[0], **settings):
    network = bp.Network(sizes, activations=activations, init="uniform:-0.7,0.7", seed=1, dtype=dtype)
    X, y = samples(network, cost, count, 1)
    return Job(network, X.astype(dtype), y.astype(dtype), cost, solver, **{"batch_size": count, **settings})


def jobs():
    """Every output activation with every cost; solvers, batches and hidden activations in turn; sizes; settings."""
    turns = zip(itertools.cycle(SOLVERS), itertools.cycle(BATCHES[:3] + BATCHES), itertools.cycle(HIDDEN), strict=False)
    for cost, dtype in itertools.product(COSTS, NEAR):
        for output in output_activations(cost):
            solver, batch, hidden = next(turns)
            yield f"{hidden}, {output}, {cost}", job((3, 9, 2), (hidden, output), cost, 11, dtype, solver, **batch)
    for sizes, count, dtype in itertools.product([(2, 2, 1), (1, 1), (9, 16, 8), (3, 70, 2)], [1, 5, 257], NEAR):
        yield f"{sizes}, {count} samples", job(sizes, ("tanh",) * (len(sizes) - 1), count=count, dtype=dtype)
    for dtype in NEAR:
        wide = job((40, 64, 33, 10), ("relu", "tanh", "softmax"), "categorical_cross_entropy", 40, dtype, batch_size=32)
        yield "wide", wide
        free = [np.arange(W.size).reshape(W.shape) % 3 > 0 for W in wide.network.weights]
        weights = np.linspace(0.5, 2, 40)
        yield (
            "settings",
            Job(
                *(wide.network, wide.X, wide.y, wide.cost, SOLVERS[3]),
                batch_size=7,
                free=free,
                l2=0.01,
                clip_norm=0.5,
                sample_weight=weights,
            ),
        )


def train_beside_numpy(name: str, job: Job) -> None:
    reference, engine = NumpyEngine(job), CompiledEngine(job)
    reference.run(EPOCHS)
    engine.run(EPOCHS)
    near = NEAR[str(job.network.dtype)]
    for W, expected in zip(engine.weights, reference.weights, strict=True):
        np.testing.assert_allclose(W, expected, rtol=near, atol=near * np.abs(expected).max(), err_msg=name)


def activate_all(recorder: Recorder) -> None:
    """Every activation's formula, from tail to tail."""
    for dtype, (name, row) in itertools.product(NEAR, ACTIVATIONS.items()):
        if row.no_derivative or row.jacobian:
            continue
        edge = 700 if dtype == "float64" else 80
        u = np.concatenate([np.linspace(-edge, edge, 96), np.linspace(-3, 3, 96), [0.0] * 16]).astype(dtype)
        a, d = np.zeros_like(u), u.copy()
        places = (recorder.address(array, dtype, len(u)) for array in (a, d))
        recorder.name = f"{name} of {dtype}"
        recorder.kernels(dtype).activate(row.code, *places, len(u))
        # those above are compared with NumPy bit by bit elsewhere; here it's enough to know that they are the formula
        near = np.finfo(dtype).eps * 100
        np.testing.assert_allclose(a, row.value(u), rtol=near, atol=near, err_msg=recorder.name)


def train_populations(recorder: Recorder) -> None:
    X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    for dtype, solver, sizes in itertools.product(NEAR, ("gd", "momentum", "adam"), ((2, 2, 1), (2, 5, 3, 1))):
        recorder.name = f"population {sizes}, {solver}, {dtype}"
        population = bp.Population(sizes, size=37, activation="tanh", seed=0, dtype=dtype)
        bp.train_population(population, X, y, epochs=EPOCHS, learning_rate=0.1, solver=solver, threads=1)


def predict_all(recorder: Recorder) -> None:
    """One row and many, through networks with every activation."""
    for dtype, name, count in itertools.product(NEAR, [*HIDDEN, "softmax"], (1, 70)):
        recorder.name = f"prediction of {name}, {dtype}, {count} rows"
        net = bp.Network((3, 9, 4), activations=("tanh", name), seed=0, dtype=dtype)
        X, A = np.linspace(-2, 2, 3 * count, dtype=dtype).reshape(count, 3), np.zeros((count, 4), dtype)
        predictor = Predictor(net.weights, net.activations)
        bench = Workspace(predictor, members=1)
        bench.training.X, outputs = recorder.address(X, dtype, X.size), recorder.address(A, dtype, A.size)
        recorder.kernels(dtype).predict(bench.place, predictor._weights, count, outputs, None)
        np.testing.assert_allclose(A, net.predict(X), rtol=NEAR[dtype], atol=NEAR[dtype], err_msg=recorder.name)


def record(library: Path, to: Path, monkeypatch) -> Path:
    """Do all of it with one library; gives the file of its calls."""
    with monkeypatch.context() as patch:
        patch.setenv("BACKPATH_THREADS", "1")
        recorder = Recorder(library, patch)
        activate_all(recorder)
        for name, job in jobs():
            recorder.name = f"{name}, {job.solver.name}, {job.network.dtype}, steps of {job.batch_size}"
            train_beside_numpy(recorder.name, job)
        train_populations(recorder)
        predict_all(recorder)
    return recorder.write(to)
