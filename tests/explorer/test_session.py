"""A learner's session over its websocket, with a real server: the step, derivations, Undo, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

import backpath as bp
from explorer.talk import network_of

X, Y = [[0, 0], [0, 1], [1, 0], [1, 1]], [[0], [1], [1], [0]]


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
            assert "<math" in step["formulas"][0]["rows"][0][0]
    assert seen["u_H1"] == run["u_H1"]
    assert seen["A1"] == run["A1"]
    assert seen["C"] == net.cost([0, 1], [1])
    assert seen["gradient W22_1"] == gradient["W22_1"]
    assert seen["delta_H2"] == gradient["W2~_1"]  # what the bias weight multiplies is 1
    after = net.step([0, 1], [1], learning_rate=rate)
    assert network_of(page.ok("pause")) == after
    assert seen["new W12_2"] == after["W12_2"]


def test_the_parts_of_a_step_are_in_order(page):
    assert page.error("step", **{"pass": "Update"}) == "Update is not possible yet: Forward comes next, with H1"
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
    """Every number beside the picture occurs with the same digits in the step that explain writes out."""
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
    assert [factor["places"] for factor in found["factors"]] == [["A1", "C"], ["A1"], ["W12_2"], ["H2"], ["X1"]]
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


def test_a_surface_goes_with_its_network_only(page):
    """The surface over one of two inputs; then with a single input, and with two again."""
    page.ok("surface", axes=["X1", "X2"])
    page.ok("set", dataset="sine")
    page.ok("train", speed="max")
    assert "surface" not in page.event("frame")
    page.ok("pause")
    page.ok("undo")
    page.ok("undo")
    page.events.clear()
    page.ok("train", speed="max")
    assert page.event("frame")["surface"]["axes"] == ["X1", "X2"]


def test_a_neurons_formula(page):
    found = page.ok("neuron", name="H2")
    run = network_of(page.view).forward([0, 1])
    assert found["values"]["u_H2"]["value"] == run["u_H2"]
    assert found["values"]["delta_H2"]["value"] == network_of(page.view).gradients([0, 1], [1])["W2~_1"]
    assert [formula["title"] for formula in found["formulas"]][:2] == ["Forward", "With numbers"]
    assert page.error("neuron", name="H3").startswith("the network 2-2-1 has no neuron 'H3'")


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


def test_the_curve_of_one_input(page):
    page.ok("set", dataset="sine")
    curve = page.ok("surface")["curve"]
    net = network_of(page.ok("pause"))
    np.testing.assert_allclose(curve["y"], net.predict(np.array(curve["x"])[:, None]).ravel(), rtol=1e-12)


@pytest.mark.parametrize(
    ("typed", "value"), [("1,5", 1.5), ("1/4", 0.25), ("\N{MINUS SIGN}0.2", -0.2), (" .5 ", 0.5), ("-1/4", -0.25)]
)
def test_numbers_are_read_as_people_type_them(page, typed, value):
    assert page.ok("weight", name="W11_1", value=typed)["weights"][0]["value"] == value
    right = network_of(page.view).gradients([[0, 1]], [[1]])
    mine = f"{right['W12_1']:.4f}"
    for figure in (mine, mine.replace(".", ","), mine.replace("-", "\N{MINUS SIGN}")):
        page.ok("undo")
        assert page.ok("check", claimed={"W12_1": figure}, kind="gradients")["correct"] is True
        page.ok("weight", name="W11_1", value=typed)


@pytest.mark.parametrize("typed", ["abc", "1/0", "1,000.5", "1_000", "0x10", "", "nan", "1/2/0", "--1"])
def test_what_is_no_number_is_refused_in_one_line(page, typed):
    assert "must be a finite number, but is" in page.error("weight", name="W11_1", value=typed)
    assert "the figure for W11_1 must be a number" in page.error("check", claimed={"W11_1": typed}, kind="gradients")
