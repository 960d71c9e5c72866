"""What callbacks and logs get, and how it agrees with the list of runs."""

import json
import sys
import types
from itertools import pairwise

import numpy as np
import pytest

import backpath as bp
from backpath.training.callbacks import JsonLines, MLflow, TensorBoard
from backpath.training.known_runs import find_runs

X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
EPOCHS = 300
NET = bp.Network((2, 2, 1), seed=0)


def train(**settings):
    return bp.train(NET, X, y, **{"epochs": EPOCHS, "learning_rate": 2.0} | settings)


def population(**settings):
    several = bp.Population((2, 2, 1), size=50, seed=0)
    return bp.train_population(several, X, y, **{"epochs": EPOCHS, "learning_rate": 2.0} | settings)


@pytest.mark.parametrize("call", [train, population])
@pytest.mark.parametrize("settings", [{}, {"tol": 1.0}])
def test_the_last_moment_is_the_only_one_of_its_epoch(call, settings):
    seen = []
    outcome = call(callbacks=seen.append, **settings)
    assert [moment.stopped for moment in seen] == [None] * (len(seen) - 1) + [outcome.stopped]
    epochs = [moment.epochs for moment in seen]
    assert sorted(set(epochs)) == epochs and epochs[-1] == np.max(outcome.epochs)
    assert all(moment.epochs_per_second > 0 and moment.learning_rate == 2.0 for moment in seen)
    assert seen[-1].seconds == outcome.seconds
    assert seen[-1].cost == (outcome.history.cost[-1] if call is train else outcome.cost.min())


def test_networks_with_their_own_rates_have_no_common_one():
    seen = []
    population(learning_rate=np.linspace(1, 2, 50), callbacks=seen.append)
    assert seen[-1].learning_rate is None


def test_a_log_ends_with_why(tmp_path):
    with pytest.raises(bp.DivergenceError):
        train(learning_rate=1e3, callbacks=JsonLines(tmp_path / "log.jsonl"))
    train(callbacks=JsonLines(tmp_path / "log.jsonl"))
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["stopped"] for line in lines if line["stopped"]] == ["diverged", "epochs"]


def test_the_speed_is_that_since_the_moment_before():
    seen = []
    train(callbacks=seen.append, validation=(X, y), engine="numpy")  # a moment after every epoch
    for before, moment in pairwise(seen):
        if moment.epochs > before.epochs:
            speed = (moment.epochs - before.epochs) / (moment.seconds - before.seconds)
            assert moment.epochs_per_second == pytest.approx(speed, rel=1e-6)


def test_a_log_numbers_the_trainings_in_it(tmp_path):
    log = JsonLines(tmp_path / "log.jsonl", seconds=0)
    for _ in range(3):
        train(callbacks=log)
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["training"] for line in lines if line["stopped"]] == [1, 2, 3]
    assert sorted(line["training"] for line in lines) == [line["training"] for line in lines]


def test_the_list_of_runs_says_what_the_log_says(tmp_path):
    seen = []
    train(callbacks=seen.append, checkpoint=tmp_path / "run", every=100)
    (run,) = find_runs(tmp_path)
    last = next(moment for moment in reversed(seen) if moment.epochs == run.epochs)
    assert (run.of, run.cost) == (last.of, last.cost)
    assert 0 < run.seconds <= last.seconds and run.age >= 0


def test_a_population_reports_within_its_first_chunk(monkeypatch):
    monkeypatch.setattr("backpath.training.pool.LOOK_SECONDS", 0.001)
    population = bp.Population((2, 8, 1), size=3000, seed=0)
    seen = []
    bp.train_population(population, [[0, 1], [1, 0]], [1, 0], epochs=100, callbacks=seen.append, threads=1)
    assert len(seen) > 2
    assert [moment.epochs for moment in seen] == sorted(moment.epochs for moment in seen)
    assert [moment.stopped for moment in seen] == [None] * (len(seen) - 1) + ["epochs"]


def test_tensorboard_reads_what_was_written(tmp_path):
    pytest.importorskip("tensorboardX")
    reading = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    board = TensorBoard(tmp_path)
    for _ in range(2):
        train(callbacks=board)
    events = reading.EventAccumulator(str(tmp_path))
    events.Reload()
    steps = [event.step for event in events.Scalars("cost")]
    assert steps == sorted(steps) and steps[-1] == 2 * EPOCHS


def test_tensorboard_gets_a_file_for_each_training_with_steps_that_go_on(tmp_path, monkeypatch):
    files = []

    class SummaryWriter:
        def __init__(self, folder, filename_suffix, flush_secs):
            self.folder, self.suffix, self.written, self.is_closed = folder, filename_suffix, [], False
            files.append(self)

        def add_scalar(self, name, value, step):
            assert not self.is_closed
            self.written.append((name, value, step))

        def close(self):
            self.is_closed = True

    monkeypatch.setitem(sys.modules, "tensorboardX", types.SimpleNamespace(SummaryWriter=SummaryWriter))
    board = TensorBoard(tmp_path)
    histories = [train(callbacks=board, epochs=epochs).history.cost for epochs in (20, 30, 40)]
    assert [file.folder for file in files] == [str(tmp_path)] * 3
    assert [file.suffix for file in files] == [".000001", ".000002", ".000003"]
    assert all(file.is_closed for file in files)
    for file, history, before in zip(files, histories, (0, 20, 50), strict=True):
        costs = [(value, step) for name, value, step in file.written if name == "cost"]
        assert costs[-1] == (history[-1], before + len(history))
        assert all(value == history[step - before - 1] for value, step in costs)


def test_mlflow_gets_the_numbers_and_ends_no_training(monkeypatch):
    class MlflowException(Exception):
        pass

    logged = []

    def log_metrics(numbers, step):
        if step > EPOCHS + 1:
            raise MlflowException("the server is gone")
        logged.append((step, numbers["cost"]))

    fake = types.SimpleNamespace(log_metrics=log_metrics, MlflowException=MlflowException)
    monkeypatch.setitem(sys.modules, "mlflow", fake)
    log = MLflow()
    first = train(callbacks=log)
    assert logged[-1] == (EPOCHS, first.history.cost[-1])
    with pytest.warns(UserWarning, match="logging to MLflow stops here: the server is gone"):
        again = train(callbacks=log)
    assert again.network == first.network


def test_a_log_that_cannot_be_written_any_more_is_reported_once_and_does_not_end_training(tmp_path):
    log = JsonLines(tmp_path / "log.jsonl", seconds=0)
    (tmp_path / "log.jsonl").unlink()
    (tmp_path / "log.jsonl").mkdir()
    with pytest.warns(UserWarning, match="the log stops here: ") as warned:
        result = train(callbacks=log, validation=(X, y))  # a moment after every epoch
    assert result.epochs == EPOCHS
    assert 1 <= len(warned) <= 2  # at once, and for the last moment
