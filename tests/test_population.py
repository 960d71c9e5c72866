"""Populations as their users meet them."""

import math
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import backpath as bp
from backpath.population import memory_needed
from backpath.training.spreading import one_by_one
from commands import needs_signals, started

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)
y = np.array([0.0, 1, 1, 0])


def test_a_population_is_its_networks():
    population = bp.Population((2, 3, 1), activations=("tanh", "sigmoid"), size=5, seed=0)
    networks = [population[i] for i in range(len(population))]
    assert bp.Population.of(networks).lanes.tobytes() == population.lanes.tobytes()
    assert bp.Population.from_weights(population.weights, population.activations)[4] == networks[4]
    assert population["W2~_1"].tolist() == [net["W2~_1"] for net in networks]
    assert population[1:3][0] == networks[1]
    assert population[np.array([True, False, False, False, True])][1] == networks[4]
    assert population[-1] == networks[4]
    with pytest.raises(ValueError, match="read-only"):
        population.lanes[0, 0] = 1
    with pytest.raises(IndexError):
        population[5]


def test_a_networks_start_depends_on_the_seed_and_its_number_only():
    few, many = (bp.Population((2, 2, 1), size=n, seed=9) for n in (3, 5000))
    assert (few.lanes == many.lanes[:, :3]).all()
    assert (bp.Population((2, 2, 1), size=3, seed=8).lanes != few.lanes).all()
    assert len(np.unique(many.lanes)) == many.lanes.size
    narrow = bp.Population((2, 2, 1), size=3, seed=9, dtype="float32")
    assert (narrow.lanes == few.lanes.astype(np.float32)).all()


def test_starts_are_drawn_as_named():
    population = bp.Population((2, 4, 1), size=20_000, init="uniform:-3,1", seed=0)
    assert population.lanes.min() >= -3
    assert population.lanes.max() < 1
    assert population.lanes.mean(axis=1) == pytest.approx(-1, abs=0.05)  # σ of a mean: 0.008
    glorot = bp.Population((2, 4, 1), size=20_000, seed=0)
    assert np.abs(glorot["W11_1"]).max() == pytest.approx(1, abs=0.01)  # √(6 / (2 + 4))
    assert np.abs(glorot["W11_2"]).max() == pytest.approx(math.sqrt(6 / 5), abs=0.01)


def test_each_network_has_its_own_learning_rate_and_momentum():
    start = bp.Network((2, 2, 1), seed=3)
    rates, momenta = np.array([0.1, 0.5, 2.0]), np.array([0.0, 0.5, 0.9])
    population = bp.Population.of([start] * 3)
    outcome = bp.train_population(population, X, y, epochs=50, solver="momentum", learning_rate=rates, momentum=momenta)
    for i, (rate, mu) in enumerate(zip(rates, momenta)):
        alone = bp.train(
            start, X, y, epochs=50, solver="momentum", learning_rate=float(rate), momentum=float(mu), engine="numpy"
        )
        for W, E in zip(outcome.population[i].weights, alone.network.weights):
            assert pytest.approx(E, rel=1e-11) == W


def test_tol_stops_each_network_when_it_would_stop_alone():
    population = bp.Population((2, 2, 1), size=20, seed=0)
    outcome = bp.train_population(population, X, y, epochs=3000, learning_rate=2, tol=1e-6, history_every=1)
    assert len(set(outcome.epochs.tolist())) > 5
    for i in range(20):
        alone = bp.train(population[i], X, y, epochs=3000, learning_rate=2, tol=1e-6, engine="numpy")
        assert (alone.stopped == "converged") == outcome.converged[i]
        assert alone.epochs == outcome.epochs[i]
        costs = outcome.history[:, i]
        assert costs[: alone.epochs] == pytest.approx(alone.history.cost, rel=1e-9)
        assert np.isnan(costs[alone.epochs :]).all()


