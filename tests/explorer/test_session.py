"""A learner's session over its websocket, with a real server: the story, edits, uploads, and what is refused."""

from __future__ import annotations

import base64
import itertools
import time

import numpy as np
import pytest

import backpath as bp
from explorer.talk import Page, served

X, Y = [[0, 0], [0, 1], [1, 0], [1, 1]], [[0], [1], [1], [0]]


@pytest.fixture(scope="module")
def server():
    with served() as running:
        yield running
        assert not running.errors  # no traceback, whatever the tests have sent


@pytest.fixture
def page(server):
    with Page(server) as opened:
        opened.ok("sample", index=1)
        yield opened


def network_of(view):
    """The network that a view shows."""
    sizes, values = view["state"]["sizes"], iter([weight["value"] for weight in view["weights"]])
    shapes = [(n, before + 1) for before, n in itertools.pairwise(sizes)]
    weights = [[[next(values) for _ in range(columns)] for _ in range(rows)] for rows, columns in shapes]
    return bp.Network.from_weights(weights, view["state"]["activations"])


def test_the_first_view_is_the_notes_network_on_xor(page):
    view = page.view
    assert view["layers"] == [["X1", "X2"], ["H1", "H2"], ["A1"]]
    assert [w["name"] for w in view["weights"]] == list(bp.Network((2, 2, 1)).weight_names)
    assert (view["weights"][2]["from"], view["weights"][2]["to"]) == ("1", "H1")
    assert (view["data"]["X"], view["data"]["y"]) == (X, Y)
    assert view["cost"] == network_of(view).cost(X, Y)


def test_a_step_by_hand_is_the_librarys_step(page):
    """Forward and backward neuron by neuron, then the update: the values are the library's, and so is the end."""
    net, rate = network_of(page.view), page.view["state"]["learning_rate"]
    run, gradient = net.forward([0, 1]), net.gradients([0, 1], [1])
    seen = {}
    for passing, turns in (("Forward", 4), ("Backward", 3), ("Update", 3)):
        for _ in range(turns):
            step = page.ok("step", **{"pass": passing, "unit": "neuron"})["step"]
            seen |= {name: value["value"] for name, value in step["values"].items()}
            assert "<math" in step["formula"]
    assert seen["u_H1"] == run["u_H1"]
    assert seen["A1"] == run["A1"]
    assert seen["C"] == net.cost([0, 1], [1])
    assert seen["gradient W22_1"] == gradient["W22_1"]
    assert seen["delta_H2"] == gradient["W2~_1"]  # what the bias weight multiplies is 1
    after = net.step([0, 1], [1], learning_rate=rate)
    assert network_of(page.ok("pause")) == after
    assert seen["new W12_2"] == after["W12_2"]


def test_the_parts_of_a_step_come_in_their_order(page):
    assert page.error("step", **{"pass": "Update"}) == "Update has to wait: Forward comes next, with H1"
    step = page.ok("step", **{"pass": "Forward", "unit": "layer"})["step"]
    assert set(step["values"]) == {"u_H1", "H1", "u_H2", "H2"}
    assert step["next"] == {"Forward": "A1", "Backward": None, "Update": None}
    step = page.ok("step", **{"pass": "Forward", "unit": "all"})["step"]
    assert (step["phase"], step["at"], step["next"]["Backward"]) == ("forward", "C", "A1")


def test_values_of_the_step_before_stay_visible(page):
    for passing in ("Forward", "Backward", "Update"):
        last = page.ok("step", **{"pass": passing})["step"]
    again = page.ok("step", **{"pass": "Forward", "unit": "neuron"})["step"]
    assert again["previous"] == last["values"]
    assert set(again["values"]) == {"u_H1", "H1"}


def test_the_text_of_a_value_is_the_explanations(page):
    """Every number beside the picture stands in the step that explain writes out, in the same digits."""
    for passing in ("Forward", "Backward", "Update"):
        values = page.ok("step", **{"pass": passing})["step"]["values"]
    printed = str(bp.explain_step(network_of(page.view), [0, 1], [1], learning_rate=2.0))
    for name, value in values.items():
        if name.startswith(("gradient", "new", "H", "A", "C")):
            assert f"= {value['text']}\n" in printed or f" {value['text']}\n" in printed, name
        elif name.startswith("u_"):
            assert f"σ({value['text']})" in printed, name


