"""``backpath explain`` in real processes."""

import contextlib
import json
import os
import subprocess
import sys

import pytest

import backpath as bp
import oracles
from commands import backpath, done, refused
from terminals import terminal

NOTES = bp.Network.from_weights([[[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], [[0.7, 0.8, 0.9]]])
WEIGHTS = ",".join(f"{name}={NOTES[name]!r}" for name in NOTES.weight_names)
BY_OPTIONS = ("--sizes", "2,2,1", "--weights", WEIGHTS)


@pytest.fixture
def model(tmp_path):
    bp.save(NOTES, tmp_path / "net.safetensors")
    return tmp_path


@pytest.fixture
def mazur(tmp_path):
    (tmp_path / "mazur.json").write_text((oracles.CASES / "mazur.json").read_text(), encoding="utf-8")
    return tmp_path


def test_a_weight_of_a_model(model):
    out = done("explain", "net.safetensors", "W11_1", "--x", "0.5,1", "--y", 1, cwd=model)
    assert out.rstrip("\n") == str(bp.derive(NOTES, "W11_1").evaluate([0.5, 1], [1]))


def test_the_same_network_from_its_weights(model):
    out = done("explain", "W2~_1", *BY_OPTIONS, "--x", "X2=1,X1=0.5", "--y", "1", cwd=model)
    assert out == done("explain", "net.safetensors", "W2~_1", "--x", "0.5,1", "--y", 1, cwd=model)


def test_a_worked_example_brings_its_samples(mazur):
    out = done("explain", "mazur.json", "W11_1", cwd=mazur)
    assert "= 0.00043857" in out
    step = done("explain", "mazur.json", "--all", cwd=mazur)
    assert "H1 = σ(0.35·1 + 0.05·0.15 + 0.1·0.2) = σ(0.3775) = 0.59327" in step
    assert "Not updated: W1~_1, W2~_1, W1~_2, W2~_2." in step
    other = done("explain", "mazur.json", "--all", "--learning-rate", 2, "--frozen", "W11_1", cwd=mazur)
    assert "η = 2" in other
    assert "Not updated: W11_1." in other


def test_several_samples(model):
    out = done("explain", "net.safetensors", "W11_1", "--x", "0,1;1,1", "--y", "1;0", "--format", "json", cwd=model)
    assert json.loads(out)["gradient"] == NOTES.gradients([[0, 1], [1, 1]], [1, 0])["W11_1"]


@pytest.mark.parametrize(
    ("form", "start"),
    [
        ("latex", r"\section*{"),
        ("mathml", "<math "),
        ("html", "<!DOCTYPE html>"),
        ("json", "{"),
        ("markdown", "# "),
    ],
)
def test_every_format_is_printed_and_written(form, start, model):
    call = ("explain", "net.safetensors", "W11_1", "--x", "0.5,1", "--y", 1, "--format", form)
    out = done(*call, cwd=model)
    assert out.startswith(start)
    assert done(*call, "--out", "made", cwd=model) == "saved made\n"
    assert (model / "made").read_text(encoding="utf-8") == out


def test_latex_as_a_whole_document(model):
    call = ("explain", "net.safetensors", "W11_1", "--x", "0.5,1", "--y", 1, "--document")
    assert done(*call, "--format", "latex", cwd=model).startswith(r"\documentclass")
    assert "--document is for --format latex" in refused(*call, cwd=model)


def test_a_model_of_a_table_takes_the_tables_values(tmp_path):
    rows = "\n".join(f"{k / 7:.3f},{'red' if k % 3 else 'blue'},{k % 5}" for k in range(40))
    (tmp_path / "t.csv").write_text(f"size <b>,colour,price\n{rows}\n", encoding="utf-8")
    done(
        "train",
        "t.csv",
        "--target",
        "price",
        "--task",
        "regression",
        "--hidden",
        2,
        "--epochs",
        3,
        "--out",
        "m",
        cwd=tmp_path,
    )
    model = bp.load_model(tmp_path / "m")
    process = backpath(
        "explain", "m", "W11_1", "--x", "colour=red,size <b>=2.5", "--y", 3, "--format", "json", cwd=tmp_path
    )
    assert process.returncode == 0, process.stderr
    assert "the table's units and scaled as in training" in process.stderr
    data = json.loads(process.stdout)
    size, target = model.preparation.inputs[0], model.preparation.target
    x = [(2.5 - size.mean) / size.scale, 0.0, 1.0]
    assert data["labels"] == {"X1": "size <b>", "X2": "colour = blue", "X3": "colour = red"}
    assert data["samples"][0]["x"] == x
    y = (3 - target.mean) / target.scale
    cost = model.record["cost"]
    assert data["gradient"] == model.network.gradients(x, [y], cost)["W11_1"]
    assert refused("explain", "m", "W11_1", "--x", "2,green", "--y", 1, cwd=tmp_path) == (
        "--x, column 'colour' must be one of 'blue', 'red', but is 'green'"
    )


XY = ("--x", "0,1", "--y", "1")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("net.safetensors", "W13_1", *XY), "has no weight 'W13_1'; did you mean"),
        (("net.safetensors", "W11_1", "--x", "0,1,2", "--y", 1), "--x needs 2 values ('X1', 'X2'), but '0,1,2' has 3"),
        (("net.safetensors", "W11_1", "--x", "0,nan", "--y", 1), "--x, X2 must be a finite number, but is 'nan'"),
        (("net.safetensors", "W11_1", "--x", "0,inf", "--y", 1), "--x, X2 must be a finite number, but is 'inf'"),
        (("net.safetensors", "W11_1", "--x", "0,1", "--y", "1,2"), "--y needs 1 values ('A1'), but '1,2' has 2"),
        (("net.safetensors", "W11_1", "--x", "0,1;1,1", "--y", "1"), "--x has 2 samples, but --y has 1"),
        (("net.safetensors", "W11_1", "--x", "X1=0,X1=1", "--y", "1"), "--x gives 'X1' twice"),
        (("net.safetensors", "W11_1", "--x", "X1=0", "--y", "1"), "--x lacks 'X2'"),
        (("net.safetensors", "W11_1", "--x", "Y1=0,X2=1", "--y", "1"), "--x has no value named 'Y1'"),
        (("net.safetensors", "W11_1", "--x", "0,1"), "--y is missing"),
        (("net.safetensors", "W11_1", *XY, "--cost", "hinge"), "unknown --cost 'hinge'"),
        (("net.safetensors", "--all", *XY, "--learning-rate", "-1"), "--learning-rate must be a number above 0"),
        (("net.safetensors", "--all", *XY, "--frozen", "W99_1"), "no weight 'W99_1'"),
        (("net.safetensors", *XY), "expected FILE and WEIGHT, but got net.safetensors; or give --all"),
        (("net.safetensors", "W11_1", *XY, "--activations", "tanh"), "--activations tanh is for a network given with"),
        (("net.safetensors", "W11_1", *XY, "--weights", "W11_1=7"), "--weights W11_1=7 is for a network given with"),
        (
            ("net.safetensors", "W11_1", *XY, "--all"),
            "expected FILE, but got net.safetensors W11_1; --all does not take",
        ),
        (
            ("net.safetensors", "W11_1", *BY_OPTIONS, *XY),
            "expected WEIGHT, but got net.safetensors W11_1; --sizes does not take",
        ),
        (("nothing.safetensors", "W11_1", *XY), "there is no file nothing.safetensors"),
        (("net.safetensors", "W11_1", *XY, "--out", "no/where"), "its folder does not exist"),
        (("net.safetensors", "W11_1", *XY, "--format", "pdf"), "'pdf' is not one of"),
        (("broken.json", "W11_1"), "broken.json, line 2, column 3"),
        (("W11_1", "--sizes", "2,2,1", *XY), "--sizes needs --weights too"),
        (("W11_1", "--sizes", "2,2,1", "--weights", "W11_1=1", *XY), "--weights lacks 'W12_1'"),
        (("W11_1", "--sizes", "2,2,1", "--weights", "W11_1=x", *XY), "--weights, W11_1 must be a finite number"),
        (("W11_1", "--sizes", "2,2,1", "--weights", "W11_1=1,W1,1_1=2", *XY), "--weights gives W11_1 twice"),
        (("W11_1", "--sizes", "2,2,1", "--weights", "W11_1", *XY), "--weights takes name=number"),
        (("W11_1", "--sizes", "2,x,1", "--weights", "W11_1=1", *XY), "--sizes takes whole numbers"),
        (("W11_1", *BY_OPTIONS, "--activations", "step", *XY), "step"),
    ],
)
def test_bad_input_is_one_line_and_status_2(arguments, message, model):
    (model / "broken.json").write_text('{"network":\n  }', encoding="utf-8")
    assert message in refused("explain", *arguments, cwd=model)


