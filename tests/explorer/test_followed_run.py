"""A run that is trained elsewhere is shown live: its network, curve and state."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from playwright.sync_api import expect

import backpath as bp
from backpath.errors import InputError
from backpath.explorer.followed_run import FollowedRun
from backpath.training.run_views import look_at
from explorer.looking import press, stop, tab
from explorer.talk import Page, served

X, Y = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0.0, 1, 1, 0])
NET = bp.Network((2, 3, 1), activations=("tanh", "sigmoid"), seed=3)


def trained(folder, epochs, net=NET, **options):
    """A run of this many epochs, which resumes."""
    return bp.train(net, X, Y, epochs=epochs, checkpoint=folder, every=10, learning_rate=0.3, **options)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"engine": "numpy"},
        {"solver": "adam", "batch_size": 2, "shuffle": True},
        {"solver": "lm", "learning_rate": None},
        {"restarts": 3},
        {"net": bp.Network((2, 3, 1), biases=False, seed=1)},
        {"net": bp.Network((2, 3, 1), dtype="float32", seed=1)},
    ],
    ids=str,
)
def test_what_is_seen_is_what_was_trained(tmp_path, options):
    result = trained(tmp_path / "run", 40, **options) if "learning_rate" not in options else bp.train(
        NET, X, Y, epochs=40, checkpoint=tmp_path / "run", every=10, solver="lm"
    )  # fmt: skip
    found = look_at(tmp_path / "run")
    assert found.epoch == result.epochs and found.run.state == "finished"
    for seen, wanted in zip(found.network.weights, result.network.weights, strict=True):
        np.testing.assert_array_equal(seen, wanted)
    assert [epoch for epoch, _ in found.costs] == list(range(1, result.epochs + 1))
    np.testing.assert_array_equal([cost for _, cost in found.costs], result.history.cost)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("solver", ["adam", "lbfgs", "lm"])
def test_an_estimators_run(tmp_path, solver):
    fitted = bp.MLPRegressor(
        hidden_layer_sizes=(3,), max_iter=30, solver=solver, random_state=0, checkpoint=tmp_path / "run", every=10
    )
    fitted.fit(X, Y)
    found = look_at(tmp_path / "run")
    np.testing.assert_array_equal(found.network.weights[0], fitted.network_.weights[0])
    np.testing.assert_array_equal([cost for _, cost in found.costs], fitted.loss_curve_)


def test_the_log_goes_on_where_the_checkpoint_ends(tmp_path):
    """As a process writes it that is killed later: the folder knows where the log is."""
    command = ["train", "xor", "--hidden", "2", "--epochs", "300", "--checkpoint", "run", "--every", "100"]
    command = [sys.executable, "-m", "backpath", *command, "--log", "log.jsonl", "--quiet"]
    subprocess.run(command, check=True, cwd=tmp_path, capture_output=True)
    before = look_at(tmp_path / "run")
    with (tmp_path / "log.jsonl").open("a") as log:
        for epochs, cost in ((310, 0.5), (320, 0.4), (315, 0.3), (330, float("nan"))):
            log.write(f'{{"time": 9e9, "training": 1, "epochs": {epochs}, "cost": {cost}, "validation_cost": null}}\n')
        log.write('{"time": 9e9, "training": 2, "epochs": 340, "cost": 0.1}\n{"time": 1, "training": 1, "epochs": 350')
    after = look_at(tmp_path / "run")
    assert after.costs == [*before.costs, (310, 0.5), (315, 0.3)] and after.epoch == before.epoch == 300


def test_folders_that_cannot_be_shown(tmp_path):
    with pytest.raises(InputError, match="does not contain a run; give the folder of train --checkpoint"):
        FollowedRun(str(tmp_path))
    population = bp.Population((2, 2, 1), size=4, seed=0)
    bp.train_population(population, X, Y, epochs=10, checkpoint=tmp_path / "many", every=5)
    with pytest.raises(InputError, match="trains many networks side by side, but only one can be shown"):
        FollowedRun(str(tmp_path / "many"))
    trained(tmp_path / "run", 20)
    for file in (tmp_path / "run").glob("*.checkpoint"):
        file.unlink()
    with pytest.raises(InputError, match="has no checkpoint yet"):
        FollowedRun(str(tmp_path / "run"))


@pytest.mark.filterwarnings("ignore:epochs was")
def test_a_page_follows_until_something_is_changed_on_it(tmp_path):
    trained(tmp_path / "run", 20)
    with served("--run", tmp_path / "run") as server, Page(server) as page:
        assert page.view["run"] == "run: finished, epoch 20 of 20"
        assert page.view["data"]["typed"] and "no samples to train on" in page.error("train")
        assert len(page.view["history"]["cost"]) == 20
        page.ok("sample", x=[1, 0.5], y=[1])
        result = trained(tmp_path / "run", 60)
        while (view := page.event("view")["view"])["history"]["epoch"] < 60:
            pass
        assert [weight["value"] for weight in view["weights"]] == [v for W in result.network.weights for v in W.ravel()]
        assert view["sample"]["x"] == [1, 0.5] and len(view["history"]["cost"]) == 60
        view = page.ok("weight", name="W11_1", value=5)
        assert view["run"] == "run: changed here; reset to follow the run again"
        trained(tmp_path / "run", 80)
        with Page(server) as other:  # a new page shows the run's newest state
            while other.view["history"]["epoch"] < 80:
                other.view = other.event("view")["view"]
        assert page.ok("sample", index=0)["weights"][0]["value"] == 5
        page.events.clear()
        page.ok("reset")
        assert page.event("view")["view"]["history"]["epoch"] == 80


@pytest.mark.slow
@pytest.mark.browser
def test_the_page_of_a_run_on_a_table(chromium, tmp_path):
    (tmp_path / "t.csv").write_text("size,price\n" + "".join(f"{k},{k * k % 17}\n" for k in range(60)))
    command = [
        sys.executable,
        "-m",
        "backpath",
        "train",
        "t.csv",
        "--target",
        "price",
        "--hidden",
        "3",
        "--epochs",
        "8",
    ]
    command += ["--checkpoint", "run", "--every", "4", "--quiet"]
    subprocess.run(command, check=True, cwd=tmp_path, capture_output=True)
    with served("--run", tmp_path / "run") as server:
        page = chromium.new_context().new_page()
        page.goto(server.url)
        page.wait_for_selector("html[data-ready]")
        expect(page.locator("#about")).to_contain_text("run: finished, training")
        tab(page, "Data")
        expect(page.locator("#data-note")).to_contain_text("Here the inputs are prepared with all rows of the table")
        expect(page.locator("#rows")).to_contain_text("price")
        press(page, "Train")
        expect(page.locator("#about")).to_contain_text("changed here; reset to follow the run again", timeout=20_000)
        stop(page)
        page.context.close()
