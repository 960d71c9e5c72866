"""A page that loses its connection or its server, or is reloaded, restores its state."""

from __future__ import annotations

import base64
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect

from backpath.errors import InputError
from backpath.explorer import access
from backpath.explorer.saved_scene import kept_samples, kept_scene, restored
from backpath.explorer.scene import Scene
from commands import needs_posix, needs_signals
from explorer.looking import cost, edge, press, until, weights
from explorer.talk import Page, served

TABLE = "size,kind,price\n" + "".join(f"{k},{'ab'[k % 2]},{k * k % 7}.5\n" for k in range(40))


def trained(page, epochs=200):
    page.ok("train", speed="max", epochs=epochs)
    return page.event("stopped")["view"]


# ---- what is kept ----


def test_what_a_page_keeps_is_everything():
    with served() as server, Page(server) as page:
        page.ok("set", sizes=[2, 3, 1], learning_rate=0.7)
        view = trained(page)
        page.ok("step", **{"pass": "Forward", "unit": "layer"})
        before = page.ok("scrub", epoch=view["history"]["snapshots"][1])
        before = page.ok("step", **{"pass": "Forward", "unit": "all"})
        scene = server.get("/kept", params={"session": page.session}).json()
        data = server.get("/kept", params={"session": page.session, "data": "1"}).json()
        with Page(server) as other:
            sent = json.dumps({"scene": scene, "data": data}).encode()
            assert server.post("/kept", other.session, sent).json() == {}
            after = other.event("view")["view"]
    assert {k: v for k, v in after.items() if k != "step"} == {k: v for k, v in before.items() if k != "step"}
    assert after["step"]["values"] == before["step"]["values"] and after["step"]["values"]


def test_a_table_is_kept_with_its_names():
    with served() as server, Page(server) as page:
        assert "error" not in server.post("/data", page.session, TABLE.encode()).json()
        before = page.event("view")["view"]
        scene = server.get("/kept", params={"session": page.session}).json()
        data = server.get("/kept", params={"session": page.session, "data": "1"}).json()
        with Page(server) as other:
            server.post("/kept", other.session, json.dumps({"scene": scene, "data": data}).encode())
            assert other.event("view")["view"] == before


