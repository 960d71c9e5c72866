"""What comes into a session and leaves it: tables, models, links."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.talk import Page

X, Y = [[0, 0], [0, 1], [1, 0], [1, 1]], [[0], [1], [1], [0]]


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
        ([], "state must have the fields of a link of this page"),
        ({"sizes": [2, 10**9, 1]}, "a layer's size must be a whole number from 1 to 1,000,000, but is '1000000000'"),
        (
            {"sizes": [2, 256, 256, 1]},
            "the explorer shows networks of up to 20,000 weights, but these sizes have 66,817",
        ),
        ({"sizes": [3, 2, 1]}, "the data have 2 inputs and 1 outputs, but the sizes begin with 3 and end with 1"),
        ({"activations": ["sin", "sigmoid"]}, "unknown activation 'sin'; expected one of sigmoid, tanh"),
        (
            {"cost": "binary_cross_entropy", "activations": ["tanh", "tanh"]},
            "binary_cross_entropy needs sigmoid outputs",
        ),
        ({"weights": [[[1, 2, 3]]]}, "weights must hold a list of rows for each of the 2 layers"),
        ({"weights": [[["x", 2, 3], [1, 2, 3]], [[1, 2, 3]]]}, "layer 1's weights, row 1, number 1 must be a finite"),
        ({"dataset": "../etc"}, "unknown data set '../etc'; expected one of and, or"),
        (
            {"dataset": "flowers.csv", "uploaded": True},
            "this state uses the table 'flowers.csv', which a link does not",
        ),
        ({"sample": 10**9}, "the sample's number must be a whole number from 0 to 3"),
        ({"colour": 1}, "the state has no 'colour'; expected one of sizes"),
        ({"learning_rate": 1e999}, "a message must be a JSON object"),
        ({"seed": -1}, "the seed must be a whole number from 0"),
        ({"init": "uniform:1,0"}, "unknown init 'uniform:1,0'"),
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


def test_a_table_is_learned_from(page, server):
    rows = "".join(f"{k % 7},{k % 3},{'red' if k % 7 > 3 else 'blue'}\n" for k in range(60))
    answer = server.post("/data", page.session, f"size,<b>count</b>,colour\n{rows}".encode(), "flowers.csv")
    assert "error" not in answer.json()
    columns = ["size", "<b>count</b>", "colour"]
    assert answer.json() == {"columns": columns, "target": "colour", "rows": 60, "kept": False}
    view = page.event("view")["view"]
    assert view["data"]["name"] == "flowers.csv"
    assert view["labels"] == {"X1": "size", "X2": "<b>count</b>", "A1": "colour = red"}
    assert view["data"]["X"][0] != view["data"]["X"][1]
    assert np.mean(view["data"]["X"], axis=0) == pytest.approx([0, 0], abs=1e-12)
    assert [y for (y,) in view["data"]["y"]] == [float(k % 7 > 3) for k in range(60)]  # the file's order
    page.ok("train", speed="max", epochs=300)
    assert page.event("stopped")["view"]["cost"] < 0.1
    found = page.ok("derive", weight="W12_1")
    assert found["factors"][-1]["meaning"] == "the input X2 (<b>count</b>); in the table <b>count</b> = 0"
    assert all("<b>" not in formula["mathml"] for formula in found["formulas"])
    assert "<b>" not in server.get("/step", params={"session": page.session}).text
    state = page.ok("pause")["state"]
    assert (state["dataset"], state["uploaded"]) == ("flowers.csv", True)


@pytest.mark.parametrize(
    ("raw", "line"),
    [
        (b"", "t.csv is empty; expected a header line and rows"),
        (b"a,b\n1,2\n3,x\n4,5\n", "t.csv, line 3, column 'b': expected a finite number, but found 'x'"),
        (b"a,b\n1,2\n3,\n", "t.csv, column 'b': the target is 2 in every row"),
        (b"a,a\n1,2\n", "t.csv"),
        (b"a,b\n1,2,3\n", "t.csv"),
        (b"a,b\n1,nan\n2,3\n", "t.csv, column 'b': the target is 3 in every row"),
        (b"PAR1....", "t.csv cannot be read as Parquet: the file is damaged or truncated"),
        (b"\x00\x01\x02", "t.csv"),
        (b"\xff\xfe\xfa\n1\n", "t.csv"),
        (b",".join(b"c%d" % k for k in range(100_000)) + b"\n" + b",".join([b"1"] * 100_000), "t.csv"),
    ],
)
def test_a_bad_table_is_refused_as_on_the_command_line(page, server, raw, line):
    answer = server.post("/data", page.session, raw, "t.csv")
    error = answer.json()["error"]
    assert line in error  # the widest may be refused for its memory
    assert "\n" not in error
    assert "/" not in error.partition("(")[0] or "tmp" not in error
    assert page.ok("pause")["data"]["name"] == "xor"


def test_a_model_is_saved_and_opened(page, server):
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
