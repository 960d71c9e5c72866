"""Who may talk to the explorer, and how much: attacks as requests to a real server."""

from __future__ import annotations

import re
import socket

import pytest
from starlette.routing import Route, WebSocketRoute

from backpath.explorer.app import Explorer
from backpath.explorer.scene import Scene
from backpath.explorer.security import Rules
from explorer.talk import Page, served

ROUTES = Explorer(Rules.of("t", ["127.0.0.1"], 1), Scene.of_data_set("xor")).app().routes
FILLED = {"{digest}": "x", "{file}": "main.js"}
OPEN = ("/", "/static/{digest}/{file}")  # the page and its files, with nothing of anybody's in them


@pytest.fixture(scope="module")
def server():
    with served() as running:
        yield running
        assert not running.errors


def path_of(route):
    path = route.path
    for place, value in FILLED.items():
        path = path.replace(place, value)
    return path


REQUESTS = [  # every HTTP route with each of its methods
    pytest.param(route, method, id=f"{method} {route.path}")
    for route in ROUTES
    if isinstance(route, Route)
    for method in sorted(route.methods)
]


def status(server, route, method, token, query=True, **headers):
    url = f"{server.base}{path_of(route)}"
    return server.http.request(
        method, url, params={"token": token} if query else None, headers={"Origin": server.base} | headers
    )


def handshake(server, token, **headers):
    """The status with which a websocket's handshake is answered."""
    given = {"Origin": server.base} | headers
    lines = [
        f"GET /ws?token={token} HTTP/1.1",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
    ]
    lines += ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", *(f"{k}: {v}" for k, v in given.items() if v is not None)]
    host = server.base.removeprefix("http://")
    if "Host" not in headers:
        lines.append(f"Host: {host}")
    name, _, port = host.partition(":")
    with socket.create_connection((name, int(port)), timeout=10) as raw:
        raw.sendall("\r\n".join([*lines, "", ""]).encode())
        return int(raw.recv(4096).split()[1])


def test_every_route_is_known_here():
    """A new route is guarded like the others, and is to be looked at: does it need the session's key?"""
    paths = {(route.path, isinstance(route, WebSocketRoute)) for route in ROUTES}
    assert paths == {(p, False) for p in (*OPEN, "/data", "/model", "/step", "/kept")} | {("/ws", True)}


@pytest.mark.parametrize(("route", "method"), REQUESTS)
@pytest.mark.parametrize("token", ["", "wrong", "ä", "%00"])
def test_no_route_answers_without_the_token(server, route, method, token):
    answer = status(server, route, method, token)
    if route.path in OPEN:
        assert answer.status_code == 200
        return
    assert answer.status_code == 403
    assert method == "HEAD" or answer.text.startswith("the token is missing or wrong")
    assert status(server, route, method, server.token).status_code != 403
    assert status(server, route, method, server.token, query=False).status_code == 403


def test_two_tokens_are_refused(server):
    assert server.http.get(f"{server.base}/step?token=x&token={server.token}").status_code == 403
    assert server.http.get(f"{server.base}/step?{'a=1&' * 1000}token={server.token}").status_code == 403


@pytest.mark.parametrize(("route", "method"), REQUESTS)
@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "localhost:1", "127.0.0.1.evil.example", "evil@127.0.0.1", ""]
)
def test_no_route_answers_to_another_name(server, route, method, host):
    """DNS rebinding: a foreign name that points here."""
    port = server.base.rpartition(":")[2]
    for name in (host, f"{host}:{port}") if host != "127.0.0.1" else (host,):
        answer = status(server, route, method, server.token, Host=name)
        assert answer.status_code in (400, 403), name


@pytest.mark.parametrize(("route", "method"), REQUESTS)
@pytest.mark.parametrize("origin", ["null", "https://evil.example", "http://localhost:1", "http://127.0.0.1"])
def test_no_route_answers_another_sites_page(server, route, method, origin):
    assert status(server, route, method, server.token, Origin=origin).status_code == 403


