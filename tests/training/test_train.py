"""``train`` as its users meet it."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import backpath as bp
from backpath.training.datasets import DATASETS, dataset
from backpath.training.engines.numpy import NumpyEngine
from backpath.training.job import Job, Solver
from backpath.training.streams import check_streamable
from commands import needs_signals, started

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)
y = np.array([0.0, 1, 1, 0])


def by_hand(net, X, y, epochs, learning_rate):
    """Full-batch gradient descent written out with net.gradients and the notes' update."""
    costs = []
    for _ in range(epochs):
        costs.append(net.cost(X, y))
        gradients = net.gradients(X, y).layers
        net = net.with_weights([W - learning_rate * g for W, g in zip(net.weights, gradients)])
    return net, costs


def test_full_batch_is_the_notes_rule_again_and_again():
    net = bp.Network((2, 2, 1), seed=3)
    result = bp.train(net, X, y, epochs=50, learning_rate=0.5)
    expected, costs = by_hand(net, X, y, 50, 0.5)
    for W, E in zip(result.network.weights, expected.weights):
        assert pytest.approx(E, rel=1e-12) == W
    assert result.history.cost == pytest.approx(costs, rel=1e-12)
    assert result.history.cost.dtype == np.float64
    assert (result.epochs, result.stopped) == (50, "epochs")


@given(st.integers(1, 7), st.integers(0, 1000))
@settings(max_examples=20)
def test_mini_batches_are_one_step_per_batch_in_order(batch_size, seed):
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(7, 2)), rng.uniform(size=7)
    net = bp.Network((2, 3, 1), seed=seed)
    result = bp.train(net, X, y, epochs=2, learning_rate=0.3, batch_size=batch_size)
    for _ in range(2):
        for start in range(0, 7, batch_size):
            net = net.step(X[start : start + batch_size], y[start : start + batch_size], learning_rate=0.3)
    for W, E in zip(result.network.weights, net.weights):
        assert pytest.approx(E, rel=1e-12) == W


def test_momentum_and_adam_by_their_published_rules():
    net = bp.Network((2, 2, 1), seed=1)
    v = [np.zeros_like(W) for W in net.weights]
    m, s = list(v), list(v)
    momentum = adam = net
    for t in range(1, 6):
        g = momentum.gradients(X, y).layers
        v = [0.9 * a - 0.1 * b for a, b in zip(v, g)]
        momentum = momentum.with_weights([W + a for W, a in zip(momentum.weights, v)])
        g = adam.gradients(X, y).layers
        m = [0.9 * a + 0.1 * b for a, b in zip(m, g)]
        s = [0.999 * a + 0.001 * b**2 for a, b in zip(s, g)]
        rate = 0.01 * np.sqrt(1 - 0.999**t) / (1 - 0.9**t)
        adam = adam.with_weights([W - rate * a / (np.sqrt(b) + 1e-8) for W, a, b in zip(adam.weights, m, s)])
    for solver, expected in (("momentum", momentum), ("adam", adam)):
        got = bp.train(net, X, y, epochs=5, solver=solver).network
        for W, E in zip(got.weights, expected.weights):
            assert pytest.approx(E, rel=1e-10) == W, solver


def test_shuffling_is_seeded_and_visits_every_sample():
    net = bp.Network((1, 1), "identity", seed=0)
    X, y = np.arange(5.0)[:, None], np.arange(5.0) * 2
    runs = [
        bp.train(net, X, y, epochs=3, learning_rate=0.01, batch_size=1, shuffle=True, **seed)
        for seed in ({}, {"seed": 0}, {"seed": 1})  # 0 is the default
    ]
    assert runs[0].network == runs[1].network
    assert runs[0].network != runs[2].network
    still = bp.train(net, X, y, epochs=1, learning_rate=1e-12, batch_size=1, shuffle=True)
    assert still.history.cost[0] == pytest.approx(net.cost(X, y), rel=1e-6)


@pytest.mark.parametrize("name", ["xor", "and"])
def test_truth_tables_are_numbers(name):
    data = dataset(name)
    assert data.X.dtype == data.y.dtype == np.float64
    assert data.X.tolist() == X.tolist()


class WholeTable:
    """A table in memory, as ``read_table`` gives it."""

    weight = np.array([1.0, 2, 3, 4])

    def whole(self):
        return X, y[:, None], "more"


