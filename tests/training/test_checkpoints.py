"""A resumed run ends with the same bits as one that was never stopped."""

import contextlib
import dataclasses
import os
import signal
import threading

import numpy as np
import pytest

import backpath as bp
from backpath.errors import DivergenceError, InputError
from backpath.files.checkpoint_format import read_about
from backpath.training.checkpoints import Checkpoints, check_every
from backpath.training.quasi_newton import Objective
from backpath.training.run_folder import read_run, states_of

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 3))
y = np.column_stack([X[:, 0] * X[:, 1], np.tanh(X[:, 2])])
NET = bp.Network((3, 5, 2), activations=("tanh", "identity"), seed=1)
HELD = (RNG.normal(size=(20, 3)), RNG.normal(size=(20, 2)))

CASES = {
    "gd": {"solver": "gd", "learning_rate": 0.05},
    "gd by numpy": {"solver": "gd", "learning_rate": 0.05, "engine": "numpy"},
    "momentum, shuffled": {"solver": "momentum", "learning_rate": 0.01, "batch_size": 8, "shuffle": True},
    "adam, shuffled": {"solver": "adam", "batch_size": 7, "shuffle": True},
    "adam by numpy, shuffled": {"solver": "adam", "batch_size": 7, "shuffle": True, "engine": "numpy", "seed": 5},
    "adam, frozen biases": {"solver": "adam", "frozen": "biases", "l2": 0.1},
    "validation": {"solver": "adam", "validation": HELD, "patience": 15, "learning_rate": 0.05},
    "tol": {"solver": "gd", "learning_rate": 0.05, "tol": 1e-3},
    "lm": {"solver": "lm"},
    "lm, bayesian": {"solver": "lm", "bayesian": True},
    "restarts": {"solver": "adam", "restarts": 5},
    "restarts by lm": {"solver": "lm", "restarts": 3},
}


class Stop(BaseException):
    """As sudden as SIGKILL: nothing is saved because of it."""


def stopping_at(epoch):
    def progress(done, cost):
        if done >= epoch:
            raise Stop

    return progress


def bits(result):
    parts = [*result.network.weights, result.history.cost]
    parts += [part for part in (result.history.validation_cost, result.restart_costs) if part is not None]
    return [part.tobytes() for part in parts], result.epochs, result.stopped, result.bayesian


@pytest.mark.filterwarnings("ignore:epochs was 13, now 35")
def test_a_run_that_goes_on_between_two_checkpoints_keeps_their_rhythm(tmp_path):
    for epochs, saved in ((13, [13, 10]), (35, [35, 30])):
        bp.train(NET, X, y, epochs=epochs, learning_rate=0.01, checkpoint=tmp_path, every=10, engine="numpy")
        assert [read_about(file)["standing"]["epochs"] for file in states_of(tmp_path)] == saved