def test_a_solved_network_can_stop_and_is_reported():
    population = bp.Population((2, 2, 1), size=200, init="uniform:-1,1", seed=0)
    run = {"epochs": 3000, "learning_rate": 2}
    stopping = bp.train_population(population, X, y, stop_when_solved=True, **run)
    going_on = bp.train_population(population, X, y, **run)
    assert 0.5 < stopping.solved_share == stopping.solved.mean() < 1
    assert (stopping.solved_after == going_on.solved_after).all()
    assert (stopping.epochs[stopping.solved] == stopping.solved_after[stopping.solved]).all()
    assert (stopping.epochs[~stopping.solved] == 3000).all()
    errors = [np.abs(stopping.population[i].predict(X)[:, 0] - y).max() for i in range(200)]
    assert (np.less(errors, 0.4) == stopping.solved).all()
    first = int(np.flatnonzero(stopping.solved)[0])
    before = bp.train(population[first], X, y, epochs=int(stopping.epochs[first]) - 1, learning_rate=2)
    assert np.abs(before.network.predict(X)[:, 0] - y).max() >= 0.4


def test_the_history_is_thinned_on_request():
    population = bp.Population((2, 2, 1), size=4, seed=0)
    outcome = bp.train_population(population, X, y, epochs=50, history_every=20)
    assert outcome.history_epochs.tolist() == [1, 21, 41]
    for i in range(4):
        full = bp.train(population[i], X, y, epochs=50).history.cost
        assert outcome.history[:, i] == pytest.approx(full[[0, 20, 40]], rel=1e-12)
    assert bp.train_population(population, X, y, epochs=5).history is None


def test_the_best_network_has_the_lowest_cost():
    outcome = bp.train_population(bp.Population((2, 2, 1), size=50, seed=1), X, y, epochs=500, learning_rate=2)
    costs = [outcome.population[i].cost(X, y) for i in range(50)]
    assert outcome.cost == pytest.approx(costs, rel=1e-12)
    assert outcome.best == outcome.population[int(np.argmin(costs))]
    assert (outcome.stopped, outcome.epochs.tolist()) == ("epochs", [500] * 50)


def test_diverged_networks_poison_no_others_and_are_never_the_best():
    population = bp.Population((2, 2, 1), "identity", size=40, seed=0)
    rates = np.where(np.arange(40) % 2, 1e3, 0.1)
    outcome = bp.train_population(population, X, y, epochs=2000, learning_rate=rates)
    assert (outcome.diverged == (rates > 1)).all()
    assert np.isinf(outcome.cost[outcome.diverged]).all()
    assert not outcome.solved[outcome.diverged].any()
    assert np.isfinite(outcome.population.lanes).all()
    assert outcome.best_index % 2 == 0
    healthy = bp.train_population(population[::2], X, y, epochs=2000, learning_rate=0.1)
    assert (healthy.population.lanes == outcome.population.lanes[:, ::2]).all()


def test_a_population_that_diverged_wholly_is_no_success():
    population = bp.Population((2, 2, 1), "identity", size=3, seed=0)
    with pytest.raises(bp.DivergenceError, match="try a smaller learning rate"):
        bp.train_population(population, X, y, epochs=2000, learning_rate=1e3)


def test_no_epochs_only_measure():
    population = bp.Population((2, 2, 1), size=3, seed=0)
    outcome = bp.train_population(population, X, y, epochs=0)
    assert outcome.population.lanes.tobytes() == population.lanes.tobytes()
    assert outcome.cost == pytest.approx([population[i].cost(X, y) for i in range(3)], rel=1e-13)


def test_progress_ends_with_all_epochs_and_the_share_solved():
    seen = []
    outcome = bp.train_population(
        bp.Population((2, 2, 1), size=100, init="uniform:-1,1"),
        X,
        y,
        epochs=2000,
        learning_rate=2,
        progress=lambda epochs, share: seen.append((epochs, share)),
    )
    assert seen[-1] == (2000, (outcome.solved_after >= 0).mean())
    assert seen == sorted(seen)


