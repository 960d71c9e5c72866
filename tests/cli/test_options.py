"""What every command keeps to: settings named as the caller wrote them, 80 columns, plain terminals, completion."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest

import backpath as bp
from backpath.errors import InputError
from commands import done, refused, started
from terminals import terminal

X, Y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]

# a setting, a value that is refused, and what the message says of it after its name
BAD = [
    ("epochs", 0, "must be a whole number of at least 1, but is 0"),
    ("learning_rate", -3.0, "must be a number above 0, but is -3.0"),
    ("batch_size", -2, "must be a whole number of at least 1"),
    ("tol", -1.0, "must be a number of at least 0, but is -1.0"),
    ("seed", -1, "must be a whole number of at least 0, but is -1"),
    ("restarts", 0, "must be a whole number of at least 1, but is 0"),
    ("solver", "sgd", "'sgd'; expected one of gd, momentum, adam, lm"),
    ("cost", "loss", "'loss'; expected one of squared_error"),
    ("engine", "gpu", "'gpu'; expected one of auto, numpy, compiled"),
    ("init", "zeros", "'zeros'; expected one of glorot_uniform"),
]


@pytest.mark.parametrize(("setting", "value", "message"), BAD, ids=[name for name, *_ in BAD])
def test_a_message_names_a_setting_as_its_caller_wrote_it(setting, value, message, tmp_path):
    option = "--" + setting.replace("_", "-")
    said = refused("train", "xor", f"{option}={value}", cwd=tmp_path)
    assert re.search(rf"(^|unknown ){option} {re.escape(message)}", said), said
    many = {"restarts": 2} if setting == "init" else {}
    with pytest.raises(InputError, match=rf"(^|unknown ){setting} {re.escape(message)}"):
        bp.train(bp.Network((2, 2, 1)), X, Y, **{setting: value}, **many)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (["train", "xor", "--hidden", "0"], "--hidden takes whole numbers of at least 1, as in 16,8, or ''"),
        (["train", "xor", "--hidden", "2,-1"], "--hidden takes whole numbers of at least 1"),
        (["study", "xor", "--hidden", "0"], "--hidden takes whole numbers of at least 1"),
        (["train", "t.csv", "--target", "y", "--seed", "-1"], "--seed must be a whole number of at least 0, but is -1"),
        (["train", "xor", "--output-activation", "magic"], "unknown --output-activation 'magic'"),
        (["train", "xor", "--solver", "lm", "--learning-rate", "1"], "leave --learning-rate out"),
        (["train", "xor", "--solver", "lm", "--engine", "compiled"], "leave --engine compiled out"),
        (["train", "xor", "--bayesian"], "--bayesian is for --solver lm"),
        (["explain", "--sizes", "2", "--weights", "a=1", "W11_1"], "--sizes must be at least two numbers"),
        (["explain", "--sizes", "2,0", "--weights", "a=1", "W11_1"], "--sizes takes whole numbers of at least 1"),
        (["explain", "n.safetensors", "W11_1", "--x", "0,1", "--y", "1", "--learning-rate", "-3"], "--learning-rate"),
        (["explain", "n.safetensors", "W11_1", "--x", "0,1", "--y", "1", "--frozen", "biases"], "give --all instead"),
        (["explain", "n.safetensors", "W11_1", "--x", "X1=0,X3=1", "--y", "1"], "--x has no value named 'X3'"),
        (["explain", "n.safetensors", "W11_1", "--x", "a=0,X2=1", "--y", "1"], "--x has no value named 'a'"),
        *(
            ([*command, "--out", ""], "'--out': expected the name of a file, but got nothing")
            for command in (["train", "xor"], ["study", "xor"], ["explain", "n.safetensors", "W11_1"])
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_a_call_got_wrong_is_named_in_its_own_words(call, message, tmp_path):
    bp.save(bp.Network((2, 2, 1)), tmp_path / "n.safetensors")
    (tmp_path / "t.csv").write_text("x,y\n" + "".join(f"{k},{k % 2}\n" for k in range(30)))
    assert message in refused(*call, cwd=tmp_path)


def test_the_suggestion_after_training_explains_a_gradient_that_is_not_zero(tmp_path):
    for name in ("xor", "and", "sine"):
        out = done("train", name, cwd=tmp_path)
        line = next(line for line in out.splitlines() if line.strip().startswith("backpath explain"))
        _, _, file, weight, _, x, _, y = line.split()
        network = bp.load_model(tmp_path / file).network
        numbers = [[float(value) for value in text.split(",")] for text in (x, y)]
        assert network.gradients(*numbers)[weight] != 0


def test_quiet_prints_no_report(tmp_path):
    assert done("train", "xor", "--quiet", "--epochs", 20, cwd=tmp_path) == ""
    assert (tmp_path / "xor.safetensors").exists()
    assert done("study", "xor", "-q", "--networks", 20, "--epochs", 5, cwd=tmp_path) == ""


def on_a_terminal(*arguments, cwd, **environment):
    """What a command writes to a terminal."""
    leader, follower = terminal()
    command = [sys.executable, "-m", "backpath", *arguments]
    with started(command, cwd=cwd, stdout=follower, stderr=follower, env=os.environ | environment):
        os.close(follower)
        written = b""
        while True:
            try:
                part = os.read(leader, 4096)
            except OSError:
                break
            if not part:
                break
            written += part
    os.close(leader)
    return written.decode()


def test_escapes_are_for_terminals_that_know_them(tmp_path):
    call = ("train", "xor", "--epochs", "20")
    assert "\x1b[1m" in on_a_terminal(*call, cwd=tmp_path, TERM="xterm", NO_COLOR="")
    assert "\x1b" not in on_a_terminal(*call, cwd=tmp_path, TERM="dumb", NO_COLOR="")
    assert "\x1b[1m" not in on_a_terminal(*call, cwd=tmp_path, TERM="xterm", NO_COLOR="1")


def completed(words, cwd):
    """What a shell is offered for the last of these words."""
    environment = {"_BACKPATH_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    command = [sys.executable, "-m", "backpath"]
    run = subprocess.run(command, cwd=cwd, env=os.environ | environment, capture_output=True, text=True, check=False)
    return [line.partition(",")[2] for line in run.stdout.splitlines()]


def test_a_shell_completes_commands_choices_files_and_weights(tmp_path):
    bp.save(bp.Network((2, 2, 1)), tmp_path / "n.safetensors")
    (tmp_path / "sales.csv").write_text("a,y\n1,2\n")
    assert {"train", "predict", "explain"} <= set(completed("backpath ", tmp_path))
    assert completed("backpath train s", tmp_path) == ["spiral", "sine", "sales.csv"]
    assert "file" in " ".join(completed("backpath train x.c", tmp_path)) or completed("backpath train x.c", tmp_path)
    assert completed("backpath train xor --cost b", tmp_path) == ["binary_cross_entropy"]
    assert completed("backpath train xor --solver a", tmp_path) == ["adam"]
    assert "tanh" in completed("backpath train xor --activation t", tmp_path)
    assert completed("backpath explain n.safetensors W11", tmp_path) == ["W11_1", "W11_2"]


def test_nothing_is_wider_than_a_terminal(tmp_path):
    rng = np.random.default_rng(0)
    rows = [[*rng.normal(size=3).tolist(), f"a rather long label {k % 5} of a kind"] for k in range(60)]
    header = ",".join(f"a column with quite a long name indeed, {k}".replace(",", " number") for k in range(4))
    text = "\n".join([header, *(",".join(map(str, row)) for row in rows)])
    (tmp_path / "wide.csv").write_text(text + "\n")
    target = "a column with quite a long name indeed number 3"
    for call in (["train", "wide.csv", "--target", target], ["show", "wide.safetensors"]):
        for line in done(*call, cwd=tmp_path).splitlines():
            assert len(line) <= 80 or line.strip().startswith("backpath "), line
