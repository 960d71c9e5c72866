"""How much the explorer takes, from whom, for how long: the rest is cut off, and does not affect others."""

from __future__ import annotations

import logging
import socket
import struct
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager, suppress

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from backpath.explorer import commands, limits
from backpath.explorer import server as serving
from backpath.explorer.app import Explorer
from backpath.explorer.scene import Scene
from explorer.talk import Page, Server, served


@pytest.fixture(scope="module")
def server():
    with served() as running:
        yield running
        assert not running.errors


@contextmanager
def served_here():
    """A server in a thread of this process, for tests that change its limits."""
    address = serving.Address("127.0.0.1", 0)
    explorer = Explorer(address.rules, Scene.of_data_set("xor"))
    running = serving.server(explorer)
    thread = threading.Thread(target=running.run, args=([address.socket],))
    thread.start()
    try:
        server = Server(None, address.url)
        yield server, explorer
    finally:
        server.http.close()
        running.should_exit = True
        thread.join(20)


def upload(server, page):
    """The first lines of an upload."""
    host = server.base.removeprefix("http://")
    asked = f"/data?token={server.token}&session={page.session}"
    return f"POST {asked} HTTP/1.1\r\nHost: {host}\r\nOrigin: {server.base}\r\n"


def test_a_body_that_is_too_large(server):
    with Page(server) as page:
        host, _, port = server.base.removeprefix("http://").partition(":")
        start = upload(server, page)
        for how in (f"Content-Length: {limits.UPLOAD_BYTES + 1}", "Content-Length: 999999999999999999999"):
            with socket.create_connection((host, int(port)), timeout=10) as raw:
                raw.sendall(f"{start}{how}\r\n\r\n".encode())
                answer = b"".join(iter(lambda: raw.recv(4096), b""))
            assert answer.split()[1] in (b"413", b"400")  # 400: no number that a length can be
            assert answer.split()[1] == b"400" or b"larger than 25 MiB" in answer
        with socket.create_connection((host, int(port)), timeout=20) as raw:  # one that does not say how large it is
            raw.sendall(f"{start}Transfer-Encoding: chunked\r\n\r\n".encode())
            try:
                for _ in range(27):
                    raw.sendall(b"100000\r\n" + b"1" * 2**20 + b"\r\n")
                assert raw.recv(4096).split()[1] == b"413"
            except (BrokenPipeError, ConnectionResetError):
                pass  # cut off, as it should be
        assert page.ok("pause")["data"]["name"] == "xor"


def test_a_frame_that_is_too_large(server):
    """Its length is enough; a page that was sending the rest might see a broken connection before it reads why."""
    text, masked, long = 0x81, 0x80, 127
    with Page(server) as page:
        page.socket.socket.sendall(struct.pack("!BBQ4x", text, masked | long, limits.FRAME_BYTES + 1))
        with pytest.raises(ConnectionClosed) as closed:
            page.event_or_answer()
        assert closed.value.rcvd.code == 1009


def test_a_message_of_many_fields(server):
    with Page(server) as page:
        page.ok("pause", **{f"f{k}": 1 for k in range(40_000)})
        assert page.error("set", **{f"f{k}": 1 for k in range(30_000)}).startswith("the state has no 'f0'")
        assert page.error("check", claimed={f"W{k}": 1 for k in range(30_000)}).startswith("up to 500 figures")


@pytest.mark.parametrize(
    "lines", [f"X-Long: {'x' * 1_000_000}\r\n", "".join(f"X-{k}: y\r\n" for k in range(100_000))], ids=["long", "many"]
)
def test_headers_that_are_too_large(server, lines):
    host, _, port = server.base.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as raw:
        answer = b"HTTP/1.1 400"
        with suppress(BrokenPipeError, ConnectionResetError):  # cut off while still sending
            raw.sendall(f"GET /?token={server.token} HTTP/1.1\r\nHost: {host}:{port}\r\n{lines}\r\n".encode())
            answer = raw.recv(4096)
    assert answer.split()[1] in (b"400", b"431")
    assert server.get("/").status_code == 200


