"""Trainings that others do come to the same bits, in whatever order they come, and are kept."""

import dataclasses
import pickle

import numpy as np
import pytest

import backpath as bp
from backpath.errors import InputError
from backpath.tabular.fit_table import fit
from backpath.training.checkpoints import Checkpoints
from backpath.training.run_folder import read_run
from backpath.training.spreading import KeptResult

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
y = np.column_stack([X[:, 0] * X[:, 1], np.tanh(X[:, 2])])
POPULATION = bp.Population((3, 4, 2), size=70, activation="tanh", seed=1)
LEARN = {"epochs": 40, "solver": "momentum", "learning_rate": np.array([0.01, 1e3] * 35), "history_every": 3}


class Elsewhere:
    """Does each task twice and the last one first, and stops after some tasks."""

    def __init__(self, stop=10**9, error=KeyboardInterrupt):
        self.asked, self.stop, self.error = [], stop, error

    def __call__(self, function, shared, tasks):
        self.asked.append(len(tasks))
        for done, number in enumerate(reversed(range(len(tasks)))):
            if done == self.stop:
                raise self.error
            sent = pickle.dumps((shared, tasks[number]))
            for _ in range(2):
                held, task = pickle.loads(sent)
                found = function(held, *task)
            yield number, pickle.loads(pickle.dumps(found))


@pytest.fixture(autouse=True)
def many_slices(monkeypatch):
    monkeypatch.setattr("backpath.training.engines.slices.LEAST_SECONDS", 0.0)


@pytest.mark.parametrize("settings", [{}, {"tol": 1e-4, "batch_size": 7, "shuffle": True, "stop_when_solved": True}])
def test_populations(settings):
    here = bp.train_population(POPULATION, X, y, **LEARN | settings)
    there = bp.train_population(POPULATION, X, y, spread=(elsewhere := Elsewhere()), **LEARN | settings)
    assert elsewhere.asked[0] > 3
    assert there == dataclasses.replace(here, seconds=there.seconds)


def test_arrived_results_are_kept_and_only_the_others_are_requested(tmp_path):
    here = bp.train_population(POPULATION, X, y, **LEARN)
    first, second, third, moments = Elsewhere(stop=2), Elsewhere(), Elsewhere(), []
    half = bp.train_population(POPULATION, X, y, spread=first, checkpoint=tmp_path, callbacks=moments.append, **LEARN)
    assert half.stopped == "interrupted" and read_run(tmp_path)["state"] == "interrupted"
    assert [moment.stopped for moment in moments] == [None, None, "interrupted"]
    assert sorted(set(half.epochs)) == [0, 40]  # those that were not done, and the others
    there = bp.train_population(POPULATION, X, y, spread=second, checkpoint=tmp_path, **LEARN)
    assert second.asked == [first.asked[0] - 2]
    assert there == dataclasses.replace(here, seconds=there.seconds)
    bp.train_population(POPULATION, X, y, spread=third, checkpoint=tmp_path, **LEARN)
    assert third.asked == [0]
    with pytest.raises(InputError, match="task epochs was 40, now 50"):  # what is kept is final
        bp.train_population(POPULATION, X, y, spread=third, checkpoint=tmp_path, **LEARN | {"epochs": 50})


def test_tables(tmp_path):
    given = {"hidden": (4,), "activation": "tanh", "epochs": 20}
    here = fit(X, y[:, :1], "regression", given)
    reported, moments, first, second = [], [], Elsewhere(stop=2, error=ConnectionError), Elsewhere()

    def fitted(spread):
        with Checkpoints(tmp_path, call={"function": "a test"}) as run:
            more = {"checkpoint": run, "callbacks": moments.append, "progress": lambda *now: reported.append(now)}
            return fit(X, y[:, :1], "regression", given, spread=spread, training=more)

    with pytest.raises(ConnectionError):
        fitted(first)
    assert len(reported) == len(moments) == 2 and read_run(tmp_path)["state"] == "failed"
    there = fitted(second)
    assert second.asked == [first.asked[0] - 2]
    assert there.network == here.network
    assert np.array_equal(there.result.history.cost, here.result.history.cost)


@pytest.mark.parametrize("settings", [{"solver": "adam"}, {"solver": "lm", "epochs": 9, "restarts": 7}], ids=str)
def test_restarts(tmp_path, settings):
    net = bp.Network((3, 4, 2), activations=("tanh", "identity"), seed=1)
    learn = {"epochs": 40, "restarts": 70, "seed": 3, **settings}
    here = bp.train(net, X, y, **learn)
    bp.train(net, X, y, spread=(first := Elsewhere(stop=2)), checkpoint=tmp_path, **learn)
    assert read_run(tmp_path)["state"] == "interrupted"
    there = bp.train(net, X, y, spread=(second := Elsewhere()), checkpoint=tmp_path, **learn)
    assert second.asked == [first.asked[0] - 2]
    assert there == dataclasses.replace(here, seconds=there.seconds)
    with pytest.raises(InputError, match="spread distributes restarts"):
        bp.train(net, X, y, spread=Elsewhere())


@pytest.mark.parametrize(
    ("kept", "standing"),
    [
        ({"cost": [3.0, 1, 2], "epochs": 3, "seconds": 1.5}, {"epochs": 3, "of": 3, "cost": 2.0, "seconds": 1.5}),
        ({"cost": [3.0, 1, 2], "epochs": [5, 7, 6]}, {"epochs": 7, "of": 7, "cost": 1.0, "seconds": 0.0}),
    ],
)
def test_a_kept_result_stands_at_its_last_cost_or_at_the_best_networks(kept, standing):
    result = KeptResult()
    assert not result.is_good()
    result.restore(kept)
    assert result.is_good()
    assert result.standing() == standing
