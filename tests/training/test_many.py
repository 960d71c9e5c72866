"""The kernels of many networks against the NumPy engine, network by network."""

import dataclasses
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import backpath as bp
from backpath.maths.costs import COSTS
from backpath.population import train_population
from backpath.training import engines
from backpath.training.engines import many
from backpath.training.job import Job, Solver
from backpath.training.native import library
from strategies import HIDDEN, output_activations, problems, samples, seeds

PAIRS = [(cost, output) for cost in COSTS for output in output_activations(cost)]
SOLVERS = ["gd", "momentum", "adam"]


def alone(network, X, y, **settings):
    try:
        return bp.train(network, X, y, engine="numpy", **settings).network
    except bp.DivergenceError as error:  # a network of a population may end stuck, too, as a dead ReLU
        return error.network


def distance(network, expected):
    """The largest difference of a weight, in terms of the largest weight."""
    return max(
        float(np.abs(W.astype(float) - E).max() / np.abs(E).max())
        for W, E in zip(network.weights, expected.weights, strict=True)
    )


def drawn(sizes, output, hidden, size, seed, dtype="float64"):
    names = [hidden] * (len(sizes) - 2) + [output]
    return bp.Population(sizes, activations=names, size=size, init="uniform:-1,1", seed=seed, dtype=dtype)