SCENE = Scene.of_data_set("xor")
KEPT = {"scene": kept_scene(SCENE), "data": kept_samples(SCENE)}
NOT_FINITE = {"shape": [9], "float64": base64.b64encode(np.full(9, np.nan).tobytes()).decode()}
BROKEN = {
    "nothing": ({}, "must hold a scene and its data"),
    "no settings": ({"scene": {**KEPT["scene"], "settings": 3}}, "no settings"),
    "huge": ({"scene": {**KEPT["scene"], "settings": {"sizes": [2, 10**9, 1]}}}, "must be a whole number"),
    "other sizes": ({"scene": {**KEPT["scene"], "settings": {"sizes": [3, 2, 1]}}}, "the data have 2 inputs"),
    "not finite": ({"scene": {**KEPT["scene"], "network": NOT_FINITE}}, "the weights must be finite"),
    "few weights": ({"scene": {**KEPT["scene"], "start": {"shape": [0], "float64": ""}}}, "there must be 9 weights"),
    "no base64": ({"scene": {**KEPT["scene"], "start": {"shape": [9], "float64": "é"}}}, "numbers as the explorer"),
    "a step too far": ({"scene": {**KEPT["scene"], "stepped": {"done": 99}}}, "the step must be a whole number"),
    "no history": ({"scene": {**KEPT["scene"], "history": []}}, "no history"),
    "a task": ({"data": {"own": [], "data": {"name": "x", "task": "x"}}}, "the task must be one of"),
    "a preparation": (
        {"data": {"own": [{"name": "x", "task": "regression", "X": KEPT["scene"]["network"], "y": 3}]}},
        "X must be numbers",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_brought_back_is_checked(name):
    changed, message = BROKEN[name]
    with pytest.raises(InputError, match=message):
        restored({**KEPT, **changed} if changed else {})
    assert kept_scene(restored(KEPT)) == KEPT["scene"]


# ---- the token ----


@needs_posix
def test_the_users_token_stays_and_is_the_users_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    first = access.user_token()
    assert access.user_token() == first and len(first) == 32
    path = tmp_path / "backpath" / "explorer-token"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    path.chmod(0o644)
    assert access.user_token() != first  # others could have read it
    path.chmod(0o600)
    path.write_text("short")
    assert len(access.user_token()) == 32
    monkeypatch.setenv("XDG_STATE_HOME", "/proc/self/none")
    assert access.user_token() != access.user_token()


@needs_signals
def test_no_command_line_holds_the_token(tmp_path):
    """A browser that shows how it was called, and what it was given to open."""
    said = tmp_path / "said"
    browser = tmp_path / "browser"
    browser.write_text(
        f'#!/bin/sh\nstat -c %a "${{1#file://}}" > {said}\necho "$1" >> {said}\ncat "${{1#file://}}" >> {said}\n'
    )
    browser.chmod(0o755)
    command = [sys.executable, "-m", "backpath", "explore", "--port", "0"]
    env = os.environ | {"BROWSER": f"{browser} %s", "PYTHONUNBUFFERED": "1", "XDG_STATE_HOME": str(tmp_path)}
    process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    url = process.stdout.readline().strip()
    while len(said.read_text().splitlines() if said.exists() else []) < 3:
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    process.stdout.close()
    process.stderr.close()
    mode, name, page = said.read_text().splitlines()
    token = url.partition("token=")[2]
    assert mode == "600" and token and token not in name and url.replace("&", "&amp;") in page
    assert not Path(name.removeprefix("file://")).exists()


# ---- in a browser ----


def shape(page):
    """The state that must be restored."""
    return weights(page), page.locator("#epoch").inner_text(), cost(page)


@pytest.mark.browser
def test_the_token_leaves_the_address_and_a_reload_continues(visit, server):
    page = visit()
    assert "token" not in page.url
    page.locator("#speed").select_option("100")  # so that it is not solved meanwhile
    press(page, "Train")
    until(page, "Number(document.querySelector('#epoch').textContent.replaceAll(',', '')) > 50")
    page.reload()
    page.wait_for_selector("html[data-ready]")
    assert "token" not in page.url
    expect(page.get_by_role("button", name="Pause", exact=True)).to_be_enabled()
    reached = int(page.locator("#epoch").inner_text().replace(",", ""))
    assert reached >= 50
    until(page, f"Number(document.querySelector('#epoch').textContent.replaceAll(',', '')) > {reached + 50}")
    press(page, "Pause")


def port_of(server):
    return int(server.base.rpartition(":")[2])


def visited(page, server):
    """Opens the page of a server; gives the server's port."""
    page.goto(server.url)
    page.wait_for_selector("html[data-ready]")
    return port_of(server)


@pytest.mark.slow
@pytest.mark.browser
def test_a_server_that_is_killed_and_started_again_loses_nothing(chromium, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    page = chromium.new_page()
    with served() as first:
        port = visited(page, first)
        page.locator("#learning-rate").fill("0.9")
        page.keyboard.press("Enter")
        page.get_by_role("tab", name="Data", exact=True).click()
        page.locator("#csv").set_input_files({"name": "prices.csv", "mimeType": "text/csv", "buffer": TABLE.encode()})
        until(page, "document.querySelector('#dataset').value === 'own:0'")
        press(page, "Train")
        until(page, "Number(document.querySelector('#epoch').textContent.replaceAll(',', '')) > 100")
        press(page, "Pause")
        edge(page, "W11_1")
        page.wait_for_timeout(3000)  # a change is kept a little later
        before = shape(page)
        first.process.kill()
        first.process.wait(10)
    expect(page.locator("#connection")).to_contain_text(re.compile("Reconnecting|Trying again"))
    with served("--port", str(port)) as second:
        assert port_of(second) == port and second.token == first.token
        expect(page.locator("#message")).to_have_text("Everything is restored", timeout=30_000)
        until(page, "document.querySelector('#connection').textContent === ''")
        until(page, "document.querySelector('#dataset').value === 'own:0'")
        assert shape(page) == before
        page.reload()
        page.wait_for_selector("html[data-ready]")
        assert shape(page) == before
    page.close()


@pytest.mark.slow
@pytest.mark.browser
def test_a_run_that_goes_on_after_a_restart_can_be_paused(chromium, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    page = chromium.new_page()
    with served() as first:
        port = visited(page, first)
        page.locator("#speed").select_option("10")
        press(page, "Train")
        until(page, "Number(document.querySelector('#epoch').textContent) > 60")  # a run is kept every few seconds
        first.process.kill()
        first.process.wait(10)
    with served("--port", str(port)):
        expect(page.locator("#message")).to_have_text("Everything is restored", timeout=30_000)
        reached = int(page.locator("#epoch").inner_text())
        until(page, f"Number(document.querySelector('#epoch').textContent) > {reached}")
        press(page, "Pause")
        expect(page.locator("#pause")).to_be_disabled()
    page.close()


@pytest.mark.browser
def test_a_socket_that_is_cut_is_opened_again(chromium):
    """Through a proxy of ours, which cuts what goes through it."""
    with served() as server, socket.create_server(("127.0.0.1", 0)):
        context = chromium.new_context()
        page = context.new_page()
        sockets = []
        page.route_web_socket("**/ws*", lambda ws: sockets.append((ws, ws.connect_to_server())))
        page.goto(server.url)
        page.wait_for_selector("html[data-ready]")
        page.locator("#learning-rate").fill("0.9")
        page.keyboard.press("Enter")
        page.locator("#speed").select_option("10")  # it must not be solved meanwhile
        press(page, "Train")
        until(page, "Number(document.querySelector('#epoch').textContent.replaceAll(',', '')) > 20")
        sockets[-1][0].close(code=1011)
        sockets[-1][1].close()
        while len(sockets) < 2:
            page.wait_for_timeout(30)
        until(page, "document.querySelector('#connection').textContent === ''")
        expect(page.get_by_role("button", name="Pause", exact=True)).to_be_enabled()
        now = int(page.locator("#epoch").inner_text().replace(",", ""))
        until(page, f"Number(document.querySelector('#epoch').textContent.replaceAll(',', '')) > {now}")
        assert len(sockets) >= 2 and page.locator("#learning-rate").input_value() == "0.9"
        page.close()


KINDS = {
    "built-in": lambda page: page.locator("#dataset").select_option("circle"),
    "drawn": lambda page: (press(page, "Add 1"), page.locator("#points").click(position={"x": 90, "y": 60})),
    "table": lambda page: page.locator("#csv").set_input_files(
        {"name": "prices.csv", "mimeType": "text/csv", "buffer": TABLE.encode()}
    ),
}


@pytest.mark.browser
@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_data_survives_a_reload_a_cut_a_sleep_and_a_restart(chromium, tmp_path, monkeypatch, kind):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    context = chromium.new_context()
    page = context.new_page()
    page.clock.install()
    sockets = []
    page.route_web_socket("**/ws*", lambda ws: sockets.append((ws, ws.connect_to_server())))
    epoch = "Number(document.querySelector('#epoch').textContent.replaceAll(',', ''))"
    with served() as first:
        page.goto(first.url)
        page.wait_for_selector("html[data-ready]")
        page.get_by_role("tab", name="Data", exact=True).click()
        first_rows = page.locator("#rows").inner_text()
        KINDS[kind](page)
        until(page, f"document.querySelector('#rows').innerText !== {json.dumps(first_rows)}")
        data = page.locator("#rows").inner_text()
        page.locator("#speed").select_option("100")
        press(page, "Train")
        until(page, f"{epoch} > 30")
        page.reload()
        page.wait_for_selector("html[data-ready]")
        reached = page.evaluate(epoch)
        assert reached >= 30
        page.clock.fast_forward("02:00:00")  # the machine slept, and its line is dead
        for ours, theirs in sockets[-1:]:
            ours.close(code=1011)
            theirs.close()
        for _ in range(20):
            page.clock.run_for(1000)
            page.wait_for_timeout(50)
        until(page, f"{epoch} > {reached}")
        if page.locator("#pause").is_enabled():  # otherwise it was solved meanwhile, and stopped
            press(page, "Pause")
        for _ in range(5):
            page.clock.run_for(1000)
            page.wait_for_timeout(200)
        before = shape(page)
        first.process.kill()
        first.process.wait(10)
    with served("--port", str(port_of(first))):
        for _ in range(60):
            page.clock.run_for(1000)
            page.wait_for_timeout(100)
            if page.locator("#connection").inner_text() == "" and shape(page) == before:
                break
        assert shape(page) == before
        page.get_by_role("tab", name="Data", exact=True).click()
        assert page.locator("#rows").inner_text() == data
    page.close()


@needs_signals
@pytest.mark.browser
def test_a_server_that_hangs_is_noticed(chromium):
    with served() as server:
        context = chromium.new_context()
        page = context.new_page()
        page.clock.install()
        page.goto(server.url)
        page.wait_for_selector("html[data-ready]")
        server.process.send_signal(signal.SIGSTOP)
        try:
            page.clock.run_for(15_500)
            page.clock.run_for(10_500)
            expect(page.locator("#connection")).not_to_be_empty()
        finally:
            server.process.send_signal(signal.SIGCONT)
        for _ in range(40):
            page.clock.run_for(1000)
            page.wait_for_timeout(100)
            if not page.locator("#connection").inner_text():
                break
        expect(page.locator("#connection")).to_be_empty()
        page.close()
