"""The explorer in a notebook: a frame that only the notebook's page may show, and the network in Python."""

from __future__ import annotations

import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import httpx
import nbclient
import nbformat
import numpy as np
import pytest

import backpath as bp
from backpath.errors import InputError
from explorer.talk import Page, Server

XOR = [[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0]


def page_of(exploration):
    """A page, as a browser would open it."""
    return Page(Server(process=None, url=exploration.url))


def test_the_edited_and_trained_network_is_returned():
    net = bp.Network((2, 3, 1), seed=1)
    with net.explore(*XOR, learning_rate=2.0) as exploration:
        assert exploration.network == net
        with page_of(exploration) as page:
            page.ok("weight", name="W11_1", value=0.25)
            assert exploration.network["W11_1"] == 0.25
            page.ok("train", speed="max", epochs=50)
            page.event("stopped")
        result = bp.train(net.replace({"W11_1": 0.25}), *XOR, epochs=50, learning_rate=2.0)
        assert np.concatenate([W.ravel() for W in exploration.network.weights]) == pytest.approx(
            np.concatenate([W.ravel() for W in result.network.weights])
        )
    assert exploration.network["W11_1"] != 0.25  # also once it is closed
    with pytest.raises(httpx.HTTPError):
        httpx.get(exploration.url)


def test_only_the_notebooks_page_may_frame_it():
    with bp.explore(bp.Network((2, 2, 1), seed=0)) as exploration:
        html = exploration._repr_html_()
        assert "encodeURIComponent(location.origin)" in html and exploration.url in html.replace("&amp;", "&")
        plain = httpx.get(exploration.url)
        assert "frame-ancestors 'none'" in plain.headers["content-security-policy"]
        assert plain.headers["x-frame-options"] == "DENY"
        framed = httpx.get(exploration.url + "&parent=http%3A%2F%2Flocalhost%3A8888")
        policy = framed.headers["content-security-policy"]
        assert re.search(r"frame-ancestors ([^;]*)", policy)[1] == "http://localhost:8888"
        assert policy.count("frame-ancestors") == 1
        base = f"http://{urlsplit(exploration.url).netloc}/"
        for query in (
            "?parent=http://localhost:8888",  # without the token
            exploration.url.partition("/?")[2] and f"?{urlsplit(exploration.url).query}&parent=*",
            f"?{urlsplit(exploration.url).query}&parent=http://a.b%3B%20script-src%20*",
        ):
            refused = httpx.get(base + query)
            assert "frame-ancestors 'none'" in refused.headers["content-security-policy"], query


def test_what_does_not_fit_is_refused():
    net = bp.Network((2, 2, 1), seed=0)
    with pytest.raises(InputError, match="X and y go together"):
        net.explore([[0, 1]])
    with pytest.raises(InputError, match="X has 3 numbers in a row"):
        net.explore([[0, 1, 2]], [1])
    with pytest.raises(InputError):
        net.explore(*XOR, cost="none")


def test_without_samples_a_row_can_be_typed():
    with bp.Network((2, 2, 1), seed=0).explore() as exploration, page_of(exploration) as page:
        assert page.view["data"]["typed"]
        assert page.ok("sample", x=[1, 0.5], y=[1])["sample"]["x"] == [1, 0.5]
        assert "no samples" in page.error("train")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the notebook's own machinery
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.filterwarnings("ignore:Proactor event loop:RuntimeWarning")  # on Windows
def test_a_cell_shows_the_page_once_whether_the_result_is_named_or_not(tmp_path):
    named = "import backpath as bp\nnet = bp.Network((2, 2, 1), seed=0)\nfirst = net.explore()"
    cells = [named, "net.explore()", "first"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(tmp_path)}}).execute()
    for cell in notebook.cells:
        assert sum("<iframe" in output["data"].get("text/html", "") for output in cell.outputs) == 1, cell.source


@pytest.mark.browser
def test_the_page_in_another_pages_frame(chromium):
    """A browser may refuse a page in a frame to keep anything, as it does to one of another site."""
    with bp.Network((2, 2, 1), seed=0).explore(*XOR) as exploration:

        class Cell(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.end_headers()
                self.wfile.write(f"<!doctype html>{exploration._repr_html_()}".encode())

            def log_message(self, *_):
                pass

        notebook = ThreadingHTTPServer(("127.0.0.1", 0), Cell)
        threading.Thread(target=notebook.serve_forever, daemon=True).start()
        page = chromium.new_context().new_page()
        page.goto(f"http://localhost:{notebook.server_port}/")
        frame = page.frame_locator("iframe")
        frame.locator("html[data-ready]").wait_for(state="attached")
        frame.locator('[data-weight="W11_1"]').click()
        frame.locator("#weight-value").fill("0,25")
        frame.get_by_role("button", name="Set", exact=True).click()
        frame.locator("#message").get_by_text("W11_1 is 0.25 now").wait_for()
        assert exploration.network["W11_1"] == 0.25
        page.context.close()
        notebook.shutdown()
        notebook.server_close()
