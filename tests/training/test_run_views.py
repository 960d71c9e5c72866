"""What is shown of a run in training: its network, its curve, and the log after its newest checkpoint."""

import json
import time
from pathlib import Path

import numpy as np
import pytest

import backpath as bp
from backpath.training.known_runs import KnownRun, find_runs
from backpath.training.run_folder import read_run, states_of, write_run
from backpath.training.run_views import key_of, look_at
from commands import done

X, Y = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([[0.0], [1], [1], [0]])
NET = bp.Network((2, 3, 1), seed=1)


def trained(folder, epochs=50, **settings):
    return bp.train(NET, X, Y, epochs=epochs, learning_rate=1.0, checkpoint=folder, every=10, **settings)


def test_the_curve_is_the_history(tmp_path):
    result = trained(tmp_path / "run", validation=(X[:2], Y[:2]), patience=None)
    view = look_at(tmp_path / "run")
    assert view.epoch == 50
    assert view.costs == [(k, cost) for k, cost in enumerate(result.history.cost, 1)]
    assert view.held_out == [(k, cost) for k, cost in enumerate(result.history.validation_cost, 1)]
    assert (view.run.state, view.run.epochs, view.run.of) == ("finished", 50, 50)
    assert view.settings["epochs"] == 50
    assert view.call["function"] == "train"
    assert view.network.sizes == NET.sizes


def test_the_network_is_that_of_the_newest_checkpoint(tmp_path):
    result = trained(tmp_path / "run")
    assert look_at(tmp_path / "run").network == result.network
    newest, before, *_ = states_of(tmp_path / "run")
    newest.write_bytes(newest.read_bytes()[:100])
    earlier = look_at(tmp_path / "run")
    assert earlier.epoch < 50
    assert earlier.network == trained(tmp_path / "other", epochs=earlier.epoch).network
    assert find_runs(tmp_path)[1].epochs == earlier.epoch
    before.unlink()
    with pytest.raises(bp.InputError, match="run has no checkpoint yet; try again later"):
        look_at(tmp_path / "run")
    assert find_runs(tmp_path)[1].epochs is None


def test_a_long_curve_is_thinned(tmp_path):
    result = trained(tmp_path / "run", epochs=5000)
    costs = look_at(tmp_path / "run").costs
    assert 500 <= len(costs) <= 1000
    assert costs[0][0] == 1
    assert costs[-1][0] == 5000
    assert all(cost == result.history.cost[k - 1] for k, cost in costs)


def test_many_networks_are_not_shown(tmp_path):
    population = bp.Population((2, 2, 1), size=8, seed=0)
    bp.train_population(population, X, Y, epochs=20, learning_rate=1.0, checkpoint=tmp_path / "run", every=10)
    with pytest.raises(bp.InputError, match="trains many networks side by side"):
        look_at(tmp_path / "run")


def test_the_log_goes_on_after_the_checkpoint(tmp_path, monkeypatch):
    call = ("train", "xor", "--epochs", 300, "--checkpoint", "run", "--every", "100", "--log", "log.jsonl", "-q")
    done(*call, cwd=tmp_path)
    monkeypatch.chdir(tmp_path)
    view, key = look_at("run"), key_of("run")
    assert view.costs[-1][0] == 300
    assert key_of("run") == key
    line = {"training": 1, "epochs": 310, "cost": 0.5, "validation_cost": 0.25, "time": time.time() + 1}
    # of another training, before the checkpoint, of another run, and no epochs
    others = [{"training": 2}, {"epochs": 300}, {"time": 1.0}, {"epochs": "320"}]
    with Path("log.jsonl").open("a", encoding="utf-8") as log:
        log.writelines(json.dumps(line | other) + "\n" for other in ({}, *others, {"epochs": 312, "cost": None}))
        log.write('[1]\n{"training": 1, "epo')
    after = look_at("run")
    assert after.costs == [*view.costs, (310, 0.5)]
    assert after.held_out == [*view.held_out, (310, 0.25), (312, 0.25)]
    assert key_of("run") != key
    with Path("log.jsonl").open("a", encoding="utf-8") as log:
        log.write("\n" + json.dumps(line | {"epochs": 305, "cost": 0.75}) + "\n")  # started again before 310
    assert look_at("run").costs == [*view.costs, (305, 0.75)]


def test_a_run_in_a_row():
    run = KnownRun("a", "train", "stopped", 2, 1200, 5000, 0.123456, age=7300)
    assert run.shown() == ("a", "train", "stopped", "2", "1,200 of 5,000", "0.1235", "2 h ago")
    assert KnownRun("a", "train", "damaged").shown() == ("a", "train", "damaged", "0", "", "", "")


def test_the_description_of_a_run_can_be_read_by_people(tmp_path):
    write_run(tmp_path, {"call": {"function": "train"}, "state": "running", "source": "Äpfel.csv"})
    assert "Äpfel.csv" in (tmp_path / "run.json").read_text("utf-8")
    assert read_run(tmp_path)["source"] == "Äpfel.csv"
    damaged = (tmp_path / "run.json").read_bytes().replace(b"running", b"stopped")
    (tmp_path / "run.json").write_bytes(damaged)
    with pytest.raises(bp.InputError, match="is not what backpath wrote there"):
        read_run(tmp_path)