def test_a_batch_steps_as_the_notes_matrices_do(page):
    page.ok("sample", batch=True)
    net = network_of(page.view)
    for passing in ("Forward", "Backward", "Update"):
        view = page.ok("step", **{"pass": passing})
    assert view["step"]["values"]["gradient W11_1"]["value"] == net.gradients(X, Y)["W11_1"]
    assert network_of(view) == net.step(X, Y, learning_rate=2.0)
    assert view["history"]["cost"] == [net.cost(X, Y)]


def test_a_derivation_leads_to_its_places(page):
    found = page.ok("derive", weight="W21_1")
    assert [factor["places"] for factor in found["factors"]] == [["A1"], ["A1"], ["W12_2"], ["H2"], ["X1"]]
    assert np.prod([factor["value"] for factor in found["factors"]]) == pytest.approx(found["gradient"]["value"])
    assert found["paths"][0]["neurons"] == ["A1", "H2", "X1"]
    assert all(" style=" not in formula["mathml"] for formula in found["formulas"])
    page.ok("set", sizes=[2, 3, 3, 1])
    deep = page.ok("derive", weight="W11_1")
    assert sum(path["value"] for path in deep["paths"]) == pytest.approx(deep["gradient"]["value"])
    assert len(deep["paths"]) == deep["path_count"] == 3
    page.ok("sample", batch=True)
    net = network_of(page.ok("pause"))
    assert page.ok("derive", weight="W11_1")["gradient"]["value"] == net.gradients(X, Y)["W11_1"]


def test_a_neurons_formula(page):
    found = page.ok("neuron", name="H2")
    run = network_of(page.view).forward([0, 1])
    assert found["values"]["u_H2"]["value"] == run["u_H2"]
    assert found["values"]["delta_H2"]["value"] == network_of(page.view).gradients([0, 1], [1])["W2~_1"]
    assert [formula["title"] for formula in found["formulas"]][:2] == ["Forward", "With numbers"]
    assert page.error("neuron", name="H3").startswith("the network 2-2-1 has no neuron 'H3'")


def test_training_is_the_librarys_training(page):
    page.ok("train", speed="max", epochs=3000)
    stopped = page.event("stopped")
    assert (stopped["why"], stopped["view"]["history"]["epoch"]) == ("epochs", 3000)
    result = bp.train(network_of(page.view), X, Y, epochs=3000, learning_rate=2.0)
    for mine, theirs in zip(network_of(stopped["view"]).weights, result.network.weights):
        np.testing.assert_allclose(mine, theirs, rtol=1e-9)  # one of them may have been computed by NumPy
    history = stopped["view"]["history"]
    shown = [result.history.cost[epoch - 1] for epoch in history["epochs"]]
    np.testing.assert_allclose(history["cost"], shown, rtol=1e-9)
    assert len(history["cost"]) <= 2000


def test_frames_come_and_pausing_ends_them(page):
    page.ok("surface", resolution=16)
    page.ok("train", speed=200)
    frames = [page.event("frame") for _ in range(10)]
    assert [frame["epoch"] for frame in frames] == sorted({frame["epoch"] for frame in frames})
    assert len(frames[-1]["weights"]) == 9
    assert len(base64.b64decode(frames[-1]["surface"]["values"])) == 16 * 16 * 4
    assert 100 < frames[-1]["epochs_per_second"] < 400
    view = page.ok("pause")
    assert page.event("stopped")["why"] == "paused"
    assert view["running"] is False
    assert page.ok("pause")["weights"] == view["weights"]
    assert not [event for event in page.events[-1:] if event["event"] == "frame"]


def test_the_curve_is_whole_though_frames_are_thinned(page):
    page.ok("train", speed="max", epochs=500_000)
    curve = {}
    while True:
        event = page.read()
        if event.get("event") == "stopped":
            break
        if "costs" in event:
            curve = dict(event["costs"])
        curve |= dict(event.get("new_costs", []))
    history = event["view"]["history"]
    final = dict(zip(history["epochs"], history["cost"]))
    assert len(final) <= 2000
    assert set(curve) <= set(final) or max(curve) < history["epoch"]
    assert all(final[epoch] == cost for epoch, cost in curve.items() if epoch in final)


def test_settings_change_while_it_trains(page):
    page.ok("train", speed="max")
    page.event("frame")
    view = page.ok("set", learning_rate=0.5)
    assert view["running"] is True
    assert view["state"]["learning_rate"] == 0.5
    epoch = page.event("frame")["epoch"]
    assert page.error("set", learning_rate=-1).startswith("the learning rate must be a number above 0")
    page.events.clear()
    assert page.event("frame")["epoch"] > epoch  # a refused change leaves it running
    view = page.ok("set", sizes=[2, 4, 1])
    assert (view["running"], view["history"]["epoch"]) == (False, 0)
    assert page.event("stopped")["why"] == "paused"


