"""Nothing that a terminal obeys reaches it from a file: not as a name, a class, a path, or in a broken file."""

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest

import backpath as bp
from backpath.files.model_format import encode
from backpath.files.wording import without_controls
from commands import needs_posix
from terminals import terminal

EVIL = "\x1b[2J\x9b31m\u202e\u2066\x07\x85é"
OBEYED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]|\x1b(?!\\[[0-9;]*m)"
)


def on_a_terminal(*arguments, cwd):
    """What a command writes to a terminal, output and errors, except for the terminal's own line ends."""
    ours, its = terminal()
    command = [sys.executable, "-m", "backpath", *map(str, arguments)]
    process = subprocess.Popen(command, cwd=cwd, stdin=its, stdout=its, stderr=its, env={**os.environ, "TERM": "xterm"})
    os.close(its)
    written = b""
    while True:
        try:
            written += os.read(ours, 65536)
        except OSError:
            break
    os.close(ours)
    process.wait()
    return written.decode("utf-8", "surrogateescape").replace("\r\n", "\n")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("evil")
    rows = "".join(f"{k % 7},{k % 3},{('no' + EVIL) if k % 2 else 'yes'}\n" for k in range(60))
    (folder / "t.csv").write_text(f"a{EVIL},b,y{EVIL}\n{rows}", "utf-8")
    model = subprocess.run(
        [sys.executable, "-m", "backpath", "train", "t.csv", "--target", f"y{EVIL}", "--hidden", "2", "-q"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert model.returncode == 0, model.stderr
    weights = {"W11_1": 0.5, "W1~_1": 0.1}
    example = {"source": EVIL, "network": {"sizes": [1, 1], "activations": "sigmoid", "weights": weights},
               "x": [[1]], "y": [[0]], "cost": "squared_error", "claimed": {"gradients": {EVIL: "1"}}}  # fmt: skip
    (folder / f"{EVIL}.json").write_text(json.dumps(example), "utf-8")
    net = bp.Network((2, 2, 1), seed=0)
    header, *data = encode(net.weights, {})
    for name, old, new in (("shape", b'"shape":[2,3]', b'"shape":"\\u009b"'), ("type", b'"F64"', b'"\\u202e"')):
        changed = header[8:].replace(old, new, 1)
        raw = len(changed).to_bytes(8, "little") + changed + b"".join(data)
        (folder / f"{name}.safetensors").write_bytes(raw)
    return folder


@needs_posix
@pytest.mark.parametrize(
    "call",
    [
        ("show", "t.safetensors"),
        ("show", "t.safetensors", "--json"),
        ("predict", "t.safetensors", "t.csv"),
        ("predict", "t.safetensors", "t.csv", "--keep", f"a{EVIL}"),
        ("look", "t.csv", "--target", f"y{EVIL}"),
        ("look", "t.csv", "--target", EVIL),
        ("train", "t.csv", "--target", f"y{EVIL}", "--hidden", "2", "--out", f"m{EVIL}.safetensors"),
        ("explain", "t.safetensors", "W11_1", "--row", "1", "--data", "t.csv"),
        ("check", f"{EVIL}.json"),
        ("show", f"{EVIL}"),
        ("show", "shape.safetensors"),
        ("show", "type.safetensors"),
        ("runs", f"{EVIL}"),
    ],
    ids=lambda call: " ".join(call).encode("ascii", "ignore").decode()[:30],
)
def test_no_control_character_reaches_the_terminal(folder, call):
    written = on_a_terminal(*call, cwd=folder)
    drawn = re.sub("\x1b\\[(\\?25[lh]|[0-9]*[AKG]|2K)|\r", "", written)  # the progress bar's own
    assert drawn and not OBEYED.search(drawn), ascii(OBEYED.search(drawn))


@needs_posix
def test_rows_for_a_pipe_stay_what_they_are(folder):
    command = [sys.executable, "-m", "backpath", "predict", "t.safetensors", "t.csv"]
    rows = subprocess.run(command, cwd=folder, capture_output=True, check=True).stdout.decode()
    assert "\x9b31m" in rows
    assert np.isin([line.split(",")[0] for line in rows.splitlines()[1:]], ["yes", "no" + EVIL]).any()


def test_json_stays_json():
    assert json.loads(without_controls(json.dumps(EVIL, ensure_ascii=False))) == EVIL