def test_a_table_has_its_own_weights_of_samples():
    net = bp.Network((2, 2, 1), seed=1)
    own = bp.train(net, WholeTable(), epochs=20).network
    assert own == bp.train(net, X, y, epochs=20, sample_weight=WholeTable.weight).network
    given = bp.train(net, WholeTable(), epochs=20, sample_weight=[4, 3, 2, 1]).network
    assert given == bp.train(net, X, y, epochs=20, sample_weight=[4, 3, 2, 1]).network
    assert given != own
    with pytest.raises(bp.InputError, match="y is missing"):
        bp.train(net, X, epochs=1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (("adam", 32), None),
        (("lm", 32), "lm uses all samples in each step, but the table is streamed"),
        (("gd", 32, 4), "restarts need all samples at once, but the table is streamed"),
        (("gd", None), "a streamed table is trained on in batches; give batch_size"),
    ],
)
def test_what_a_stream_cannot_be_trained_with(settings, message):
    solver, batch_size, *restarts = settings
    if message is None:
        check_streamable(batch_size, solver, *restarts)
        return
    with pytest.raises(bp.InputError, match=message):
        check_streamable(batch_size, solver, *restarts)


@pytest.mark.parametrize("activations", [("step", "sigmoid"), ("sigmoid", "step")])
def test_threshold_logic_units_are_not_trained(activations):
    with pytest.raises(bp.InputError, match=r"step .the threshold logic unit. has derivative 0 everywhere"):
        bp.train(bp.Network((2, 2, 1), activations=activations), X, y, epochs=1)


def test_frozen_weights_do_not_move():
    net = bp.Network((2, 2, 1), seed=0)
    for solver in ("gd", "momentum", "adam"):
        trained = bp.train(net, X, y, epochs=20, solver=solver, frozen=["biases", "W12_2"]).network
        moved = {name for name in net.weight_names if trained[name] != net[name]}
        assert moved == {"W11_1", "W12_1", "W21_1", "W22_1", "W11_2"}, solver


def test_tol_stops_a_run_that_no_longer_improves():
    result = bp.train(bp.Network((2, 2, 1), seed=0), X, y, epochs=100_000, learning_rate=2, tol=1e-7)
    assert result.stopped == "converged"
    assert 100 < result.epochs < 100_000
    assert np.diff(result.history.cost)[-10:].min() > -1e-7


def test_float32_stays_float32():
    result = bp.train(bp.Network((2, 2, 1), dtype="float32"), X, y, epochs=3)
    assert result.network.dtype == np.float32
    assert result.history.cost.dtype == np.float64


def test_divergence_says_where_and_keeps_the_last_finite_weights():
    net = bp.Network((1, 1), "identity", seed=0)
    with pytest.raises(bp.DivergenceError, match=r"training diverged.*smaller learning rate") as caught:
        bp.train(net, [[1e3], [2e3]], [1, 2], epochs=1000, learning_rate=1.0)
    error = caught.value
    assert np.isfinite(error.cost)
    assert error.layer in (1, None)
    assert 1 < error.epoch < 1000
    assert all(np.isfinite(W).all() for W in error.network.weights)
    assert isinstance(error, ValueError)


def test_a_cost_that_only_rises_is_divergence_though_every_number_is_finite():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(90, 3)), np.eye(3)[rng.integers(0, 3, 90)]
    net = bp.Network((3, 8, 3), activations=("tanh", "softmax"))
    with pytest.raises(bp.DivergenceError, match=r"training diverged in epoch 50: the cost rose from 1\.48\d* to \d"):
        bp.train(net, X, y, epochs=50, batch_size=8, learning_rate=1e6, cost="categorical_cross_entropy")


@pytest.mark.parametrize("activation", ["sigmoid", "tanh"])
@pytest.mark.parametrize("learning_rate", [1e3, 1e10, 1e300])
def test_a_network_driven_into_saturation_is_no_success(activation, learning_rate):
    net = bp.Network((2, 2, 1), activation)
    with pytest.raises(bp.DivergenceError) as caught:
        bp.train(net, X, y, epochs=200, learning_rate=learning_rate)
    start, error = net.cost(X, y), caught.value
    assert error.start == pytest.approx(start, rel=1e-12) and error.stuck
    assert all(np.abs(g).max() < 1e-9 for g in error.network.gradients(X, y).layers)
    assert str(error) == (
        f"training got stuck in epoch 200: the cost rose from {start:.6g} to {error.network.cost(X, y):.6g}, "
        "and every gradient there is about 0; try a smaller learning rate"  # inputs of 0 and 1 need no standardising
    )