def test_divergence_is_told_and_the_last_weights_are_kept(page):
    page.ok("set", activations=["relu", "identity"], learning_rate=50)
    page.ok("train", speed="max")
    stopped = page.event("stopped")
    assert stopped["why"] == "diverged"
    assert stopped["message"].startswith("training diverged in epoch")
    assert all(np.isfinite(weight["value"]) for weight in stopped["view"]["weights"])


def test_scrubbing_and_training_on(page):
    page.ok("train", speed="max", epochs=1000)
    history = page.event("stopped")["view"]["history"]
    middle = history["snapshots"][len(history["snapshots"]) // 2]
    view = page.ok("scrub", epoch=middle)
    assert view["history"]["epoch"] == middle
    assert view["history"]["epochs"] == history["epochs"]  # what came after is still there to see
    expected = bp.train(network_of(page.view), X, Y, epochs=middle or 1, learning_rate=2.0).network
    if middle:
        np.testing.assert_allclose(network_of(view).weights[0], expected.weights[0], rtol=1e-9)
    page.ok("train", speed="max", epochs=10)
    assert page.event("stopped")["view"]["history"]["epoch"] == middle + 10


def test_undo_goes_back_over_steps_edits_and_runs(page):
    first = page.view
    page.ok("weight", name="W11_1", value="0.5")
    page.ok("step", **{"pass": "Forward", "unit": "neuron"})
    page.ok("train", speed="max", epochs=50)
    trained = page.event("stopped")["view"]
    assert trained["history"]["epoch"] == 50
    one, two, three = (page.ok("undo") for _ in range(3))
    assert one["step"]["at"] == "H1"
    assert one["weights"][0]["value"] == 0.5
    assert two["step"]["phase"] == "start"
    assert three["weights"] == first["weights"]
    assert page.error("undo") == "there is nothing to undo"
    again = page.ok("step", **{"pass": "Forward", "unit": "all"})["step"]["values"]
    assert again["A1"]["value"] == network_of(first).forward([0, 1])["A1"]


def test_a_link_brings_back_the_same(page, server):
    page.ok("set", dataset="circle", sizes=[2, 3, 1], seed=7)
    page.ok("train", speed="max", epochs=20)
    page.event("stopped")
    page.ok("sample", index=5)
    here = page.ok("pause")
    with Page(server) as other:
        there = other.ok("open", state=here["state"])
    for key in ("weights", "data", "sample", "cost", "labels"):
        assert there[key] == here[key], key
    assert there["state"] == here["state"]


def test_drawn_points_travel_in_the_link(page, server):
    page.ok("points", X=[[0, 0], [1, 1], [0.5, 0.25]], y=[0, 1, 1])
    state = page.ok("pause")["state"]
    assert state["X"] == [[0, 0], [1, 1], [0.5, 0.25]]
    with Page(server) as other:
        assert other.ok("open", state=state)["data"]["X"] == state["X"]


@pytest.mark.parametrize(
    ("state", "line"),
    [
        ([], "state must hold what a link of this page holds"),
        ({"sizes": [2, 10**9, 1]}, "a layer's size must be a whole number from 1 to 1,000,000, but is '1000000000'"),
        (
            {"sizes": [2, 256, 256, 1]},
            "the explorer shows networks of up to 20,000 weights, but these sizes have 66,817",
        ),
        ({"sizes": [3, 2, 1]}, "the data have 2 inputs and 1 outputs, but the sizes begin with 3 and end with 1"),
        ({"activations": ["sin", "sigmoid"]}, "unknown activation 'sin'; there are sigmoid, tanh"),
        (
            {"cost": "binary_cross_entropy", "activations": ["tanh", "tanh"]},
            "binary_cross_entropy needs sigmoid outputs",
        ),
        ({"weights": [[[1, 2, 3]]]}, "weights must hold a list of rows for each of the 2 layers"),
        ({"weights": [[["x", 2, 3], [1, 2, 3]], [[1, 2, 3]]]}, "layer 1's weights, row 1, number 1 must be a finite"),
        ({"dataset": "../etc"}, "unknown data set '../etc'; there are and, or"),
        (
            {"dataset": "flowers.csv", "uploaded": True},
            "this was made on the table 'flowers.csv', which a link does not",
        ),
        ({"sample": 10**9}, "the sample's number must be a whole number from 0 to 3"),
        ({"colour": 1}, "the state has no 'colour'; there are sizes"),
        ({"learning_rate": 1e999}, "a message must be a JSON object"),
        ({"seed": -1}, "the seed must be a whole number from 0"),
        ({"init": "uniform:1,0"}, "unknown initialisation 'uniform:1,0'"),
    ],
)
def test_a_bad_link_is_one_plain_line(page, state, line):
    if isinstance(state, dict) and state.get("learning_rate") == 1e999:
        page.socket.send('{"id": 1, "do": "open", "state": {"learning_rate": Infinity}}')
        answer = page.event_or_answer()
        assert answer["error"].startswith(line)
    else:
        assert page.error("open", state=state).startswith(line)
    assert page.ok("pause")["weights"] == page.view["weights"]  # nothing was done


@pytest.mark.parametrize(
    "text",
    ["", "null", "[]", "{", "7", '"x"', "[" * 100_000, '{"id": 1}', '{"id": true, "do": "pause"}', '{"do": "pause"}',
     '{"id": 1, "do": "\\ud800"}', '{"id": 1, "do": "__init__"}', '{"id": 1, "do": "derive"}',
     '{"id": 1, "do": "derive", "weight": ["W11_1"]}', '{"id": 1, "do": "check", "claimed": []}',
     '{"id": 1, "do": "weight", "name": "W11_1", "value": NaN}', '{"id": 1, "do": "surface", "resolution": 1e9}',
     '{"id": 1, "do": "surface", "axes": ["H1", "X1"]}', '{"id": 1, "do": "train", "speed": -1}',
     '{"id": 1, "do": "points", "X": [[1, 2, 3]], "y": [1]}', '{"id": 1, "do": "sample", "index": 1.5}',
     '{"id": 1, "do": "step", "pass": "Sideways"}', '{"id": 1, "do": "scrub", "epoch": null}',
     '{"id": 1, "do": "train", "epochs": 0}', '{"id": 1, "do": "sample", "x": [1e300, 1], "y": [1]}',
     '{"id": ' + "9" * 5000 + ', "do": "pause"}'],
)  # fmt: skip
def test_nonsense_is_answered_in_one_line_and_does_no_harm(page, text):
    page.socket.send(text)
    answer = page.event_or_answer()
    assert "\n" not in answer["error"]
    assert "fault" not in answer["error"]
    assert page.ok("pause")["weights"] == page.view["weights"]


def test_bytes_are_no_message(page):
    page.socket.send(b"\x00\xff")
    assert page.event_or_answer()["error"].startswith("a message must be a JSON object")


def test_a_table_is_learned_from(page, server):
    rows = "".join(f"{k % 7},{k % 3},{'red' if k % 7 > 3 else 'blue'}\n" for k in range(60))
    answer = server.post("/data", page.session, f"size,<b>count</b>,colour\n{rows}".encode(), "flowers.csv")
    assert "error" not in answer.json()
    assert answer.json() == {"columns": ["size", "<b>count</b>"], "target": "colour", "rows": 60}
    view = page.event("view")["view"]
    assert view["data"]["name"] == "flowers.csv"
    assert view["labels"] == {"X1": "size", "X2": "<b>count</b>", "A1": "colour = red"}
    assert view["data"]["X"][0] != view["data"]["X"][1]
    assert np.mean(view["data"]["X"], axis=0) == pytest.approx([0, 0], abs=1e-12)
    assert [y for (y,) in view["data"]["y"]] == [float(k % 7 > 3) for k in range(60)]  # the file's order
    page.ok("train", speed="max", epochs=300)
    assert page.event("stopped")["view"]["cost"] < 0.1
    found = page.ok("derive", weight="W12_1")
    assert found["factors"][-1]["meaning"] == "the input X2 (<b>count</b>)"
    assert all("<b>" not in formula["mathml"] for formula in found["formulas"])
    assert "<b>" not in server.get("/step", params={"session": page.session}).text
    state = page.ok("pause")["state"]
    assert (state["dataset"], state["uploaded"]) == ("flowers.csv", True)


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        (b"", "t.csv is empty; expected a header line and rows"),
        (b"a,b\n1,2\n3,x\n4,5\n", "t.csv, line 3, column 'b': expected a finite number, but found 'x'"),
        (b"a,b\n1,2\n3,\n", "t.csv, line 3, column 'b': the cell is blank"),
        (b"a,a\n1,2\n", "t.csv"),
        (b"a,b\n1,2,3\n", "t.csv"),
        (b"a,b\n1,nan\n2,3\n", "t.csv, line 2, column 'b'"),
        (b"PAR1....", "t.csv is a Parquet file; the explorer takes CSV files only"),
        (b"\x00\x01\x02", "t.csv"),
        (b"\xff\xfe\xfa\n1\n", "t.csv"),
        (b",".join(b"c%d" % k for k in range(100_000)) + b"\n" + b",".join([b"1"] * 100_000), "t.csv"),
    ],
)
def test_a_bad_table_is_refused_as_on_the_command_line(page, server, raw, line):
    answer = server.post("/data", page.session, raw, "t.csv")
    error = answer.json()["error"]
    assert error.startswith(line)
    assert "\n" not in error
    assert "/" not in error.partition("(")[0] or "tmp" not in error
    assert page.ok("pause")["data"]["name"] == "xor"


