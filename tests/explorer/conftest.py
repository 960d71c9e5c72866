"""A real server, and a page on it: as its websocket alone, or in a real Chromium."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from explorer.talk import Page as Talk
from explorer.talk import Server, served

AXE = "axe-core@4"
expect.set_options(timeout=20_000)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with served() as running:
        yield running
        assert not running.errors  # no traceback, whatever the tests have sent


@pytest.fixture
def page(server: Server) -> Iterator[Talk]:
    """One learner's session without a browser, at the sample 0, 1."""
    with Talk(server) as opened:
        opened.ok("sample", index=1)
        yield opened


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for a module; it ends with it, because it keeps an event loop that others would trip over."""
    path = shutil.which("chromium")
    if path is None:
        pytest.skip("no chromium here (Debian: apt-get install chromium): the page is not tested")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser, server: Server) -> Iterator[Callable[..., Page]]:
    """``visit(fragment, **context)`` opens the page in a separate browser.

    At the end of each test: nothing was complained of on a console, and no request went elsewhere.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []
    elsewhere: list[str] = []
    here = urlsplit(server.url).netloc

    def open_page(fragment: str = "", **options: Any) -> Page:
        context = chromium.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: elsewhere.append(request.url) if is_elsewhere(request.url) else None)
        page.on("websocket", lambda socket: elsewhere.append(socket.url) if is_elsewhere(socket.url) else None)
        page.goto(server.url + fragment)
        page.wait_for_selector("html[data-ready]")
        return page

    def is_elsewhere(url: str) -> bool:
        return urlsplit(url).scheme not in ("data", "blob") and urlsplit(url).netloc != here

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
    assert elsewhere == []


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The source of axe-core, fetched once into a cache of the user's; the package has nothing of it."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "backpath-tests"
    source = cache / f"{AXE}.min.js"
    if not source.exists():
        if shutil.which("npm") is None:
            pytest.skip("no npm here (Debian: apt-get install npm) to fetch axe-core: accessibility is not tested")
        folder = tmp_path_factory.mktemp("npm")  # not the cache, which another process may read
        options = ("--no-save", "--ignore-scripts", "--no-audit", "--no-fund")
        command = ["npm", "install", "--prefix", folder, *options, AXE]
        fetched = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        if fetched.returncode != 0:
            pytest.skip(f"npm could not fetch {AXE}: accessibility is not tested ({fetched.stderr.strip()[-200:]})")
        cache.mkdir(parents=True, exist_ok=True)
        copied = shutil.copy(folder / "node_modules" / "axe-core" / "axe.min.js", cache / f"{os.getpid()}.js")
        Path(copied).replace(source)
    return source.read_text(encoding="utf-8")