def test_the_advice_names_only_what_is_large():
    X = np.linspace(-1, 1, 20)[:, None]
    net = bp.Network((1, 2, 1), activations=("tanh", "identity"))
    for inputs, targets, advice in (
        (X, X, "try a smaller learning rate"),
        (50 * X, X, "try a smaller learning rate, or standardise the inputs"),
        (X, 50 * X, "try a smaller learning rate, or standardise the target"),
        (50 * X, 50 * X, "try a smaller learning rate, or standardise the inputs and the target"),
    ):
        with pytest.raises(bp.DivergenceError) as caught:
            bp.train(net, inputs, targets, epochs=300, learning_rate=1e6)
        assert caught.value.advice == advice


def test_validation_that_was_never_finite_is_no_success():
    net = bp.Network((1, 1), "identity")
    with pytest.raises(bp.DivergenceError):
        bp.train(net, [[0.0], [1.0]], [0, 1], epochs=5, learning_rate=0.1, validation=([[1e200]], [1e200]))


def test_a_bad_start_that_gets_better_is_no_divergence():
    net = bp.Network((1, 1), "identity").replace({"W11_1": 1e4, "W1~_1": -1e4})
    result = bp.train(net, [[-1], [0], [1]], [0.1, 0.2, 0.3], epochs=2, learning_rate=0.1)
    assert result.history.cost[1] < result.history.cost[0]


@pytest.mark.parametrize("name", sorted(DATASETS))
def test_the_recipes_learn_their_data_sets(name):
    data = dataset(name)
    recipe = data.recipe
    net = bp.Network(
        (data.X.shape[1], *recipe.hidden, 1), activations=[recipe.activation] * len(recipe.hidden) + [recipe.output]
    )
    settings = {k: getattr(recipe, k) for k in ("epochs", "learning_rate", "solver", "cost", "batch_size")}
    A = bp.train(net, data.X, data.y, **settings).network.predict(data.X)
    if data.task == "binary":
        assert ((A > 0.5) == data.y).all()
    else:
        assert np.abs(A - data.y).max() < 0.1