def test_names_from_outside_are_only_ever_text(server):
    """A column, a class and a file whose names are markup."""
    evil = "</script><img src=x onerror=alert(1)>"
    rows = "".join(f"{k},{evil if k % 2 else 'no'}\n" for k in range(20))
    with Page(server) as page:
        answer = server.post("/data", page.session, f'"{evil}",{evil}2\n{rows}'.encode(), "%3Cimg%20src%3Dx%3E.csv")
        assert "error" not in answer.json()
        assert answer.headers["content-type"] == "application/json"
        view = page.event("view")["view"]
        assert view["labels"]["X1"] == evil  # the page sets it as text
        page.ok("sample", index=1)
        found = page.ok("derive", weight="W11_1")
        markup = [f["mathml"] for f in found["formulas"]] + [f["symbol"] + f["expanded"] for f in found["factors"]]
        markup += [page.ok("check", claimed={"W11_1": "1"}, kind="gradients")["html"]]
        markup += [server.get("/step", params={"session": page.session}).text]
        assert not any("<img" in text or "<script" in text for text in markup)


@pytest.mark.parametrize(
    "name", ["..%2f..%2fevil.csv", "%2e%2e", "a%00b.csv", "x" * 5000, "con%0A.csv", "%F0%28%8C%28.csv", "*?[.csv"]
)
def test_a_files_name_leads_nowhere(server, name):
    with Page(server) as page:
        answer = server.post("/data", page.session, b"a,b\n1,2\n2,1\n3,5\n", name)
        assert "error" not in answer.json()
        shown = page.event("view")["view"]["data"]["name"]
        assert "/" not in shown
        assert len(shown) < 100


def test_a_page_too_many_learns_that_the_explorer_is_full():
    with served() as server, ExitStack() as stack:
        for _ in range(limits.SESSIONS):
            stack.enter_context(Page(server))
        with pytest.raises(InvalidStatus) as refused, Page(server):
            pass
        assert refused.value.response.status_code == 503
        assert refused.value.response.body.startswith(b"the explorer is full: 100 pages are open")
        assert server.get("/").status_code == 200
        stack.close()
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                with Page(server):
                    break
            except InvalidStatus:
                time.sleep(0.05)
        else:
            pytest.fail("the pages have gone, but there is no room")


def test_a_closed_page_stops_its_training(monkeypatch):
    monkeypatch.setattr(limits, "RUN_SECONDS", 0.2)
    monkeypatch.setattr(limits, "AWAY_SECONDS", 0.4)
    threads = []
    with served_here() as (server, explorer):
        with Page(server) as page:
            page.ok("train", speed="max")
            page.event("frame")
            threads = [t for t in threading.enumerate() if t.name.startswith("training")]
            assert threads
        deadline = time.monotonic() + 20
        while explorer.sessions or explorer.workers.training:
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_a_run_pauses_while_its_page_is_away_and_continues(monkeypatch):
    monkeypatch.setattr(limits, "RUN_SECONDS", 0.2)
    with served_here() as (server, explorer):
        with Page(server) as page:
            page.ok("train", speed="max")
            page.event("frame")
        deadline = time.monotonic() + 20
        while explorer.workers.training:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        with Page(server, resume=page.session) as back:
            assert back.session == page.session
            reached = back.view["history"]["epoch"]
            assert reached > 0
            assert back.event("frame")["epoch"] > reached


def test_the_oldest_page_that_is_away_makes_room(monkeypatch):
    monkeypatch.setattr(limits, "SESSIONS", 2)
    with served_here() as (server, explorer):
        with Page(server) as first:
            pass
        with Page(server) as second:
            pass
        with Page(server), Page(server, resume=second.session) as back:
            assert back.session == second.session
            assert first.session not in explorer.sessions


