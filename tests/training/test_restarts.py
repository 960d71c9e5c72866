"""``train(..., restarts=n)``: many starts, the best result."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest

import backpath as bp
from commands import needs_signals, started

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)
y = np.array([0.0, 1, 1, 0])


@pytest.mark.parametrize("seed", range(40))
def test_sixteen_starts_learn_xor_from_any_seed(seed):
    net = bp.Network((2, 2, 1), seed=seed)
    result = bp.train(net, X, y, epochs=5000, learning_rate=2, restarts=16, seed=seed)
    assert (result.network.predict(X)[:, 0].round() == y).all()


def test_one_start_often_does_not():
    population = bp.Population.of([bp.Network((2, 2, 1), seed=seed) for seed in range(40)])
    assert 0 < bp.train_population(population, X, y, epochs=5000, learning_rate=2).solved.sum() < 40


@pytest.mark.parametrize(
    "settings",
    [
        {"learning_rate": 2.0},
        {"solver": "momentum", "batch_size": 3, "shuffle": True},
        {"solver": "adam", "frozen": ["biases", "W21_1"]},
        {"learning_rate": 2.0, "tol": 1e-4},
    ],
    ids=str,
)
def test_the_result_is_that_of_the_best_start_trained_alone(settings):
    net = bp.Network((2, 3, 1), seed=5)
    result = bp.train(net, X, y, epochs=400, restarts=7, seed=3, init="uniform:-2,2", **settings)
    starts = [net, *(bp.Population((2, 3, 1), size=7, init="uniform:-2,2", seed=3)[i] for i in range(1, 7))]
    free = net.free_weights(settings.get("frozen", ()))  # what is frozen stays as it is in the network
    starts = [
        start.with_weights([np.where(f, W, own) for f, W, own in zip(free, start.weights, net.weights)])
        for start in starts
    ]
    alone = [bp.train(start, X, y, epochs=400, seed=3, engine="numpy", **settings) for start in starts]
    costs = [one.network.cost(X, y) for one in alone]
    assert result.restart_costs == pytest.approx(costs, rel=1e-9)
    best = alone[int(np.argmin(costs))]
    assert (result.epochs, result.stopped) == (best.epochs, best.stopped)
    assert result.history.cost == pytest.approx(best.history.cost, rel=1e-9)
    for W, E in zip(result.network.weights, best.network.weights):
        assert pytest.approx(E, rel=1e-9) == W


def test_two_starts_are_two():
    results = [bp.train(bp.Network((2, 2, 1), seed=2), X, y, epochs=3000, learning_rate=2, restarts=k) for k in (1, 2)]
    assert results[0].restart_costs is None
    assert len(results[1].restart_costs) == 2
    assert results[1].network.cost(X, y) == pytest.approx(min(results[1].restart_costs), rel=1e-9)


def test_the_networks_own_start_is_one_of_them():
    good = bp.train(bp.Network((2, 2, 1), seed=0), X, y, epochs=3000, learning_rate=2, restarts=16).network
    again = bp.train(good, X, y, epochs=1, learning_rate=1e-6, restarts=5)
    assert np.argmin(again.restart_costs) == 0
    assert bp.train(good, X, y, epochs=1).restart_costs is None


def test_diverging_starts_do_not_count():
    net = bp.Network((2, 2, 1), "identity").replace({"W11_1": 50.0, "W11_2": 50.0})
    result = bp.train(net, X, y, epochs=200, learning_rate=0.1, restarts=4)
    assert np.isinf(result.restart_costs[0])
    assert np.isfinite(result.restart_costs[1:]).all()
    with pytest.raises(bp.DivergenceError):
        bp.train(net, X, y, epochs=200, learning_rate=1e3, restarts=4)


def test_progress_goes_to_the_last_epoch():
    seen = []
    bp.train(
        bp.Network((2, 2, 1)), X, y, epochs=3000, restarts=8, progress=lambda epoch, cost: seen.append((epoch, cost))
    )
    assert seen[-1][0] == 3000
    assert [epoch for epoch, _ in seen] == sorted({epoch for epoch, _ in seen})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"restarts": 0}, "restarts must be a whole number of at least 1, but is 0"),
        ({"restarts": 2.5}, "restarts must be a whole number"),
        ({"restarts": 4, "engine": "numpy"}, "restarts need the compiled engine"),
        ({"restarts": 4, "validation": (X, y)}, "restarts are compared by their training cost"),
        ({"restarts": 4, "init": "zeros"}, "unknown init 'zeros'"),
        ({"restarts": 10**6, "epochs": 10**9}, "1,000,000 restarts with the costs of 1,000,000,000 epochs each need"),
    ],
)
def test_bad_settings_get_one_plain_line(settings, message):
    with pytest.raises(bp.InputError, match=message):
        bp.train(bp.Network((2, 2, 1)), X, y, **settings)


INTERRUPTED = """
import numpy as np, backpath as bp
def report(epoch, cost):
    if epoch > 20: print("running", flush=True)
X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
result = bp.train(bp.Network((2, 40, 1)), X, y, epochs=10**6, restarts=10, progress=report)
costs = result.history.cost
print(result.stopped, result.epochs == len(costs) > 0, np.isfinite(costs).all(), result.network.cost(X, y) <= costs[-1])
"""


@needs_signals
def test_ctrl_c_returns_the_best_so_far():
    with started([sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline().strip() == "running"
        os.kill(process.pid, signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert out.splitlines()[-1] == "interrupted True True True"
    assert process.returncode == 0