@pytest.mark.parametrize("progress", [True, False])
def test_progress_is_a_bar_on_a_terminal(progress, monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")  # as on a terminal
    monkeypatch.setenv("TERM", "xterm")
    result = bp.train(bp.Network((2, 2, 1)), X, y, epochs=500, progress=progress)
    shown = capsys.readouterr().err
    assert ("500/500 epochs" in shown) == progress
    assert (f"cost {result.history.cost[-1]:.3g}" in shown) == progress


def test_progress_may_be_a_callable():
    seen = []
    bp.train(bp.Network((2, 2, 1)), X, y, epochs=500, progress=lambda epoch, cost: seen.append((epoch, cost)))
    assert seen[-1][0] == 500
    assert [epoch for epoch, _ in seen] == sorted({epoch for epoch, _ in seen})


HUGE = 10**5000  # Python refuses to print it
BAD = [
    ({"epochs": 0}, "epochs must be a whole number of at least 1, but is 0"),
    ({"epochs": 1.5}, "epochs must be a whole number"),
    ({"learning_rate": 0}, "learning_rate must be a number above 0, but is 0"),
    ({"learning_rate": float("nan")}, "learning_rate must be a number above 0, but is nan"),
    ({"learning_rate": "fast"}, "learning_rate must be a number above 0, but is 'fast'"),
    ({"batch_size": 0}, "batch_size must be a whole number of at least 1, or None for all"),
    ({"solver": "sgdd"}, "unknown solver 'sgdd'; expected one of gd, momentum, adam"),
    ({"cost": "mse"}, "unknown cost 'mse'; expected one of squared_error"),
    ({"engine": "gpu"}, "unknown engine 'gpu'; expected one of auto, numpy, compiled"),
    ({"tol": "x"}, "tol must be a number of at least 0, but is 'x'"),
    ({"momentum": None}, "momentum must be a number of at least 0 and below 1, but is None"),
    ({"seed": -1}, "seed must be a whole number of at least 0"),
    ({"progress": "yes"}, "progress must be True, False, a callable or a context manager, but is 'yes'"),
    ({"learning_rate": 10**400}, "learning_rate must be a number above 0"),
    ({"learning_rate": HUGE}, "learning_rate must be a number above 0, but is a number of over 4,300 digits"),
    ({"epochs": HUGE}, "epochs must be a whole number of at least 1 and at most 2"),
    ({"checkpoint": "run", "every": HUGE}, "but is a number of over 4,300 digits"),
    ({"solver": "lm", "bayesian": "no"}, "bayesian must be True or False, but is 'no'"),
    ({"frozen": ["biases", "W11_1", "W12_1", "W21_1", "W22_1", "W11_2", "W12_2"]}, "frozen names every weight"),
    ({"tol": -1}, "tol must be a number of at least 0, but is -1"),
    ({"momentum": 1}, "momentum must be a number of at least 0 and below 1, but is 1"),
    ({"frozen": ["W99_1"]}, "has no weight 'W99_1'"),
]


@pytest.mark.parametrize(
    ("setting", "message"), BAD, ids=[f"{next(iter(setting))}-{k}" for k, (setting, _) in enumerate(BAD)]
)
def test_bad_settings_get_one_plain_line(setting, message):
    with pytest.raises(bp.InputError, match=message):
        bp.train(bp.Network((2, 2, 1)), X, y, **setting)


INTERRUPTED = """
import sys, threading, os, signal, numpy as np, backpath as bp
def report(epoch, cost):
    if epoch > 20: print("running", flush=True)
X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
result = bp.train(bp.Network((2, 2, 1)), X, y, epochs=10**9, progress=report)
finite = all(np.isfinite(W).all() for W in result.network.weights)
print(result.stopped, result.epochs == len(result.history.cost) > 0, finite)
"""


@needs_signals
def test_ctrl_c_returns_what_was_reached():
    with started([sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline().strip() == "running"
        os.kill(process.pid, signal.SIGINT)
        out, _ = process.communicate(timeout=30)
    assert out.splitlines()[-1] == "interrupted True True"
    assert process.returncode == 0


def test_progress_may_be_a_context_manager():
    """Entered when training begins, not for an invalid call; what it gives is called with the progress."""
    events = []

    @contextmanager
    def counted():
        events.append("begin")
        yield lambda done, cost: events.append(done)
        events.append("end")

    bp.train(bp.Network((2, 2, 1)), X, y, epochs=7, progress=counted())
    assert events[0] == "begin" and events[-1] == "end" and events[-2] == 7
    unused = counted()
    with pytest.raises(bp.InputError, match="epochs"):
        bp.train(bp.Network((2, 2, 1)), X, y, epochs=0, progress=unused)
    bp.train_population(bp.Population((2, 2, 1), size=3), X, y, epochs=2, progress=unused)
    assert events.count("begin") == events.count("end") == 2


@pytest.mark.parametrize("weight", [None, [1.0, 2.0, 0.5, 3.0]])
def test_the_numpy_engine_gives_the_cost_and_gradient_of_other_weights(weight):
    start, other = (bp.Network((2, 3, 1), activation="tanh", seed=seed) for seed in (0, 1))
    count = None if weight is None else np.array(weight)
    inputs, targets = start.samples(X, y, "squared_error")
    job = Job(start, inputs, targets, "squared_error", Solver("momentum", 0.1), len(targets), sample_weight=count)
    cost, gradient = NumpyEngine(job).cost_and_gradient(list(other.weights))
    each = [(other.cost(x, t), other.gradients(x, t).layers) for x, t in zip(inputs, targets)]
    assert cost == pytest.approx(np.average([c for c, _ in each], weights=count), rel=1e-14)
    for layer, found in enumerate(gradient):
        expected = np.average([layers[layer] for _, layers in each], axis=0, weights=count)
        assert found == pytest.approx(expected, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize(
    ("name", "truth"), [("and", [0, 0, 0, 1]), ("or", [0, 1, 1, 1]), ("nand", [1, 1, 1, 0]), ("xor", [0, 1, 1, 0])]
)
def test_the_truth_tables(name, truth):
    data = dataset(name)
    assert data.X.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]]
    assert data.y.ravel().tolist() == truth