def test_a_model_goes_out_and_comes_in(page, server):
    page.ok("train", speed="max", epochs=30)
    trained = page.event("stopped")["view"]
    raw = server.get("/model", params={"session": page.session}).content
    with Page(server) as other:
        assert server.post("/model", other.session, raw, "m.safetensors").json() == {"sizes": [2, 2, 1]}
        view = other.event("view")["view"]
        assert view["weights"] == trained["weights"]
        assert (view["data"]["name"], view["state"]["learning_rate"]) == ("xor", 2.0)
        answer = server.post("/model", other.session, raw[:-1], "m.safetensors")
        assert answer.json()["error"].startswith("m.safetensors is not a model that can be used")


def test_a_diagnosis_names_the_mistake(page):
    """A learner who forgets σ′ at the hidden neuron."""
    page.ok("sample", x=[0.5, 1], y=[0])
    net = bp.Network.from_weights([[[0.1, -0.2, 0.3], [-0.4, 0.5, -0.6]], [[0.7, -0.8, 0.9]]])
    page.ok("set", weights=[W.tolist() for W in net.weights], activations=["sigmoid", "sigmoid"])
    page.ok("sample", x=[0.5, 1], y=[0])
    mine = {"W11_1": "0.1017", "W21_1": "-0.1163", "W11_2": "0.1562", "W12_2": "0.1237"}
    found = page.ok("check", claimed=mine, kind="gradients")
    assert found["findings"][0]["mistake"] == "missing_hidden_derivative"
    assert found["findings"][0]["where"] == ["H1", "H2"]
    assert " style=" not in found["html"]
    assert 'class="marked"' in found["html"]
    right = {"W11_2": f"{net.gradients([0.5, 1], [0])['W11_2']:.4f}"}
    assert page.ok("check", claimed=right, kind="gradients")["correct"] is True