@pytest.mark.parametrize("name", CASES)
def test_a_resumed_run_has_the_bits_of_one_that_never_stopped(tmp_path, name):
    settings = CASES[name]
    epochs = 12 if settings["solver"] == "lm" else 60
    whole = bits(bp.train(NET, X, y, epochs=epochs, **settings))
    for stop in (1, epochs // 3, epochs // 2 + 1):
        folder = tmp_path / str(stop)
        with pytest.raises(Stop):
            bp.train(NET, X, y, epochs=epochs, checkpoint=folder, every=1, progress=stopping_at(stop), **settings)
        resumed = bp.train(NET, X, y, epochs=epochs, checkpoint=folder, every=7, **settings)
        assert bits(resumed) == whole
        assert bits(bp.train(NET, X, y, epochs=epochs, checkpoint=folder, **settings)) == whole  # it has ended
    assert len(states_of(folder)) == 2
    assert read_run(folder)["state"] == "finished"


FITS = [
    {"solver": "adam"},
    {"solver": "adam", "dropout": 0.2},
    {"solver": "sgd", "learning_rate": "invscaling", "tol": 0.0},
    {"solver": "sgd", "learning_rate": "adaptive", "tol": 0.01, "n_iter_no_change": 2},
    {"solver": "adam", "early_stopping": True},
    {"solver": "adam", "restarts": 3},
    {"solver": "adamw", "learning_rate": "cosine", "warm_up": 3},
    {"solver": "sgd", "learning_rate": "plateau", "tol": 0.01},
    {"solver": "adam", "learning_rate": "linear", "early_stopping": True},
    {"solver": "lbfgs"},
    {"solver": "lbfgs", "early_stopping": True},
    {"solver": "lm", "bayesian": True},
]


@pytest.mark.filterwarnings("ignore")  # of epochs that are over, of nothing learned
@pytest.mark.parametrize("held_out", [{}, {"X_val": HELD[0], "y_val": HELD[1]}], ids=["", "held out"])
@pytest.mark.parametrize("settings", FITS, ids=str)
def test_fits_of_estimators_resume(tmp_path, settings, held_out):
    def fitted(stop=10**9, **keywords):
        seen = []

        def watch(epoch):
            seen.append(epoch)
            if len(seen) == stop:
                raise Stop

        one = {"hidden_layer_sizes": (4,), "random_state": 3, "max_iter": 30, **settings, **keywords}
        estimator = bp.MLPRegressor(callbacks=watch, **one).fit(X, y, **held_out)
        numbers = [*estimator.coefs_, *estimator.intercepts_, np.array(estimator.loss_curve_)]
        numbers += [np.array(estimator.validation_loss_curve_), np.array(estimator.validation_scores_ or [])]
        return [array.tobytes() for array in numbers], estimator.n_iter_, estimator.loss_

    whole = fitted()
    for stop in (2, 7, 41):
        with contextlib.suppress(Stop):
            fitted(stop, checkpoint=tmp_path, every=1)
    assert fitted(checkpoint=tmp_path) == whole


def test_lbfgs_resumes_only_where_scipy_takes_the_same_steps():
    def halves(weights):  # of all squares: their gradient is the weights
        return sum(float((W**2).sum()) for W in weights) / 2, weights

    first, resumed = Objective(NET.weights, halves), Objective(NET.weights, lambda weights: (0.0, NET.weights))
    cost, gradient = first(first.start)
    resumed.restore(first.state())
    again, same = resumed(first.start)
    assert again == cost == pytest.approx((gradient**2).sum() / 2)
    assert np.array_equal(same, gradient) and np.array_equal(same, first.start)
    assert resumed(first.start)[0] == 0.0  # evaluated, since nothing more was recorded
    other = Objective(NET.weights, halves)
    other.restore(first.state())
    with pytest.raises(InputError, match="SciPy computes different steps on this machine"):
        other(np.nextafter(first.start, 1))


def test_fits_that_could_not_resume_are_refused(tmp_path):
    with pytest.raises(InputError, match="random_state must be a whole number"):
        bp.MLPRegressor(checkpoint=tmp_path / "run").fit(X, y)
    with pytest.raises(InputError, match="checkpoint is for fit"):
        bp.MLPRegressor(checkpoint=tmp_path / "run", random_state=0).partial_fit(X, y)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("hidden", [4, 90])  # in the lanes, and each for itself
@pytest.mark.parametrize(
    "settings", [{}, {"tol": 1e-4, "batch_size": 7, "shuffle": True, "solver": "adam", "history_every": 5}], ids=str
)
def test_populations_resume(tmp_path, monkeypatch, hidden, settings):
    monkeypatch.setattr("backpath.training.engines.many.LONGEST_CHUNK", 7)
    population = bp.Population((3, hidden, 2), size=20, activation="tanh", seed=1)
    rates = np.array([0.01, 1e3] * 10)  # every second one diverges
    learn = {"learning_rate": rates, "epochs": 100, **settings}
    whole = bp.train_population(population, X, y, **learn)

    def progress(done, solved):
        if done > 30:
            raise Stop

    with pytest.raises(Stop):
        bp.train_population(population, X, y, checkpoint=tmp_path, every=1, progress=progress, **learn)
    assert states_of(tmp_path)
    resumed = bp.train_population(population, X, y, checkpoint=tmp_path, threads=1, **learn)
    assert resumed == dataclasses.replace(whole, seconds=resumed.seconds)


def begun(folder, **settings):
    """A run that was stopped after 20 of 50 epochs."""
    with pytest.raises(Stop):
        run(folder, progress=stopping_at(20), **settings)


def run(folder, X=X, y=y, net=NET, **settings):
    learn = {"epochs": 50, "learning_rate": 0.05, "every": 5}
    return bp.train(net, X, y, checkpoint=folder, **learn | settings)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"X": X + 1e-16 + 1}, "other values of X;"),
        ({"y": y * 2}, "other values of y;"),
        ({"net": bp.Network((3, 5, 2), activations=("tanh", "identity"), seed=2)}, "other values of weights;"),
        ({"cost": "half_squared_error"}, "cost was squared_error, now half_squared_error"),
        ({"seed": 7}, "seed was 0, now 7"),
        ({"solver": "adam"}, "solver was gd, now adam"),
        ({"engine": "numpy"}, "engine was compiled, now numpy"),
        ({"l2": 0.5, "tol": 0.1}, "l2 was 0.0, now 0.5; tol was not set, now 0.1"),
        ({"validation": HELD}, "validation was not set, now 20 × 3 float64"),
        ({"frozen": "biases"}, "other values of frozen"),
    ],
    ids=str,
)
def test_other_data_or_settings_are_refused_with_what_differs(tmp_path, change, named):
    begun(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.glob("*.checkpoint")}
    with pytest.raises(InputError) as refused:
        run(tmp_path, **change)
    assert named in str(refused.value) and "give another folder" in str(refused.value)
    assert {path: path.read_bytes() for path in tmp_path.glob("*.checkpoint")} == before


