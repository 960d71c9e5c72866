"""A saved model opens with what it was trained on, or says that it comes without."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from playwright.sync_api import expect

import backpath as bp
from backpath.errors import InputError
from backpath.explorer.first_scene import first_scene
from backpath.explorer.saved_scene import kept_samples, kept_scene, restored
from backpath.explorer.scene import Scene
from backpath.explorer.turns import Run
from backpath.files.models import Model
from explorer.looking import tab
from explorer.talk import Page, served

ROWS = [(k % 9 + 0.5, "gas" if k % 3 else "oil", 100 + 7 * (k % 9) + 20 * (k % 3 == 0)) for k in range(60)]
TABLE = "size,fuel,price\n" + "".join(f"{size},{fuel},{price}\n" for size, fuel, price in ROWS)


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    """A folder with a table and the model that was trained on it."""
    folder = tmp_path_factory.mktemp("house")
    (folder / "prices.csv").write_text(TABLE)
    command = ["train", str(folder / "prices.csv"), "--target", "price", "--hidden", "3", "--epochs", "5", "--quiet"]
    command = [sys.executable, "-m", "backpath", *command, "--out", str(folder / "model.safetensors")]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def test_the_model_finds_its_table(house, tmp_path):
    scene = first_scene(str(house / "model.safetensors"))
    assert (scene.data.name, scene.data.typed, len(scene.data.X)) == ("prices.csv", False, 60)
    assert scene.network == bp.load_model(house / "model.safetensors").network
    record = bp.load_model(house / "model.safetensors").record
    assert record["table"]["files"] == ["prices.csv"]
    assert TABLE[20:40] not in json.dumps(record)  # a path and a digest, never rows
    moved = tmp_path / "elsewhere"
    shutil.copytree(house, moved)
    assert first_scene(str(moved / "model.safetensors")).data.name == "prices.csv"


def test_rows_and_targets_are_in_their_own_units(house):
    data = first_scene(str(house / "model.safetensors")).data.for_the_page()
    assert [column["name"] for column in data["columns"]] == ["size", "fuel", "price"]
    assert [(*map(float, cells[:1]), cells[1]) for cells in data["cells"]] == [row[:2] for row in ROWS]
    assert list(map(float, data["targets"])) == [row[2] for row in ROWS]


@pytest.mark.parametrize("what", ["gone", "changed"])
def test_without_its_table_it_says_so_and_takes_a_row(house, tmp_path, what):
    shutil.copytree(house, tmp_path / "x")
    table = tmp_path / "x" / "prices.csv"
    table.unlink() if what == "gone" else table.write_text(TABLE + "1,gas,3\n")
    model = tmp_path / "x" / "model.safetensors"
    with served(model) as server, Page(server) as page:
        assert page.view["data"]["typed"]
        assert ("does not exist" if what == "gone" else "has changed since") in page.view["data"]["note"]
        assert "no samples to train on" in page.error("train")
        view = page.ok("row", cells=["2.5", "oil", "141"])
        saved = bp.load_model(model)
        x = np.array(view["sample"]["x"])
        assert view["data"]["cells"] == [["2.5", "oil"]] and view["data"]["targets"] == ["141"]
        assert view["cost"] == pytest.approx(float(saved.network.cost(x, view["sample"]["y"], saved.record["cost"])))
        assert "must be one of 'gas', 'oil'" in page.error("row", cells=["1", "wood", ""])
        before = page.ok("step", **{"pass": "Forward", "unit": "all"})["weights"]
        answer = server.post("/data", page.session, TABLE.encode(), name="again.csv").json()
        assert answer["kept"] and answer["rows"] == 60
        after = page.event("view")["view"]
        other = TABLE.replace("fuel", "kind").encode()
        assert server.post("/data", page.session, other).json()["lacking"] == ["fuel"]  # a new network
        assert page.event("view")["view"]["weights"] != before and page.ok("undo")["weights"] == before
        assert after["weights"] == before and not after["data"]["typed"]
        page.ok("train", epochs=2)


def test_a_table_that_is_given_keeps_the_model(house, tmp_path):
    other = tmp_path / "other.csv"
    other.write_text("price;fuel;size;more\n150;oil;2.5;x\n120;wood;1.5;y\n;gas;3;z\n130;gas;many;u\n")
    scene = first_scene(str(house / "model.safetensors"), str(other))
    assert scene.network == bp.load_model(house / "model.safetensors").network
    assert scene.data.for_the_page()["targets"] == ["150", "120"]  # without the rows whose cells cannot be used
    assert scene.data.for_the_page()["cells"][1] == ["1.5", "unknown"]
    assert scene.data.note == "Left out 2 rows that the model cannot use."
    with pytest.raises(InputError, match="has no column 'size'"):
        wrong = tmp_path / "wrong.csv"
        wrong.write_text("a,b\n1,2\n2,3\n")
        first_scene(str(house / "model.safetensors"), str(wrong))


def test_a_table_alone(house):
    assert first_scene(None, str(house / "prices.csv")).data.labels((3, 8, 1))["A1"] == "price"
    assert first_scene(None, str(house / "prices.csv"), "fuel").settings.cost == "binary_cross_entropy"


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
@pytest.mark.parametrize("kind", ["classifier", "regressor"])
def test_an_estimator_keeps_its_cost_and_names(tmp_path, kind):
    X = np.random.default_rng(0).normal(size=(60, 2))
    if kind == "classifier":
        fitted = bp.MLPClassifier((3,), max_iter=5).fit(X, np.array(["a", "b", "c"])[(X[:, 0] > 0) + (X[:, 1] > 1) * 1])
        wanted = "categorical_cross_entropy", {"A1": "a", "A2": "b", "A3": "c"}
    else:
        fitted = bp.MLPRegressor(hidden_layer_sizes=(3,), max_iter=5).fit(X, X[:, 0])
        wanted = "half_squared_error", {}
    bp.save(fitted, tmp_path / "model")
    scene = first_scene(str(tmp_path / "model"))
    labels = scene.data.labels(scene.settings.sizes)
    assert (scene.settings.cost, {k: v for k, v in labels.items() if k[0] == "A"}) == wanted
    assert scene.network.weights[0] == pytest.approx(fitted.network_.weights[0])


def test_a_bare_network_of_softmax_has_the_cost_that_goes_with_it(tmp_path):
    bp.save(bp.Network((2, 3, 3), activations=("tanh", "softmax")), tmp_path / "model")
    assert first_scene(str(tmp_path / "model")).settings.cost == "categorical_cross_entropy"


@pytest.mark.parametrize("solver", ["lm", "lbfgs", "adamw"])
def test_a_model_of_a_solver_that_the_page_has_not_is_trained_further(house, solver):
    table = first_scene(None, str(house / "prices.csv")).data
    net = bp.Network((3, 2, 1), activations=("tanh", "identity"), seed=0)
    record = {"solver": solver, "learning_rate": 0.0, "cost": "half_squared_error", "batch_size": 10_000}
    scene = Scene.of_model(Model(net, table.preparation, record), table)
    assert (scene.settings.solver, scene.settings.learning_rate) == ("adam", 0.01)  # Adam's usual rate
    assert Run(scene).turn(0.01, 50).costs[-1] < scene.cost
    with pytest.raises(InputError, match="unknown solver 'lm'"):
        scene.settings.changed({"solver": "lm"})


def test_a_model_without_samples_is_kept_with_its_row(house, tmp_path):
    shutil.copy(house / "model.safetensors", tmp_path)
    scene = first_scene(str(tmp_path / "model.safetensors"))
    found = restored({"scene": kept_scene(scene), "data": kept_samples(scene)})
    assert found.data.typed and found.data.note == scene.data.note and found.network == scene.network


@pytest.mark.browser
def test_the_page_of_a_model_without_samples(chromium, house, tmp_path):
    shutil.copy(house / "model.safetensors", tmp_path)
    with served(tmp_path / "model.safetensors") as server:
        page = chromium.new_context().new_page()
        page.goto(server.url)
        page.wait_for_selector("html[data-ready]")
        expect(page.get_by_role("button", name="Train", exact=True)).to_be_disabled()
        expect(page.locator("#data-note")).to_contain_text("comes without samples")
        page.get_by_label("size", exact=True).fill("2,5")
        page.locator("#row-cells select").first.select_option("oil")
        page.get_by_role("button", name="Use this row for the step").click()
        expect(page.locator("#sample")).to_have_value("0")
        page.get_by_label("Table file").set_input_files(
            {"name": "p.csv", "mimeType": "text/csv", "buffer": TABLE.encode()}
        )
        expect(page.locator("#upload-state")).to_contain_text("the model stays", timeout=20_000)
        expect(page.get_by_role("button", name="Train", exact=True)).to_be_enabled()
        tab(page, "Chain rule")
        page.locator('[data-weight="W11_1"]').click()
        expect(page.locator("#derivation")).to_contain_text("size")
        page.context.close()