def test_an_idle_page_is_let_go(monkeypatch):
    monkeypatch.setattr(limits, "IDLE_SECONDS", 0.3)
    with served_here() as (server, _):
        with pytest.raises(ConnectionClosed) as closed, Page(server) as page:
            page.ok("train", speed=100)  # what the server sends does not count
            while True:
                page.read()
        assert closed.value.rcvd.code == 4000


def test_who_sends_byte_by_byte_is_cut_off(monkeypatch):
    """Headers and bodies that never end (slowloris)."""
    monkeypatch.setattr(serving, "HEADER_SECONDS", 0.4)
    monkeypatch.setattr(limits, "BODY_SECONDS", 0.4)
    with served_here() as (server, _), Page(server) as page:
        host, _, port = server.base.removeprefix("http://").partition(":")
        head = upload(server, page)
        for start in ("", "GET / HTTP/1.1\r\n", f"{head}Content-Length: 1000\r\n\r\n"):
            with socket.create_connection((host, int(port)), timeout=10) as raw:
                raw.sendall(start.encode())
                raw.settimeout(0.1)
                answer, end = b"-", time.monotonic() + 60
                while answer:
                    assert time.monotonic() < end, start
                    try:
                        raw.sendall(b"x")
                        answer = raw.recv(4096)
                    except TimeoutError:
                        continue
                    except OSError:
                        break
        assert server.http.get(server.url).status_code == 200
        assert page.ok("pause")


def test_connections_that_send_nothing_keep_no_page_waiting(server):
    host, _, port = server.base.removeprefix("http://").partition(":")
    with ExitStack() as opened:
        for _ in range(450):  # more than the server serves at once
            opened.enter_context(socket.create_connection((host, int(port)), timeout=10))
        assert httpx.get(server.url, timeout=10, trust_env=False).status_code == 200


def test_what_the_event_loop_repeats_is_counted():
    counted, first = serving.Counted(), "socket.accept() out of system resource"
    said = [logging.LogRecord("asyncio", logging.ERROR, "", 0, first, (), None) for _ in range(1000)]
    shown = [record.getMessage() for record in said if counted.filter(record)]
    assert shown == [first, f"{first} (10 times)", f"{first} (100 times)", f"{first} (1,000 times)"]


def test_a_table_that_takes_too_long_is_given_up(monkeypatch):
    monkeypatch.setattr(limits, "TABLE_SECONDS", 0.01)
    with served_here() as (server, _), Page(server) as page:
        answer = server.post("/data", page.session, b"a,b\n1,2\n2,1\n3,5\n", "slow.csv")
        assert answer.json()["error"] == "slow.csv takes longer than 0.01 s to read; use a smaller table"


def test_a_table_that_takes_too_much_memory_is_given_up(tmp_path):
    """The process that reads is limited, not the server."""
    code = (
        "from backpath.explorer import limits, uploads\n"
        "limits.TABLE_BYTES = 64 * 2**20; uploads._limit_this_process()\n"
        "try:\n    bytearray(128 * 2**20)\nexcept MemoryError:\n    print('refused')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "refused" in done.stdout or done.returncode != 0


def test_a_fault_is_reported_plainly_and_the_session_survives(monkeypatch, capfd):
    def broken(scene, given):
        raise KeyError("a bug")

    monkeypatch.setitem(commands.QUESTIONS, "derive", broken)
    with served_here() as (server, _), Page(server) as page:
        assert page.error("derive", weight="W11_1").startswith("an internal error of the explorer")
        assert page.ok("pause")["weights"]
    assert "KeyError: 'a bug'" in capfd.readouterr().err


def test_no_token_in_what_the_server_prints():
    with served() as server:
        with Page(server) as page:
            page.ok("pause")
        server.get("/")
        server.http.get(f"{server.base}/?token=wrong")
        with socket.create_connection(("127.0.0.1", int(server.base.rpartition(":")[2]))) as raw:
            raw.sendall(b"nonsense\r\n\r\n")
            raw.recv(1000)
        server.stop()
    assert not any(server.token in line for line in server.errors)
