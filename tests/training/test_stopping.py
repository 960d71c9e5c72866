"""When training stops, to the epoch; and when it is called diverged."""

from types import SimpleNamespace

import numpy as np
import pytest

import backpath as bp
from backpath.training.divergence import divergence, is_good
from backpath.training.job import Convergence, Job, Solver, SolverState, record_count
from backpath.training.native.library import why_no_kernels

ENGINES = ["numpy", *([] if why_no_kernels() else ["compiled"])]
PATIENCE = 10  # epochs, as documented for tol


@pytest.mark.parametrize("engine", ENGINES)
def test_an_epoch_that_lowers_the_cost_by_exactly_tol_does_not_count(engine):
    """The cost is always the same: epoch 1 is the best, and none of the 10 after it lowers it by more than 0."""
    net = bp.Network.from_weights([[[0.0, 1.0]]], activations="identity")
    result = bp.train(net, [[1.0]], [1.0], epochs=100, learning_rate=0.1, tol=0.0, engine=engine)
    assert (result.stopped, result.epochs) == ("converged", 1 + PATIENCE)


@pytest.mark.parametrize("engine", ENGINES)
def test_training_continues_while_the_cost_falls_by_more_than_tol(engine):
    net = bp.Network.from_weights([[[1.0, 0.0]]], activations="identity")
    result = bp.train(net, [[1.0]], [0.0], epochs=40, learning_rate=0.01, tol=1e-9, engine=engine)
    assert (result.stopped, result.epochs) == ("epochs", 40)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("epochs", "diverged"), [(3, False), (6, True)])
def test_training_that_ends_far_above_the_start_has_diverged(engine, epochs, diverged):
    """A - y is multiplied by 1 - 2η = -2 in each epoch: the cost, 4 at first, is 4, 16, 64 … 4096 after six, where
    always answering 0 costs 1. 100 times as much is called diverged."""
    net = bp.Network.from_weights([[[3.0]]], activations="identity", biases=False)
    settings = {"epochs": epochs, "learning_rate": 1.5, "engine": engine}
    if diverged:
        with pytest.raises(bp.DivergenceError) as caught:
            bp.train(net, [[1.0]], [1.0], **settings)
        assert caught.value.cost == 4.0**epochs and caught.value.epoch == epochs
        assert str(caught.value).startswith("training diverged in epoch 6: the cost rose from 4 to 4096; try")
    else:
        assert bp.train(net, [[1.0]], [1.0], **settings).history.cost.tolist() == [4.0, 16.0, 64.0]


def test_the_validation_cost_counts_the_samples_weights():
    """With a weight of 0 a held-out sample has no say in which epoch was the best."""
    net = bp.Network.from_weights([[[0.0, 0.0]]], activations="identity")
    held_out = np.array([[1.0], [1.0]]), np.array([1.0, -5.0]), np.array([1.0, 0.0])
    result = bp.train(net, [[1.0]], [1.0], epochs=20, learning_rate=0.1, validation=held_out)
    expected = [(net.predict([1.0]).item() - 1) ** 2]
    for _ in range(3):
        net = net.step([[1.0]], [1.0], learning_rate=0.1)
        expected.append((net.predict([1.0]).item() - 1) ** 2)
    costs = result.history.validation_cost
    assert costs[:3] == pytest.approx(expected[1:4], rel=1e-12) or costs[:4] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("weight", "total"), [(None, 4), ([1.0, 2.0, 0.5, 3.0], 6.5)])
def test_the_start_of_a_run_in_batches_includes_the_penalty_of_each(weight, total):
    """Each of the two batches adds l2/2 ΣW² over the weight of its samples; the epoch weights them by it."""
    net = bp.Network.from_weights([[[1.0, -2.0, 30.0]]], activations="identity")
    X, y = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.5, 0.5]]), np.ones((4, 1))
    count = None if weight is None else np.array(weight)
    job = Job(net, X, y, "squared_error", Solver("gd", 0.5), batch_size=2, l2=0.3, sample_weight=count)
    engine = SimpleNamespace(weights=list(net.weights), costs=[1.0, 1e9], overflow=None)
    error = divergence(job, engine)
    cost = np.average((X @ [1.0, -2.0] + 30 - 1) ** 2, weights=count)
    assert error.start == pytest.approx(cost + 0.3 / 2 * (1 + 4) * 2 / total, rel=1e-14)
    assert (error.epoch, error.cost, error.stuck) == (2, 1e9, False)