def test_a_large_network_is_summed_up(page):
    view = page.ok("set", sizes=[2, 64, 64, 1])
    assert (view["drawn"], view["weights"]) == ("summary", [])
    assert [layer["shape"] for layer in view["summary"]] == [[64, 3], [64, 65], [1, 65]]
    assert page.ok("derive", weight="W1,1_1")["path_count"] == 64
    page.ok("train", speed="max")
    assert len(page.event("frame")["summary"]) == 3


def test_the_curve_of_one_input(page):
    page.ok("set", dataset="sine")
    curve = page.ok("surface")["curve"]
    net = network_of(page.ok("pause"))
    np.testing.assert_allclose(curve["y"], net.predict(np.array(curve["x"])[:, None]).ravel(), rtol=1e-12)


def test_a_slow_page_gets_fewer_frames_and_holds_up_nobody(server):
    """A page that reads nothing while it trains: its answers come all the same, and another page's at once."""
    with Page(server) as slow, Page(server) as quick:
        slow.ok("set", dataset="spiral", sizes=[2, 16, 16, 16, 16, 1])
        slow.ok("surface", resolution=64)
        slow.ok("train", speed="max")
        time.sleep(3)
        began = time.monotonic()
        quick.ok("derive", weight="W11_1")
        assert time.monotonic() - began < 2
        epoch = slow.ok("pause")["history"]["epoch"]
        frames = [event["epoch"] for event in slow.events if event["event"] == "frame"]
        assert frames[-1] <= epoch
        assert len(frames) < 3 * 40
