"""The page and its files, which are the same for all users and contain no data, so that they need no token."""

from __future__ import annotations

import gzip
import hashlib
import re
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from importlib.util import find_spec
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from backpath.explorer.security import FRAMED, Rules, page_policy

MEDIA_TYPES = {
    "": "font/ttf",
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".json": "application/json",
}
FONT, PAGE = "font", "index.html"
PARENT = re.compile(r"(https?|vscode-webview)://[\w.\-]+(:\d+)?|https?://\[[0-9a-f:]+\](:\d+)?", re.ASCII)


def routes(rules: Rules) -> list[Route]:
    """The routes of the page and its files."""

    async def page(request: Request) -> Response:
        parent, headers = request.query_params.get("parent", ""), dict[str, str]()
        if parent and PARENT.fullmatch(parent) and rules.has_token(request.scope):  # a notebook's cell
            policy = page_policy(request.headers["host"]).replace("frame-ancestors 'none'", f"frame-ancestors {parent}")
            headers = {"Content-Security-Policy": policy, "X-Frame-Options": FRAMED}
        return _answer(request, PAGE, headers)

    return [Route("/", page), Route("/static/{digest}/{file}", _file)]


async def _file(request: Request) -> Response:
    """A file of the page, by its exact name in the list of files."""
    name = request.path_params["file"]
    found = {file.name for file in _static().iterdir() if file.is_file()} | {FONT}
    if name not in found or Path(name).suffix not in MEDIA_TYPES:
        return PlainTextResponse("there is no such file", 404)
    fresh = request.path_params["digest"] == _digest()  # a page of another version may still be open
    return _answer(request, name, {"Cache-Control": "private, max-age=31536000, immutable"} if fresh else {})


def _answer(request: Request, name: str, headers: dict[str, str]) -> Response:
    """A file, compressed if the browser accepts that."""
    raw, packed = _file_bytes(name)
    headers = {"Vary": "Accept-Encoding", **headers}
    if "gzip" in request.headers.get("accept-encoding", ""):
        raw, headers = packed, {**headers, "Content-Encoding": "gzip"}
    return Response(raw, media_type=MEDIA_TYPES[Path(name).suffix], headers=headers)


def _static() -> Traversable:
    return files("backpath.explorer") / "static"


@lru_cache(maxsize=64)
def _file_bytes(name: str) -> tuple[bytes, bytes]:
    """A file of the page, and its compressed form for a slow line."""
    raw = _font() if name == FONT else (_static() / name).read_bytes()
    if name == PAGE:
        raw = raw.replace(b"__STATIC__", f"/static/{_digest()}".encode())
    return raw, gzip.compress(raw, 6, mtime=0)


@lru_cache(maxsize=1)
def _digest() -> str:
    """A digest of all files of the page; browsers cache them under it without limit."""
    digest = hashlib.sha256(_font())
    for file in sorted(_static().iterdir(), key=lambda file: file.name):
        if file.is_file():
            digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def _font() -> bytes:
    """STIX Two Math from the package ziamath, without importing it."""
    spec = find_spec("ziamath")
    folders = spec.submodule_search_locations if spec else None
    return Path((folders or [""])[0], "fonts", "STIXTwoMath-Regular.ttf").read_bytes()
