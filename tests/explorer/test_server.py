"""The explorer as a command: a real process, its address, its end, and what it serves."""

from __future__ import annotations

import json
import re
import signal
import socket
import sys
import time
from importlib.resources import files
from pathlib import Path

import httpx
import pytest

import backpath as bp
from backpath.explorer.server import names_of
from commands import backpath, needs_signals, refused
from explorer.talk import Page, served


@pytest.fixture(scope="module")
def server():
    with served() as running:
        yield running


@needs_signals
@pytest.mark.parametrize("sent", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_one_line_is_printed_and_ctrl_c_ends_it_well(sent):
    with served() as running:
        port = running.base.rpartition(":")[2]
        assert running.url.startswith("http://127.0.0.1:")
        with Page(running):
            running.process.send_signal(getattr(signal, sent))
            assert running.process.wait(20) == 0  # also while a page is open
        assert running.process.stdout.read() == ""
    assert running.errors == []
    with socket.socket() as again:  # the port is free
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", int(port)))


@needs_signals
def test_ctrl_c_during_a_check_prints_nothing():
    """A search for the mistake in figures that nothing explains takes longer than the server waits for it."""
    with served() as running, Page(running) as page:
        page.ok("set", sizes=[2, 4, 4, 1])
        claimed = {weight["name"]: f"0.{k * k % 97:02d}431" for k, weight in enumerate(page.ok("pause")["weights"], 7)}
        page.socket.send(json.dumps({"id": 99, "do": "check", "claimed": claimed}))
        time.sleep(0.3)  # until it has begun
        running.stop()
    assert running.errors == []


def test_a_port_that_is_in_use(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = refused("explore", "--no-browser", "--port", port, cwd=tmp_path)
    reason = "(Address already in use|Only one usage of each socket address .*)"
    assert re.match(rf"cannot listen on 127\.0\.0\.1, port {port}: {reason}; try another --port", line)


def test_a_host_that_is_not_here(tmp_path):
    assert "is not an address of this machine" in refused("explore", "--host", "no.such.host.invalid", cwd=tmp_path)


def test_a_missing_extra_is_named(tmp_path):
    """As where backpath is installed without it."""
    code = (
        "import sys, importlib.util as u; find = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name in ('starlette', 'ziamath') else find(name, *rest)\n"
        "sys.argv = ['backpath', 'explore']; from backpath.cli import main; main()"
    )
    (tmp_path / "without.py").write_text(code)
    import subprocess

    done = subprocess.run([sys.executable, tmp_path / "without.py"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    expected = "backpath: the explorer needs starlette, ziamath; install it with: pip install 'backpath[explorer]'\n"
    assert (done.stdout, done.stderr) == ("", expected)
    in_python = code.partition("sys.argv")[0] + "import backpath; backpath.explore"
    done = subprocess.run([sys.executable, "-c", in_python], capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1] == expected.strip().replace("backpath:", "ImportError:", 1)


def test_the_help_loads_no_server(tmp_path):
    code = "import sys; import backpath.cli.explore; print(sorted({'starlette', 'uvicorn'} & set(sys.modules)))"
    import subprocess

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
    assert "explore" in backpath("--help", cwd=tmp_path).stdout


def test_another_host_says_so_and_keeps_the_token():
    with served("--host", "0.0.0.0") as running:
        port = running.base.rpartition(":")[2]
        assert httpx.get(f"http://127.0.0.1:{port}/step").status_code == 403
        assert httpx.get(f"http://127.0.0.1:{port}/step", params={"token": running.token}).status_code == 404
        running.stop()
    assert running.errors == ["other machines can reach the page, but only with the token in its address\n"]
    assert names_of("192.0.2.7") == ["192.0.2.7"]


def test_a_fitted_model_opens(tmp_path):
    X, y = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]
    net = bp.train(bp.Network((2, 3, 1), seed=1), X, y, epochs=20).network
    bp.save(net, tmp_path / "mine.safetensors")
    with served(tmp_path / "mine.safetensors") as running, Page(running) as page:
        assert [weight["value"] for weight in page.view["weights"]] == [v for W in net.weights for v in W.ravel()]
        assert "no samples" in page.error("train", speed="max", epochs=5)
        page.ok("points", X=X, y=[[v] for v in y])
        assert page.ok("train", speed="max", epochs=5) == {}
        page.event("stopped")
        assert [w["value"] for w in page.ok("reset")["weights"]] == [w["value"] for w in page.view["weights"]]
    assert "is not a model" in refused("explore", __file__, cwd=tmp_path)


def test_the_page_and_its_font(server):
    page = server.get("/")
    assert page.headers["content-type"].startswith("text/html")
    assert "__STATIC__" not in page.text
    assert server.token not in page.text
    folder = re.search("/static/[0-9a-f]+", page.text)[0]
    font = server.http.get(f"{server.base}{folder}/font")
    assert font.headers["content-type"] == "font/ttf"
    assert b"S\0T\0I\0X\0 \0T\0w\0o\0 \0M\0a\0t\0h" in font.content  # its name, in UTF-16
    for file in (files("backpath.explorer") / "static").iterdir():
        found = server.http.get(f"{server.base}{folder}/{file.name}")
        there = file.read_bytes().replace(b"__STATIC__", folder.encode())
        assert (found.status_code, found.content) == (200, there), file.name
        assert found.headers["content-type"].startswith(("text/", "image/", "application/"))


@pytest.mark.parametrize("weight", ["W11_1", "W2~_1", "W12_2"])
def test_the_numbers_are_those_of_explain(server, tmp_path, weight):
    """What the page shows of a weight is what ``backpath explain`` prints of the same model and sample."""
    with Page(server) as page:
        page.ok("train", speed="max", epochs=200)
        page.event("stopped")
        page.ok("sample", x=[0.25, 0.75], y=[1])
        shown = page.ok("derive", weight=weight)
        raw = server.get("/model", params={"session": page.session}).content
    Path(tmp_path, "model.safetensors").write_bytes(raw)
    printed = backpath("explain", "model.safetensors", weight, "--x", "0.25,0.75", "--y", "1", cwd=tmp_path).stdout
    numbers = printed.partition("With numbers")[2]
    rows = [line.split() for line in numbers.splitlines() if line.strip().startswith("∂") and "=" not in line]
    assert [row[-1 - len(f["meaning"].split())] for row, f in zip(rows, shown["factors"])] == [
        f["text"] for f in shown["factors"]
    ]
    assert f"= {shown['gradient']['text']}\n" in numbers
    network = bp.load(tmp_path / "model.safetensors")
    assert shown["gradient"]["value"] == network.gradients([0.25, 0.75], [1])[weight]


def test_the_step_as_a_page(server):
    with Page(server) as page:
        html = server.get("/step", params={"session": page.session})
        assert html.status_code == 200
        assert "One step of gradient descent" in html.text
        assert "script" not in html.text
        assert "default-src 'none'" in html.headers["content-security-policy"]
        page.ok("set", sizes=[2, 16, 16, 1])
        refusal = server.get("/step", params={"session": page.session})
        assert refusal.status_code == 422
        assert refusal.text.startswith("a step is written out for up to 200 weights")