def test_too_many_arguments_get_advice_only_on_given_options(model):
    message = refused("explain", "net.safetensors", "W11_1", "W12_1", *XY, cwd=model)
    assert message == "expected FILE and WEIGHT, but got net.safetensors W11_1 W12_1"


def on_a_terminal(*arguments, cwd, **environment):
    """What a command prints to a terminal."""
    ours, theirs = terminal()
    env = {k: v for k, v in os.environ.items() if k != "NO_COLOR"} | environment
    process = subprocess.Popen(
        [sys.executable, "-m", "backpath", *map(str, arguments)], cwd=cwd, stdout=theirs, stderr=theirs, env=env
    )
    os.close(theirs)
    found = b""
    with contextlib.suppress(OSError):  # the other end was closed
        while chunk := os.read(ours, 65536):
            found += chunk
    os.close(ours)
    assert process.wait(60) == 0
    return found.decode()


def test_colours_on_a_terminal_alone(model):
    call = ("explain", "net.safetensors", "W11_1", *XY)
    assert "\x1b[1m" in on_a_terminal(*call, cwd=model)
    assert "\x1b" not in on_a_terminal(*call, cwd=model, NO_COLOR="1")
    assert "\x1b" not in done(*call, cwd=model)


def test_another_encoding_of_the_terminal_does_not_break_it(model):
    env = os.environ | {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    command = [sys.executable, "-m", "backpath", "explain", "net.safetensors", "W11_1", *XY]
    process = subprocess.run(command, cwd=model, capture_output=True, env=env, timeout=60, check=False)
    assert process.returncode == 0, process.stderr
    assert "σ′(u_A1)" in process.stdout.decode()