def test_another_function_is_refused(tmp_path):
    begun(tmp_path)
    population = bp.Population((3, 5, 2), size=3)
    with pytest.raises(InputError, match="holds another run: function was train, now train_population"):
        bp.train_population(population, X, y, checkpoint=tmp_path)


def test_fewer_epochs_than_a_run_has_done_are_refused(tmp_path):
    run(tmp_path)
    with (
        pytest.warns(UserWarning, match="epochs was 50, now 20"),
        pytest.raises(InputError, match="is at epoch 50 already, but epochs is 20"),
    ):
        run(tmp_path, epochs=20)
    assert bits(run(tmp_path)) == bits(bp.train(NET, X, y, epochs=50, learning_rate=0.05))


def test_more_epochs_and_another_learning_rate_are_said_aloud(tmp_path):
    run(tmp_path)
    with pytest.warns(UserWarning, match="epochs was 50, now 80"):
        longer = run(tmp_path, epochs=80)
    assert bits(longer) == bits(bp.train(NET, X, y, epochs=80, learning_rate=0.05))
    with pytest.warns(UserWarning) as said:
        slower = run(tmp_path, epochs=90, learning_rate=0.01)
    assert [str(one.message) for one in said] == [
        "epochs was 80, now 90",
        "learning_rate was 0.05, now 0.01",
    ]
    by_hand = bp.train(longer.network, X, y, epochs=10, learning_rate=0.01)
    assert slower.network == by_hand.network


@pytest.mark.filterwarnings("ignore:epochs was:UserWarning", "ignore:learning_rate was:UserWarning")
def test_a_diverged_run_leaves_the_last_good_checkpoint_and_says_how_to_resume(tmp_path):
    reached = run(tmp_path)
    with pytest.raises(DivergenceError, match=r"the last good checkpoint in .* is from epoch 5\d: resume from it with"):
        run(tmp_path, epochs=500, learning_rate=50.0, every=1)
    assert read_run(tmp_path)["state"] == "diverged"
    again = run(tmp_path, epochs=60, learning_rate=0.01)
    assert (again.history.cost[:50] == reached.history.cost).all() and np.isfinite(again.history.cost).all()


