"""Worked-example files: their content is read exactly, and each error is one line."""

import copy
import json
from pathlib import Path

import numpy as np
import pytest

import backpath as bp
from backpath.errors import InputError
from backpath.files.worked_examples import read_worked_example

CASES = Path(__file__).parents[1] / "cases"
GOOD = {
    "network": {
        "sizes": [2, 1],
        "activations": "sigmoid",
        "weights": {"W11_1": 0.1, "W12_1": 0.2, "W1~_1": 0.3},
    },
    "x": [[0, 1]],
    "y": [[1]],
    "learning_rate": 0.5,
    "claimed": {"gradients": {"W11_1": "0.01"}, "weights": {"W12_1": 0.25}, "values": {"u_A1": "0.5", "cost": "0.1"}},
}


def test_the_published_example_is_read_as_it_is_printed():
    example = read_worked_example(CASES / "mazur.json")
    assert example.source.startswith("M. Mazur")
    assert example.network.sizes == (2, 2, 2)
    assert example.network["W21_2"] == 0.50
    np.testing.assert_array_equal(example.x, [[0.05, 0.10]])
    np.testing.assert_array_equal(example.y, [[0.01, 0.99]])
    assert (example.cost, example.learning_rate, example.frozen) == ("half_squared_error", 0.5, ("biases",))
    assert example.gradients == {"W11_2": "0.082167041", "W11_1": "0.000438568"}
    assert example.values["A1"] == "0.751365070"  # the last zero is a digit
    assert len(example.weights) == 8


def test_fields_that_may_be_left_out_have_the_notes_defaults(tmp_path):
    text = {"network": {"sizes": [1, 1], "weights": {"W11_1": 1, "W1~_1": 0}}, "x": [1], "y": [1]}
    example = read_worked_example(written(tmp_path, text))
    assert (example.source, example.cost, example.learning_rate, example.frozen) == ("", "squared_error", None, ())
    assert example.network.activations == ("sigmoid",)
    assert example.x.shape == (1, 1)
    assert not (example.gradients or example.weights or example.values)


def test_a_weight_goes_by_either_of_its_names(tmp_path):
    text = changed(lambda t: t["claimed"]["gradients"].update({"W1,2_1": "0.02"}))
    assert read_worked_example(written(tmp_path, text)).gradients == {"W11_1": "0.01", "W12_1": "0.02"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.pop("x"), "the file lacks the field 'x'"),
        (lambda t: t.update(learning_rat=1), "the file has no field 'learning_rat'; did you mean 'learning_rate'?"),
        (
            lambda t: t["network"].update(layers=3),
            "network has no field 'layers'; expected one of sizes, activations, biases, weights",
        ),
        (lambda t: t["claimed"].update(gradient={}), "claimed has no field 'gradient'; did you mean 'gradients'?"),
        (lambda t: t["claimed"].update(gradients=1), "claimed.gradients must be an object {…}, but is 1"),
        (lambda t: t["network"]["weights"].pop("W12_1"), "network.weights lacks W12_1; every weight needs a number"),
        (
            lambda t: t["network"].update(sizes=[20000, 90000]),
            "network.weights lacks W13_1, W14_1, W15_1, W16_1, W17_1 and 1800089992 more",
        ),
        (lambda t: t["network"]["weights"].update(W13_1=0), "network.weights: the network 2-1 has no weight 'W13_1'"),
        (lambda t: t["network"]["weights"].update({"W1,1_1": 0}), "'W1,1_1' occurs twice, as W11_1 too"),
        (
            lambda t: t["network"]["weights"].update(W11_1="0.1x"),
            'network.weights.W11_1 must be a finite number, or one in quotes as it was printed, but is "0.1x"',
        ),
        (lambda t: t["network"].update(activations="sigmiod"), "unknown activation 'sigmiod'"),
        (lambda t: t["network"].update(activations=3), "network.activations must be a list […], but is 3"),
        (lambda t: t["network"].update(sizes=[2, 0]), "each at least 1, but are (2, 0)"),
        (lambda t: t.update(x=[[0, 1, 2]]), "expected 2 numbers for one input"),
        (lambda t: t.update(x=[[0, 1], [1, 1]]), "y must have shape (2, 1)"),
        (lambda t: t.update(x=[[0, float("nan")]]), "X must be finite"),
        (lambda t: t.update(cost="hinge"), "unknown cost 'hinge'"),
        (lambda t: t.update(learning_rate=-1), "learning_rate must be a number above 0, but is -1"),
        (lambda t: t.update(learning_rate="0.5"), "learning_rate must be a number above 0, but is '0.5'"),
        (lambda t: t.update(frozen=["bias"]), "has no weight 'bias'"),
        (lambda t: t.pop("learning_rate"), "claimed.weights needs the learning rate"),
        (
            lambda t: t["claimed"]["gradients"].update(W12_1=float("nan")),
            "claimed.gradients.W12_1 must be a finite number, or one in quotes as it was printed, but is NaN",
        ),
        (lambda t: t["claimed"]["gradients"].update(W12_1="nan"), 'as it was printed, but is "nan"'),
        (lambda t: t["claimed"]["gradients"].update(W12_1=True), "as it was printed, but is true"),
        (
            lambda t: t["claimed"]["gradients"].update(W15_1="1"),
            "claimed.gradients: the network 2-1 has no weight 'W15_1'",
        ),
        (lambda t: t["claimed"]["values"].update(H1="1"), "claimed.values: the network 2-1 has no neuron 'H1'"),
        (lambda t: t["claimed"]["values"].update(u_X1="1"), "'u_X1' does not exist: an input has no net input"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_that_names_the_file(tmp_path, change, message):
    path = written(tmp_path, changed(change))
    with pytest.raises(InputError) as error:
        read_worked_example(path)
    assert str(error.value).startswith(f"{path}: ")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_malformed_json_is_placed_by_line_and_column(tmp_path):
    path = tmp_path / "broken.json"
    path.write_text('{\n  "x": [[0, 1],\n}')
    with pytest.raises(InputError, match=r"broken\.json, line 3, column 1: not JSON"):
        read_worked_example(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"x": 1, "x": 2}', "the key 'x' occurs twice in one object"),
        (b"[1, 2]", r"the file must be an object \{…\}, but is \[1, 2\]"),
        (b"\xff\xfe", "is not UTF-8 text: byte 1 is not valid"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"x": ' + b"9" * 5000 + b"}", "a number with too many digits"),
    ],
)
def test_files_that_hold_something_else(tmp_path, content, message):
    path = tmp_path / "other.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message):
        read_worked_example(path)