@pytest.mark.parametrize(("output", "good"), [(0.1, True), (0.9, True), (1.2, False), (10.0, False)])
def test_a_state_is_saved_unless_its_cost_is_a_hundred_times_that_of_zero_weights(output, good):
    """The targets are 0.1, so zero weights cost 0.01, and an output of 1.1 costs 1."""
    net = bp.Network.from_weights([[[0.0, output]]], activations="identity")
    job = Job(net, np.ones((4, 1)), np.full((4, 1), 0.1), "squared_error", Solver("gd", 0.5), batch_size=4)
    engine = SimpleNamespace(weights=list(net.weights), costs=[1.0], overflow=None)
    assert is_good(job, engine) == good


def test_patience_needs_validation_samples():
    net, X, y = bp.Network((2, 2, 1), seed=0), [[0, 1], [1, 1]], [1, 0]
    with pytest.raises(bp.InputError, match="patience counts epochs without a better cost on validation samples"):
        bp.train(net, X, y, epochs=2, patience=3)
    assert bp.train(net, X, y, epochs=2, patience=3, validation=(X, y)).epochs == 2


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("patience", [1, 7])
def test_patience_counts_the_epochs_since_the_best(engine, patience):
    rng = np.random.default_rng(1)
    samples, held_out = ((rng.normal(size=(20, 2)), rng.normal(size=20)) for _ in range(2))
    net = bp.Network((2, 8, 1), activations=("tanh", "identity"), seed=2)
    settings = {"epochs": 2000, "learning_rate": 0.05, "engine": engine, "patience": patience}
    result = bp.train(net, *samples, validation=held_out, **settings)
    costs = result.history.validation_cost
    assert result.stopped == "converged"
    assert len(costs) - 1 - np.argmin(costs) == patience
    assert result.network.cost(*held_out) == pytest.approx(costs.min(), rel=1e-12)


def test_a_rule_that_goes_on_from_a_solvers_state():
    """From its best cost, with no epoch waited unless the state says so."""
    for waited, epochs in (({}, 3), ({"waited": 2}, 1)):
        rule = Convergence(0.1, 3, SolverState(5, [], [], best=1.0, **waited))
        assert [rule.reached(0.95) for _ in range(epochs)] == [False] * (epochs - 1) + [True]
    fresh = Convergence(0.1, 3)
    assert [fresh.reached(cost) for cost in (9.0, 5.0, 4.95, 4.9, 4.9)] == [False] * 4 + [True]


def test_the_order_of_the_samples_is_drawn_from_seed_0_unless_there_is_another():
    def order(**seed):
        shuffled = {"cost": "squared_error", "solver": Solver("gd", 0.1), "batch_size": 1, "shuffle": True}
        job = Job(bp.Network((1, 1)), np.zeros((50, 1)), np.zeros((50, 1)), **shuffled, **seed)
        return next(job.orders()).tolist()

    assert order() == order(seed=0) == np.random.default_rng(0).permutation(50).tolist()
    assert order(seed=1) == np.random.default_rng(1).permutation(50).tolist()


@pytest.mark.parametrize("engine", ENGINES)
def test_an_overflow_is_in_the_epoch_after_the_last_cost(engine):
    seen = []
    net = bp.Network((2, 3, 1), "identity", seed=1)
    X, y = np.random.default_rng(0).normal(size=(8, 2)), np.arange(8.0)
    with pytest.raises(bp.DivergenceError) as caught:
        bp.train(net, X, y, epochs=500, learning_rate=5.0, engine=engine, callbacks=seen.append)
    assert caught.value.epoch == seen[-1].epochs + 1 > 2


@pytest.mark.parametrize(("epochs", "every", "count"), [(9, 3, 3), (10, 3, 4), (2, 3, 1), (5, 1, 5), (5, None, 0)])
def test_how_many_costs_are_kept(epochs, every, count):
    assert record_count(epochs, every) == count
    population = bp.Population((2, 2, 1), size=4, seed=0)
    X, y = np.eye(2), np.array([0.0, 1])
    outcome = bp.train_population(population, X, y, epochs=epochs, learning_rate=0.1, history_every=every)
    assert (0 if outcome.history is None else len(outcome.history)) == count