@pytest.mark.parametrize("damage", [lambda raw: raw[:-9], lambda raw: raw[:-1] + bytes([raw[-1] ^ 1]), lambda raw: b""])
def test_instead_of_a_damaged_checkpoint_the_previous_one_is_used_and_reported(tmp_path, damage):
    whole = bits(bp.train(NET, X, y, epochs=50, learning_rate=0.05))
    begun(tmp_path)
    newest, _ = states_of(tmp_path)
    newest.write_bytes(damage(newest.read_bytes()))
    with pytest.warns(UserWarning) as said:
        assert bits(run(tmp_path)) == whole
    assert "cannot be used: " in str(said[0].message) and "resuming from the previous checkpoint" in str(
        said[1].message
    )
    for file in states_of(tmp_path):
        file.write_bytes(damage(file.read_bytes()))
    with pytest.warns(UserWarning) as said:
        assert bits(run(tmp_path)) == whole
    assert "no checkpoint of training 1 in" in str(said[-1].message) and "it starts again" in str(said[-1].message)


def test_a_folder_is_one_process_s_at_a_time(tmp_path):
    with (
        Checkpoints(tmp_path, call={"function": "train"}),
        pytest.raises(
            InputError, match=rf"^(process {os.getpid()}|another process) is using the run in .*; wait for it"
        ),
    ):
        run(tmp_path)
    run(tmp_path)


def test_a_refused_call_leaves_the_folder_as_it_was(tmp_path):
    folder = tmp_path / "new"
    with pytest.raises(InputError, match="refused"), Checkpoints(folder, call={"epochs": 3}):
        raise InputError("refused")
    assert not folder.exists()
    folder.mkdir()
    with pytest.raises(InputError, match="refused"), Checkpoints(folder, call={"epochs": 3}):
        raise InputError("refused")
    assert list(folder.iterdir()) == []
    with Checkpoints(folder, call={"epochs": 3}):
        pass
    before = (folder / "run.json").read_bytes()
    for call, said in (({"epochs": 3}, "refused"), ({"epochs": 3, "function": "fit"}, "holds another run: ")):
        with pytest.raises(InputError, match=said), Checkpoints(folder, call=call):
            raise InputError("refused")
        assert (folder / "run.json").read_bytes() == before


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (None, "finished"),
        (KeyboardInterrupt(), "interrupted"),
        (DivergenceError(1, None, None), "diverged"),
        (OSError("the cluster is lost"), "failed"),
    ],
)
def test_how_a_run_ended_is_written_down(tmp_path, error, state):
    with contextlib.suppress(type(error) if error else ()), Checkpoints(tmp_path, call={"epochs": 3}) as checkpoints:
        assert read_run(tmp_path)["state"] == "running"
        assert read_run(tmp_path)["process"] == os.getpid()
        if error:
            raise error
    assert read_run(tmp_path)["state"] == state
    assert not checkpoints.is_to_be_resumed  # there is no checkpoint


@pytest.mark.parametrize(
    ("error", "reason"),
    [(OSError(28, "No space left on device"), "No space left on device"), (OSError("it is gone"), "it is gone")],
)
def test_a_checkpoint_that_cannot_be_written_is_reported_and_the_run_goes_on(tmp_path, monkeypatch, error, reason):
    def refuse(path, content):
        raise error

    said = []
    with Checkpoints(tmp_path, call={"epochs": 3}, tell=said.append) as checkpoints:
        monkeypatch.setattr("backpath.training.checkpoints.write_atomically", refuse)
        written = checkpoints.write(tmp_path / "1-1.checkpoint", {}, {"standing": {"epochs": 12_000}}).result()
        monkeypatch.undo()
    assert not written and said == [f"no checkpoint of epoch 12,000: {reason}; the previous one is kept"]