BAD = [
    ({"epochs": -1}, "epochs must be a whole number of at least 0, but is -1"),
    ({"learning_rate": [1, 2]}, "learning_rate must be a number, or one for each of the 3 networks, but has shape"),
    ({"learning_rate": [1, 2, float("nan")]}, "learning_rate must be a number above 0, but is nan"),
    ({"learning_rate": [1, 2, -3]}, "learning_rate must be a number above 0, but is -3"),
    ({"learning_rate": "fast"}, "learning_rate must be a number, or one for each network, but is 'fast'"),
    ({"momentum": [0.1, 0.2, 1.0]}, "momentum must be a number of at least 0 and below 1, but is 1.0"),
    ({"solver": "lbfgs"}, "unknown solver 'lbfgs'"),
    ({"cost": "binary_cross_entropy", "y": [0, 1, 2, 0]}, "needs targets from 0 to 1"),
    ({"solved_error": 0}, "solved_error must be a number above 0, but is 0"),
    ({"history_every": 0}, "history_every must be a whole number of at least 1, but is 0"),
    ({"tol": -1}, "tol must be a number of at least 0"),
    ({"threads": 0}, "threads must be a whole number of at least 1, but is 0"),
    ({"progress": 3}, "progress must be True, False, a callable or a context manager"),
    (
        {"X": [[0, 1], [1, float("nan")], [1, 1], [0, 0]]},
        "X must be finite in float64, but contains nan in row 1, column 1",
    ),
    ({"y": [0, 1, float("inf"), 0]}, "y must be finite in float64, but contains inf"),
    ({"y": [0, 1]}, r"y must have shape \(4, 1\)"),
    ({"population": bp.Network((2, 2, 1))}, "population must be a Population, but is of type Network"),
    ({"population": bp.Population((2, 2, 1), "step", size=2)}, "layer 1 cannot be trained"),
    ({"history_every": 1, "epochs": 10**12}, "a population of 3 networks 2-2-1 needs .* GiB, and this machine has"),
]


@pytest.mark.parametrize(("settings", "message"), BAD, ids=lambda v: str(v)[:30])
def test_bad_settings_get_one_plain_line(settings, message):
    call = {"population": bp.Population((2, 2, 1), size=3), "X": X, "y": y, **settings}
    with pytest.raises(bp.InputError, match=message) as caught:
        bp.train_population(**call)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"size": 0}, "the size of a population must be a whole number of at least 1, but is 0"),
        ({"size": 1.5}, "the size of a population must be a whole number"),
        ({"size": 10**13}, "a population of 10,000,000,000,000 networks 2-2-1 needs .* GiB, and this machine has"),
        ({"size": 2**63 - 1}, "needs more than 10¹² GiB"),
        ({"size": 3, "init": "zeros"}, "unknown init 'zeros'"),
        ({"size": 3, "seed": -1}, "seed must be a whole number of at least 0"),
    ],
)
def test_what_makes_no_population_is_refused(settings, message):
    with pytest.raises(bp.InputError, match=message):
        bp.Population((2, 2, 1), **settings)


def test_networks_of_different_kinds_make_no_population():
    with pytest.raises(bp.InputError, match="same sizes, activations and dtype"):
        bp.Population.of([bp.Network((2, 2, 1)), bp.Network((2, 3, 1))])
    with pytest.raises(bp.InputError, match="at least one network, but none of the 3 is selected"):
        bp.Population((2, 2, 1), size=3)[np.zeros(3, bool)]
    with pytest.raises(bp.InputError, match="at least one network, and nothing but networks"):
        bp.Population.of([])
    with pytest.raises(bp.InputError, match=r"shape \(networks, neurons, inputs \+ 1\)"):
        bp.Population.from_weights([np.zeros((3, 2, 3)), np.zeros((2, 1, 3))])


def test_memory_is_stated_before_anything_is_drawn():
    # the starts, the weights in training, Adam's two moments of each; 10 records; and what is counted
    assert memory_needed((2, 2, 1), 1000, solver="adam", epochs=100, history_every=10) == 1000 * (
        (36 + 10 + 6) * 8 + 72
    )


def test_a_resumed_population_reports_other_rates_and_all_its_seconds(tmp_path):
    population = bp.Population((2, 2, 1), size=3, seed=0)

    def resumed(epochs, rate, **settings):
        return bp.train_population(population, X, y, epochs=epochs, learning_rate=rate, checkpoint=tmp_path, **settings)

    first = resumed(10, 0.5, progress=lambda *_: time.sleep(0.3))
    assert first.seconds >= 0.3
    with pytest.warns(UserWarning) as said:
        second = resumed(20, 0.25)
    assert [str(line.message) for line in said] == ["epochs was 10, now 20", "learning_rate was 0.5, now 0.25"]
    assert second.seconds > first.seconds
    with pytest.warns(UserWarning) as said:
        resumed(20, [0.25, 0.5, 0.5])
    assert str(said[0].message).startswith("learning_rate was 0.25, now 3 float64")


