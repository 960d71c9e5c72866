"""A run that was stopped within an epoch resumes there, and ends with the same bits."""

import signal
import time
import warnings

import numpy as np
import pytest

import backpath as bp
from backpath.files.checkpoint_format import decode
from backpath.training import chunks
from backpath.training.engines import pieces
from backpath.training.engines.numpy import NumpyEngine
from backpath.training.run_folder import states_of

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
y = np.column_stack([X[:, 0] * X[:, 1], np.tanh(X[:, 2])])
HELD = (RNG.normal(size=(20, 3)), RNG.normal(size=(20, 2)))


class Stop(BaseException):
    """As sudden as SIGKILL."""


class Pools:
    """Samples that come in four pools of 15."""

    rows = 60

    def pools(self, seed, epoch, batch, shuffle, first=0):
        order = np.random.default_rng([seed, epoch]).permutation(60) if shuffle else np.arange(60)
        for start in range(15 * first, 60, 15):
            rows = order[start : start + 15]
            yield pieces.PieceOfEpoch(X[rows], y[rows], None, np.arange(15))


CASES = {
    "gd": {"learning_rate": 0.05},
    "momentum, shuffled": {"solver": "momentum", "learning_rate": 0.01, "shuffle": True},
    "adam, shuffled, validation": {"solver": "adam", "shuffle": True, "validation": HELD},
    "adam, frozen, by a tolerance": {"solver": "adam", "shuffle": True, "frozen": "biases", "tol": 0.01},
    "adam in float32": {"solver": "adam", "shuffle": True, "dtype": "float32"},
}
WAYS = {
    "numpy": lambda call: bp.train(call.pop("net"), X, y, engine="numpy", **call),
    "compiled": lambda call: bp.train(call.pop("net"), X, y, engine="compiled", **call),
    "streamed": lambda call: bp.train(call.pop("net"), Pools(), **call),
}


@pytest.fixture(autouse=True)
def all_epochs_are_long(monkeypatch):
    monkeypatch.setattr(chunks, "LONG_EPOCH", 0.0)
    monkeypatch.setattr(pieces, "LONG", 0.0)
    monkeypatch.setattr(pieces, "PIECE", 2e-6)


def trained(way, dtype="float64", **settings):
    net = bp.Network((3, 5, 2), activations=("tanh", "identity"), seed=1, dtype=dtype)
    return WAYS[way]({"net": net, "epochs": 30, "batch_size": 4, **settings})


def bits(result):
    held = result.history.validation_cost
    parts = [*result.network.weights, result.history.cost, *([] if held is None else [held])]
    return [part.tobytes() for part in parts], result.epochs, result.stopped


def stopping_at(looks):
    seen = []

    def callback(moment):
        seen.append(moment)
        time.sleep(0.002)  # for the disk
        if len(seen) == looks:
            raise Stop

    return callback


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", CASES)
def test_a_run_goes_on_inside_an_epoch(tmp_path, way, name):
    whole, inside = bits(trained(way, **CASES[name])), []
    for looks in (2, 7, 12):
        folder = tmp_path / str(looks)
        with pytest.raises(Stop):
            trained(way, checkpoint=folder, every="0.000001s", callbacks=stopping_at(looks), **CASES[name])
        state = decode(states_of(folder)[0])[0]["training"]["engine"]
        inside.append(state["_start"] if way == "numpy" else state["position"][1])
        assert bits(trained(way, checkpoint=folder, **CASES[name])) == whole
    assert any(inside)


def test_pieces_are_what_the_compiled_engine_does(monkeypatch):
    for settings in ({"learning_rate": 0.05}, {"solver": "adam", "shuffle": True, "l2": 0.1}):
        in_pieces = trained("compiled", sample_weight=np.arange(60.0), **settings)
        with monkeypatch.context() as as_usual:
            as_usual.setattr(pieces, "LONG", 1e9)
            at_once = trained("compiled", sample_weight=np.arange(60.0), **settings)
        assert in_pieces.network == at_once.network
        assert in_pieces.history.cost == pytest.approx(at_once.history.cost, rel=1e-13)


def test_what_is_long_depends_on_the_job_only(monkeypatch):
    monkeypatch.undo()
    from backpath.training.job import Job, Solver

    net = bp.Network((3, 500, 2), seed=0)
    rows = np.broadcast_to(np.zeros(1), (30_000_000, 3))  # that take no memory
    goal = np.broadcast_to(np.zeros(1), (30_000_000, 2))
    job = Job(net, rows, goal, "squared_error", Solver.checked("gd", None), 32)
    assert pieces.rows_of_piece(job) % 32 == 0 and pieces.rows_of_piece(job) < 30_000_000 / 4
    few = Job(net, rows[:1000], goal[:1000], "squared_error", Solver.checked("gd", None), 32)
    assert pieces.rows_of_piece(few) == 1000