def test_a_file_that_is_not_there():
    with pytest.raises(InputError, match=r"^there is no file nowhere\.json; check the path$"):
        read_worked_example("nowhere.json")


def changed(change):
    text = copy.deepcopy(GOOD)
    change(text)
    return text


def written(folder, text):
    path = folder / "example.json"
    path.write_text(json.dumps(text))
    return path


def test_a_network_without_biases(tmp_path):
    weights = {"W11_1": 0.9, "W12_1": 0.3, "W21_1": 0.1, "W22_1": 0.5, "W11_2": 0.8, "W12_2": 0.7}
    path = tmp_path / "case.json"
    for network in (
        {"sizes": [2, 2, 1], "weights": weights},
        {"sizes": [2, 2, 1], "weights": weights, "biases": False},
    ):
        path.write_text(json.dumps({"network": network, "x": [[1, 0]], "y": [[1]]}))
        assert read_worked_example(path).network == bp.Network.from_weights([[[0.9, 0.3], [0.1, 0.5]], [[0.8, 0.7]]])
    for biases, message in ((True, "lacks W1~_1, W2~_1, W1~_2"), ("no", "network.biases must be true or false")):
        network = {"sizes": [2, 2, 1], "weights": weights, "biases": biases}
        path.write_text(json.dumps({"network": network, "x": [[1, 0]], "y": [[1]]}))
        with pytest.raises(bp.InputError, match=message):
            read_worked_example(path)


def test_strings_keep_their_digits_and_claims_may_be_lists(tmp_path):
    path = tmp_path / "case.json"
    weights = {"W11_1": "0.50", "W1~_1": 0.1}
    found = {"network": {"sizes": [1, 1], "weights": weights}, "x": [["2.0"]], "y": [[1]]}
    path.write_text(json.dumps(found | {"claimed": {"gradients": [[["0.1", "0.2"]]]}}))
    read = read_worked_example(path)
    assert [u.tolist() for u in read.network.printed] == [[[0.01, 0.0]]]
    assert (read.x.tolist(), read.samples[0]) == ([[2.0]], [["2.0"]])
    assert read.gradients == [[["0.1", "0.2"]]]
    path.write_text(json.dumps(found | {"x": [["two"]]}))
    with pytest.raises(bp.InputError, match="x must be a finite number, or one in quotes as it was printed"):
        read_worked_example(path)