INTERRUPTED = """
import numpy as np, backpath as bp
def report(epoch, share):
    if epoch > 0: print("running", flush=True)
X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
population = bp.Population((2, 2, 1), size=3000)
o = bp.train_population(population, X, y, epochs=10**7, progress=report, threads=2)
alone = bp.train_population(population[:1], X, y, epochs=int(o.epochs[0]))
print(o.stopped, 0 < o.epochs.max() < 10**7, np.isfinite(o.cost).all(), alone.population[0] == o.population[0])
"""


@needs_signals
def test_ctrl_c_returns_what_was_reached():
    with started([sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline().strip() == "running"
        os.kill(process.pid, signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert out.splitlines()[-1] == "interrupted True True True"
    assert process.returncode == 0


def within(share, expected, count):
    """Whether a share of ``count`` is within 4 standard deviations of that of the 20,000 networks once counted."""
    deviation = math.sqrt(expected * (1 - expected) * (1 / count + 1 / 20_000))
    return abs(share - expected) < 4 * deviation


@pytest.mark.slow
@pytest.mark.parametrize(("bound", "expected"), [(1, 0.828), (0.5, 0.932), (2, 0.673)])
def test_how_often_the_notes_network_learns_xor(bound, expected):
    population = bp.Population((2, 2, 1), size=20_000, init=f"uniform:{-bound},{bound}", seed=1)
    outcome = bp.train_population(population, X, y, epochs=10_000, learning_rate=2)
    assert within(outcome.solved_share, expected, 20_000)
    if bound == 1:
        stuck = outcome.cost[~outcome.solved]
        eighth, sixth = np.abs(stuck - 1 / 8) < 0.01, np.abs(stuck - 1 / 6) < 0.01
        assert within(eighth.mean(), 0.94, len(stuck))
        assert within(sixth.mean(), 0.06, len(stuck))


@pytest.mark.slow
def test_how_often_random_weights_solve_xor():
    population = bp.Population((2, 2, 1), size=2_000_000, init="uniform:-10,10", seed=1)
    outcome = bp.train_population(population, X, y, epochs=0, solved_error=0.5)  # on the right side of ½
    assert 1_600 < 1 / outcome.solved_share < 2_000  # about 1,800; 1,111 of these are expected, ± 33


@pytest.mark.parametrize(("rates", "same"), [(0.5, 0.5), ([0.5, 0.5, 0.5], 0.5), ([0.5, 1.0, 0.5], None)])
@pytest.mark.parametrize("epochs", [0, 3])
def test_callbacks_receive_the_state_of_a_population(rates, same, epochs):
    moments = []
    population = bp.Population((2, 2, 1), size=3, seed=1)
    outcome = bp.train_population(population, X, y, epochs=epochs, learning_rate=rates, callbacks=moments.append)
    last = moments[-1]
    assert (last.epochs, last.of, last.stopped) == (epochs, epochs, "epochs")
    assert (last.learning_rate, last.solved) == (same, outcome.solved_share)
    assert last.cost == outcome.cost.min()
    assert [moment.stopped for moment in moments[:-1]] == [None] * (len(moments) - 1)


def test_callbacks_see_a_population_while_it_trains():
    moments = []
    began = time.perf_counter()
    bp.train_population(bp.Population((2, 2, 1), size=3, seed=1), X, y, epochs=100_000, callbacks=moments.append)
    elapsed = time.perf_counter() - began
    *before, last = moments
    assert before
    assert (last.epochs, last.stopped) == (100_000, "epochs")
    epochs, seconds = [moment.epochs for moment in moments], [moment.seconds for moment in moments]
    assert epochs == sorted(set(epochs))
    assert seconds == sorted(seconds)
    assert 0 < seconds[0] <= seconds[-1] <= elapsed
    assert all(moment.stopped is None and moment.cost is None and moment.of == 100_000 for moment in before)


def test_a_population_of_one_network():
    net = bp.Network((2, 2, 1), activation="tanh", seed=4)
    assert bp.Population.of([net])[0] == net


def test_a_population_that_others_train_reports_its_time():
    moments = []
    began = time.perf_counter()
    population = bp.Population((2, 2, 1), size=5, seed=1)
    spread = bp.train_population(population, X, y, epochs=30, spread=one_by_one, callbacks=moments.append)
    assert 0 < spread.seconds == moments[-1].seconds <= time.perf_counter() - began
    assert (spread.cost == bp.train_population(population, X, y, epochs=30).cost).all()