@pytest.mark.filterwarnings("ignore:Training interrupted", "ignore:Stochastic Optimizer")
@pytest.mark.parametrize(
    "settings",
    [
        {"solver": "adam", "dropout": 0.2},
        {"solver": "adam", "early_stopping": True},
        {"solver": "sgd", "learning_rate": "invscaling", "tol": 0.0},
        {"solver": "sgd", "engine": "numpy", "learning_rate": "cosine"},
    ],
    ids=str,
)
def test_fits_go_on_inside_an_epoch(tmp_path, monkeypatch, settings):
    def fitted(**keywords):
        one = {"hidden_layer_sizes": (4,), "random_state": 3, "max_iter": 12, "batch_size": 5, **settings, **keywords}
        estimator = bp.MLPRegressor(**one).fit(X, y)
        numbers = [*estimator.coefs_, *estimator.intercepts_, np.array(estimator.loss_curve_)]
        return [array.tobytes() for array in numbers], estimator.n_iter_

    whole, looks = fitted(), []
    from backpath.training.checkpoints import RunPart

    look = RunPart.look

    def stop(part, done):
        look(part, done)
        looks.append(done)
        time.sleep(0.001)
        if len(looks) in (3, 8, 16, 29):
            raise Stop

    monkeypatch.setattr(RunPart, "look", stop)
    for _ in range(4):
        with pytest.raises(Stop):
            fitted(checkpoint=tmp_path, every="0.000001s")
    assert fitted(checkpoint=tmp_path, every="0.000001s") == whole


def test_ctrl_c_saves_the_place_in_the_epoch(tmp_path):
    whole = bits(trained("streamed", **CASES["gd"]))

    def interrupt(moment):
        if moment.stopped is None:
            signal.raise_signal(signal.SIGINT)

    half = trained("streamed", checkpoint=tmp_path, every="1h", callbacks=interrupt, **CASES["gd"])
    assert half.stopped == "interrupted"
    assert decode(states_of(tmp_path)[0])[0]["training"]["engine"]["position"] != [0, 0]
    assert bits(trained("streamed", checkpoint=tmp_path, **CASES["gd"])) == whole


def test_a_second_ctrl_c_saves_no_half_update(tmp_path, monkeypatch):
    settings = {**CASES["momentum, shuffled"], "every": 2}
    whole, steps, step = bits(trained("numpy", **settings | {"every": None})), [], NumpyEngine._step

    def twice(engine, gradient):
        steps.append(0)
        engine._updates.t += 1  # as if it were half done
        if len(steps) == 100:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
        engine._updates.t -= 1
        step(engine, gradient)

    with monkeypatch.context() as patched:
        patched.setattr(NumpyEngine, "_step", twice)
        assert trained("numpy", checkpoint=tmp_path, **settings).stopped == "interrupted"
    assert bits(trained("numpy", checkpoint=tmp_path, **settings)) == whole


def test_what_a_population_s_callback_stops_is_not_saved_half_way(tmp_path, monkeypatch):
    monkeypatch.setattr("backpath.training.engines.many.LONGEST_CHUNK", 7)
    population = bp.Population((3, 4, 2), size=40, activation="tanh", seed=1)
    learn = {"solver": "adam", "learning_rate": 0.01, "batch_size": 7, "shuffle": True, "epochs": 200}
    whole = bp.train_population(population, X, y, **learn)
    seen = []

    def stop(moment):
        seen.append(moment)
        if len(seen) == 3:
            raise KeyboardInterrupt

    half = bp.train_population(population, X, y, checkpoint=tmp_path, every=1, callbacks=stop, **learn)
    assert half.stopped == "interrupted"
    again = bp.train_population(population, X, y, checkpoint=tmp_path, **learn)
    assert np.array_equal(again.population.lanes, whole.population.lanes)


def test_a_function_among_the_settings_is_the_same_in_another_process(tmp_path):
    def fitted():
        def scored(estimator, X, y):
            return 0.0

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            more = {"early_stopping": True, "scoring": scored, "checkpoint": tmp_path}
            bp.MLPRegressor(hidden_layer_sizes=(3,), max_iter=3, random_state=0, **more).fit(X, y)

    fitted()
    fitted()  # with another function object of the same name