def test_what_is_no_run_is_refused(tmp_path):
    (tmp_path / "thesis.tex").write_text("all of it")
    with pytest.raises(InputError, match="is not empty, and does not contain a run; give a new folder"):
        run(tmp_path)
    with pytest.raises(InputError, match="every must be a number of epochs, or a time"):
        run(tmp_path / "new", every="soon")
    with pytest.raises(InputError, match="give checkpoint too"):
        bp.train(NET, X, y, every=10)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text("[]")
    with pytest.raises(InputError, match=r"run\.json is not what backpath wrote there"):
        run(tmp_path / "run")


@pytest.mark.parametrize("every", [0, -1, 1.5, True, None, "", "0s", "1d", "60 s!", [], "9" * 400, 2**53])
def test_what_is_no_interval_is_refused(every):
    with pytest.raises(InputError, match="every must be a number of epochs, or a time"):
        check_every(every)


def test_long_histories_are_thinned(tmp_path):
    few = {"net": bp.Network((2, 1), seed=0), "X": X[:3, :2], "y": y[:3, :1], "every": 10**9}
    whole = run(tmp_path, epochs=150_000, **few)
    again = run(tmp_path, epochs=150_000, **few)
    kept = ~np.isnan(again.history.cost)
    assert kept.sum() == 75_001 and kept[-1] and again.network == whole.network
    assert (again.history.cost[kept] == whole.history.cost[kept]).all()
    assert sum(file.stat().st_size for file in states_of(tmp_path)) < 2 * 10**6


def test_ctrl_c_saves_what_was_reached(tmp_path):
    def progress(done, cost):
        if done >= 20:
            signal.raise_signal(signal.SIGINT)

    reached = run(tmp_path, progress=progress, every="1h")
    assert (reached.stopped, read_run(tmp_path)["state"]) == ("interrupted", "interrupted")
    assert bits(run(tmp_path)) == bits(bp.train(NET, X, y, epochs=50, learning_rate=0.05))


def test_runs_in_threads_are_saved_too(tmp_path):
    found = []
    thread = threading.Thread(target=lambda: found.append(run(tmp_path)))
    thread.start()
    thread.join()
    assert bits(found[0]) == bits(run(tmp_path))


def test_the_layers_of_a_vector_of_weights():
    net = bp.Network((2, 4, 3, 1), seed=2)
    objective = Objective(net.weights, lambda weights: (float(sum(W.sum() for W in weights)), weights))
    for W, own in zip(objective.layers(objective.start), net.weights, strict=True):
        assert (own == W).all()
    cost, gradient = objective(objective.start)
    assert cost == pytest.approx(objective.start.sum())
    assert (gradient == objective.start).all()


@pytest.mark.parametrize(
    ("every", "meaning"),
    [(7, (7, np.inf)), ("7", (7, np.inf)), ("90s", (None, 90)), ("1.5 m", (None, 90)), ("2h", (None, 7200))],
)
def test_every_is_a_number_of_epochs_or_a_time(every, meaning):
    assert check_every(every) == meaning


def test_the_first_training_of_another_run_has_no_number(tmp_path):
    bp.train(NET, X, y, epochs=20, learning_rate=0.01, checkpoint=tmp_path)
    with pytest.raises(InputError, match=r"holds another run: l2 was 0.0, now 0.5"):
        bp.train(NET, X, y, epochs=20, learning_rate=0.01, l2=0.5, checkpoint=tmp_path)


def test_a_run_may_be_in_a_new_folder_of_a_new_folder(tmp_path):
    bp.train(NET, X, y, epochs=20, learning_rate=0.01, checkpoint=tmp_path / "runs" / "first")
    assert states_of(tmp_path / "runs" / "first")