def test_a_form_without_an_origin_is_refused(server):
    """A GET without one is a link that a user opens; a request that writes must name its origin."""
    asked = {"token": server.token, "session": "x"}
    assert server.http.post(f"{server.base}/data", params=asked, content=b"a,b\n1,2\n").status_code == 403
    assert server.http.get(f"{server.base}/", params=asked).status_code == 200


@pytest.mark.parametrize(
    ("token", "headers"),
    [
        ("", {}),
        ("wrong", {}),
        (None, {"Origin": None}),
        (None, {"Origin": "null"}),
        (None, {"Origin": "https://evil.example"}),
        (None, {"Host": "evil.example"}),
        (None, {"Host": "evil.example", "Origin": "http://evil.example"}),
    ],
)
def test_no_socket_opens_for_others(server, token, headers):
    assert handshake(server, server.token if token is None else token, **headers) == 403
    assert handshake(server, server.token) == 101


@pytest.mark.parametrize("name", ["localhost", "[::1]"])
def test_the_names_of_this_machine_do(server, name):
    host = f"{name}:{server.base.rpartition(':')[2]}"
    assert handshake(server, server.token, Host=host, Origin=f"http://{host}") == 101


@pytest.mark.parametrize(
    "path",
    ["..%2f__init__.py", "..%2f..%2fpyproject.toml", "%2e%2e/app.py", "..%5capp.py", "....//app.py", "%2fetc%2fpasswd",
     "main.js%00.css", "main.js/..%2fapp.py", "..;/app.py", "%252e%252e%252fapp.py", "file:%2f%2f%2fetc%2fpasswd",
     "MAIN.JS"],
)  # fmt: skip
def test_only_the_pages_files_are_served(server, path):
    host, _, port = server.base.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=10) as raw:  # clients would tidy the path up
        raw.sendall(f"GET /static/x/{path} HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: raw.recv(65536), b""))
    assert int(answer.split()[1]) in (403, 404)
    assert b"import" not in answer


def test_every_answer_has_the_headers(server):
    answers = [server.get("/"), server.get("/nothing"), server.http.get(f"{server.base}/"), server.get("/step")]
    files = [server.http.get(f"{server.base}/static/x/main.js")]
    answers += [*files, server.post("/data", "x", b"")]
    for answer in answers:
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert answer.headers["cross-origin-opener-policy"] == "same-origin"
        assert "server" not in answer.headers


def test_another_sessions_data_need_its_key(server):
    with Page(server) as mine, Page(server) as theirs:
        theirs.ok("weight", name="W11_1", value=7)
        for session in ("", "x", mine.session[:-1], mine.session.lower() + "x"):
            assert server.get("/model", params={"session": session}).status_code == 404
            assert server.get("/step", params={"session": session}).status_code == 404
            assert server.get("/kept", params={"session": session}).status_code == 404
            for path in ("/data", "/model", "/kept"):
                answer = server.post(path, session, b"a,b\n1,2\n2,1\n")
                assert answer.status_code == 404
                assert answer.json() == {"error": "there is no such session; reload the page"}
        assert len({mine.session, theirs.session}) == 2
        assert len(mine.session) >= 20
        assert mine.ok("pause")["weights"] == mine.view["weights"]  # what they did is nothing to me


def test_the_pages_files_are_kept_by_browsers_under_their_digest(server):
    page = server.http.get(f"{server.base}/")
    assert page.headers["cache-control"] == "no-store"
    assert server.token not in page.text
    address = re.search(r"/static/([0-9a-f]{16})/main\.js", page.text)[0]
    for name in ("main.js", "base.css", "font"):
        found = server.http.get(f"{server.base}{address.replace('main.js', name)}")
        assert "immutable" in found.headers["cache-control"]
    assert server.http.get(f"{server.base}/static/{'0' * 16}/main.js").headers["cache-control"] == "no-store"