def settings_of(k, cost):
    """Solver, batches and orders in turns."""
    return {
        "cost": cost,
        "solver": "gd" if cost == "absolute_error" else SOLVERS[k % 3],  # Adam would blow up the rounding of a 0
        "learning_rate": (0.05, 0.005, 0.01)[k % 3],
        "batch_size": (None, 2, 1)[k // 3 % 3],
        "shuffle": k % 2 == 1,
        "seed": k,
        "epochs": 50,
    }


@pytest.mark.parametrize("hidden", HIDDEN)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_every_network_is_as_if_trained_alone(hidden, dtype):
    for k, (cost, output) in enumerate(PAIRS):
        rng = np.random.default_rng(k)
        sizes = [int(n) for n in rng.integers(1, 6, 2 + k % 3)]
        sizes[-1] = max(2, sizes[-1]) if output == "softmax" else sizes[-1]
        population = drawn(sizes, output, hidden, 3, k, dtype)
        X, y = samples(population[0], cost, 5, k)
        settings = settings_of(k, cost)
        outcome = train_population(population, X, y, **settings)
        for i in range(3):
            expected = alone(population[i], X, y, **settings)
            assert distance(outcome.population[i], expected) < (1e-12 if dtype == "float64" else 1e-4), (k, sizes)
            assert outcome.cost[i] == pytest.approx(
                expected.cost(X, y, cost), rel=1e-11 if dtype == "float64" else 1e-3
            )


@given(problems(max_samples=9), st.sampled_from(SOLVERS), st.integers(1, 20), st.integers(1, 9), seeds)
@settings(max_examples=60)
def test_any_population_is_its_networks_trained_alone(problem, solver, size, batch_size, seed):
    network, cost, X, y = problem
    population = bp.Population(network.sizes, activations=network.activations, size=size, seed=seed)
    run = {"epochs": 20, "solver": solver, "learning_rate": 0.002, "cost": cost, "batch_size": batch_size}
    outcome = train_population(population, X, y, **run)
    for i in {0, size // 2, size - 1}:
        assert distance(outcome.population[i], alone(population[i], X, y, **run)) < 1e-12


@pytest.mark.parametrize("size", [1, 3, 255, 257])
def test_populations_of_any_size(size):
    population = drawn((3, 4, 2), "sigmoid", "tanh", size, 5)
    X, y = samples(population[0], "squared_error", 7, 1)
    outcome = train_population(population, X, y, epochs=50, learning_rate=0.5)
    assert outcome.cost.shape == (size,)
    for i in {0, size // 2, size - 1}:
        assert distance(outcome.population[i], alone(population[i], X, y, epochs=50, learning_rate=0.5)) < 1e-12


@pytest.mark.parametrize("sizes", [(5, 70, 3), (2, 3, 4, 5, 4, 3, 2), (33, 1), (1, 1, 1)])
@pytest.mark.parametrize("count", [1, 3, 257])
def test_wide_and_deep_networks(sizes, count):
    population = bp.Population(sizes, "tanh", size=5, seed=2)
    X, y = samples(population[0], "squared_error", count, 1)
    outcome = train_population(population, X, y, epochs=50, learning_rate=0.05)
    for i in range(5):
        assert distance(outcome.population[i], alone(population[i], X, y, epochs=50, learning_rate=0.05)) < 1e-12


def arrays(outcome):
    return [outcome.population.lanes, outcome.cost, outcome.epochs, outcome.solved_after, outcome.history]


def test_the_same_bits_for_any_number_of_threads_and_on_every_run():
    population = bp.Population((2, 2, 1), size=1500, seed=0)
    settings = {"epochs": 700, "learning_rate": 5.0, "stop_when_solved": True, "tol": 1e-6, "history_every": 100}
    first = arrays(train_population(population, XOR, TARGETS, threads=1, **settings))
    for threads in [1, 2, 8] * 3 + [2]:
        again = arrays(train_population(population, XOR, TARGETS, threads=threads, **settings))
        assert all(a.tobytes() == b.tobytes() for a, b in zip(first, again)), threads


def test_a_network_does_not_depend_on_its_company():
    many = bp.Population((2, 3, 1), size=300, seed=4)
    together = train_population(many, XOR, TARGETS, epochs=100).population
    for i in (0, 17, 299):
        assert train_population(many[i : i + 1], XOR, TARGETS, epochs=100).population[0] == together[i]


XOR = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)
TARGETS = np.array([[0.0], [1], [1], [0]])


def test_many_parts_and_many_chunks_change_nothing(monkeypatch):
    population = bp.Population((2, 2, 1), size=500, seed=0)
    settings = {"epochs": 60, "batch_size": 3, "shuffle": True, "history_every": 7, "solver": "adam"}
    whole = train_population(population, XOR, TARGETS, **settings)
    monkeypatch.setattr(many, "LONGEST_CHUNK", 7)
    monkeypatch.setattr(many, "PART_SECONDS", 0)
    pieces = train_population(population, XOR, TARGETS, **settings)
    assert all(a.tobytes() == b.tobytes() for a, b in zip(arrays(whole), arrays(pieces)))


def laid(samples, outputs=2, seed=0):
    """Inputs of three numbers and targets of 0 and 1, enough of them for the lanes."""
    X = np.random.default_rng(seed).uniform(-1, 1, (samples, 3))
    return X, (X[:, :outputs] > 0).astype(float)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("solver", SOLVERS)
@pytest.mark.parametrize("batches", [{}, {"batch_size": 70}, {"batch_size": 70, "shuffle": True}], ids=str)
def test_large_batches_give_the_bits_of_training_alone(dtype, solver, batches):
    X, y = laid(203)
    population = bp.Population((3, 70, 2), "tanh", size=5, seed=1, dtype=dtype)
    settings = {"epochs": 30, "solver": solver, "tol": 1e-3, **batches}
    rates = np.array([0.0005, 0.001, 0.002, 0.005, 0.01])
    outcome = train_population(population, X, y, learning_rate=rates, history_every=3, **settings)
    for i, rate in enumerate(rates):
        alone = bp.train(population[i], X, y, learning_rate=float(rate), engine="compiled", **settings)
        assert outcome.population[i] == alone.network
        assert (outcome.epochs[i], outcome.converged[i]) == (alone.epochs, alone.stopped == "converged")
        kept = outcome.history[:, i]
        expected = alone.history.cost[::3].astype(dtype)
        assert kept[: len(expected)].tobytes() == expected.tobytes()
        assert np.isnan(kept[len(expected) :]).all()


@pytest.mark.parametrize(("hidden", "rate"), [(5, 4.0), (90, 0.3)])
def test_a_network_stops_before_the_update_after_which_it_would_be_another(hidden, rate):
    """In both layouts: networks in the lanes, samples in the lanes."""
    X, y = laid(40, 1)
    X = X[np.abs(X[:, 0]) > 0.2]
    y = (X[:, :1] > 0).astype(float)
    population = bp.Population((3, hidden, 1), size=12, seed=2)
    settings = {"learning_rate": rate, "solved_error": 0.45, "history_every": 1}
    stopped = train_population(population, X, y, epochs=400, stop_when_solved=True, **settings)
    assert stopped.solved.sum() > 0
    for i in np.flatnonzero(stopped.solved):
        after = int(stopped.solved_after[i])
        assert stopped.epochs[i] == after
        assert np.abs(stopped.population[i].predict(X) - y).max() < 0.45
        before = train_population(population, X, y, epochs=after - 1, **settings)
        assert np.abs(before.population[i].predict(X) - y).max() >= 0.45
        assert np.isfinite(stopped.history[:after, i]).all()
        assert np.isnan(stopped.history[after:, i]).all()


def test_large_batches_keep_diverged_networks_apart():
    X, y = laid(100, 1)
    population = bp.Population((3, 90, 1), "identity", size=6, seed=0)
    rates = np.array([0.001, 1e3] * 3)
    outcome = train_population(population, X, y, epochs=300, learning_rate=rates)
    assert outcome.diverged.tolist() == [False, True] * 3
    assert np.isfinite(outcome.population.lanes).all()
    healthy = train_population(population[::2], X, y, epochs=300, learning_rate=0.001)
    assert (healthy.population.lanes == outcome.population.lanes[:, ::2]).all()


@pytest.mark.parametrize(("samples", "hidden"), [(8, 6), (100, 70)])
@pytest.mark.parametrize(
    "settings", [{}, {"stop_when_solved": True, "tol": 1e-5}, {"shuffle": True, "solver": "adam"}], ids=str
)
def test_threads_change_no_bits_in_either_layout(samples, hidden, settings):
    X, y = laid(samples)
    population = bp.Population((3, hidden, 2), size=90, seed=3)
    run = {"epochs": 60, "learning_rate": 0.05, "batch_size": samples // 2, "history_every": 10, **settings}
    first = arrays(train_population(population, X, y, threads=1, **run))
    for threads in (2, 8):
        again = arrays(train_population(population, X, y, threads=threads, **run))
        assert all(a.tobytes() == b.tobytes() for a, b in zip(first, again)), threads


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("hidden", [2, 3, 4])
@pytest.mark.parametrize("samples", [1, 4, 7])
def test_tiny_networks_have_the_bits_of_any_others(dtype, hidden, samples):
    """A frozen weight, on which nothing depends, takes them out of the kernels for tiny networks."""
    X, y = laid(samples, 1)
    X[:, 1] = 0  # so that the frozen weight of input 2 would not change
    population = bp.Population((2, hidden, 1), size=21, seed=1, dtype=dtype)
    job = Job(
        network=population[0],
        X=X[:, :2].astype(dtype),
        y=y.astype(dtype),
        cost="half_squared_error",
        solver=Solver("gd", 0.7),
        batch_size=samples,
        tol=1e-6,
    )
    networks = []
    for frozen in (False, True):
        free = population[0].free_weights()
        free[0][0, 1] = not frozen
        one = many.ManyNetworks(
            dataclasses.replace(job, free=free),
            population.lanes.copy(),
            np.full(21, 0.7),
            np.zeros(21),
            epochs=300,
            history_every=7,
        )
        one.run()
        networks.append([one.weights, one.cost, one.worst, one.epochs_done, one.history])
    assert all(a.tobytes() == b.tobytes() for a, b in zip(*networks))


PROGRAM = """
import hashlib, itertools
import numpy as np
import backpath as bp
bits = hashlib.sha256()
rng = np.random.default_rng(0)
for sizes, dtype in itertools.product([(2, 2, 1), (3, 6, 4, 2), (5, 70, 3)], ["float64", "float32"]):
    X = rng.uniform(-1, 1, (37, sizes[0]))
    y = (X[:, :1] > 0) * np.ones(sizes[-1])
    for hidden, solver in itertools.product(["sigmoid", "tanh", "gelu", "softplus"], ["gd", "momentum", "adam"]):
        population = bp.Population(sizes, activations=[hidden] * (len(sizes) - 2) + ["sigmoid"], size=21, dtype=dtype)
        run = {"solver": solver, "learning_rate": 0.1, "batch_size": 37 if solver == "gd" else 18, "history_every": 1}
        outcome = bp.train_population(population, X, y, epochs=25, **run)
        for array in (outcome.population.lanes, outcome.cost, outcome.history):
            bits.update(array.tobytes())
print(bits.hexdigest())
"""


def bits_of_populations(processor):
    environment = {**os.environ, "BACKPATH_CPU": processor}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(not library.level().endswith("v4"), reason="needs a processor with AVX-512, which runs every build")
def test_the_same_bits_from_the_builds_for_avx2_and_avx_512():
    assert bits_of_populations("x86_64_v3") == bits_of_populations("x86_64_v4")


@pytest.mark.parametrize(
    "wanted", [{}, {"batch_size": 2, "shuffle": True}, {"solver": "adam", "stop_when_solved": True}]
)
def test_numpy_does_the_work_where_there_are_no_kernels(wanted, monkeypatch):
    X, y = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0.0, 1, 1, 0])
    population = bp.Population((2, 3, 1), size=5, seed=1)
    wanted = {"epochs": 300, "learning_rate": 0.5, "history_every": 50, **wanted}
    expected = bp.train_population(population, X, y, **wanted)
    monkeypatch.setattr(engines, "why_no_kernels", lambda: "there are none")
    with pytest.warns(
        RuntimeWarning, match="training with NumPy, which is slow; there are no native kernels: there are none"
    ):
        found = bp.train_population(population, X, y, **wanted)
    np.testing.assert_allclose(found.cost, expected.cost, rtol=1e-9)
    np.testing.assert_allclose(found.history, expected.history, rtol=1e-9)
    np.testing.assert_allclose(found.population.lanes, expected.population.lanes, rtol=1e-8)
    assert found.diverged.tolist() == expected.diverged.tolist()
    if "batch_size" not in wanted:
        assert found.solved_after.tolist() == expected.solved_after.tolist()


def test_restarts_where_there_are_no_kernels(monkeypatch):
    X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    net = bp.Network((2, 2, 1), seed=0)
    expected = bp.train(net, X, y, epochs=100, restarts=4)
    monkeypatch.setattr(engines, "why_no_kernels", lambda: "there are none")
    with pytest.warns(RuntimeWarning, match="there are no native kernels"):
        found = bp.train(net, X, y, epochs=100, restarts=4)
    np.testing.assert_allclose(found.restart_costs, expected.restart_costs, rtol=1e-9)
