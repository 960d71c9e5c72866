"""The routes: the page and its files, the websocket, uploads and downloads."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import re
import secrets
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from backpath.errors import DivergenceError, InputError
from backpath.explain.step import explain_step
from backpath.explorer import limits
from backpath.explorer.outbox import GONE, Outbox
from backpath.explorer.protocol import no_constant
from backpath.explorer.saved_scene import kept_samples, kept_scene, restored
from backpath.explorer.scene import Scene
from backpath.explorer.security import DOCUMENT_POLICY, FRAMED, Guard, Rules, page_policy
from backpath.explorer.session import Session
from backpath.explorer.uploads import LISTS, TableError, how_to_read, read_table, safe_name
from backpath.explorer.workers import Workers
from backpath.files.models import Model, load_model, save

KINDS = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".json": "application/json",
}
FULL = f"the explorer is full: {limits.SESSIONS} pages are open; close one, or start another server"
IDLE = f"no message for {limits.IDLE_SECONDS // 60} minutes"
ELSEWHERE = "this session has been opened in another tab"
FONT = "font"
PARENT = re.compile(r"(https?|vscode-webview)://[\w.\-]+(:\d+)?|https?://\[[0-9a-f:]+\](:\d+)?", re.ASCII)
NO_SESSION = "there is no such session; reload the page"


class Explorer:
    """All sessions of a server.

    Parameters
    ----------
    rules : Rules
    scene : Scene
        What every session begins with.
    note : str
        What every page gets first.
    """

    def __init__(self, rules: Rules, scene: Scene, note: str = "") -> None:
        self.rules, self.scene, self.note = rules, scene, note
        self.left = scene  # what the session had that ended last
        self.sessions: dict[str, Session] = {}
        self._sockets: dict[str, WebSocket] = {}
        self._away: dict[str, asyncio.Task[None]] = {}  # sessions whose page has gone, the longest first
        self.workers = Workers()
        self._uploads = asyncio.Semaphore(limits.UPLOADS_AT_ONCE)

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        yield
        for task in self._away.values():
            task.cancel()
        self.workers.close()

    async def page(self, request: Request) -> Response:
        """The page itself, which holds nothing of anybody's and needs no token."""
        html = (_static() / "index.html").read_text("utf-8").replace("__STATIC__", f"/static/{_digest()}")
        parent = request.query_params.get("parent", "")
        if parent and PARENT.fullmatch(parent) and self.rules.has_token(request.scope):  # a notebook's cell
            policy = page_policy(request.headers["host"]).replace("frame-ancestors 'none'", f"frame-ancestors {parent}")
            return HTMLResponse(html, headers={"Content-Security-Policy": policy, "X-Frame-Options": FRAMED})
        return HTMLResponse(html)

    async def file(self, request: Request) -> Response:
        """A file of the page, by its exact name in the list of those that there are."""
        name = request.path_params["file"]
        found = {file.name: file for file in _static().iterdir() if file.is_file()}
        kind = "font/ttf" if name == FONT else KINDS.get(Path(name).suffix)
        if kind is None or (name not in found and name != FONT):
            return PlainTextResponse("there is no such file", 404)
        raw, packed = _file_bytes(name)
        headers = {"Vary": "Accept-Encoding"}
        if "gzip" in request.headers.get("accept-encoding", ""):
            raw, headers = packed, {**headers, "Content-Encoding": "gzip"}
        fresh = request.path_params["digest"] == _digest()  # another version's page may be open still
        if fresh:
            headers["Cache-Control"] = "private, max-age=31536000, immutable"
        return Response(raw, media_type=kind, headers=headers)

    async def websocket(self, socket: WebSocket) -> None:
        session = self.sessions.get(socket.query_params.get("resume", ""))
        resumed = session is not None
        if session is None:
            if not await self._has_room():
                await socket.receive()
                await socket.send_denial_response(PlainTextResponse(FULL, 503))
                return
            key = secrets.token_urlsafe(16)
            session = self.sessions[key] = Session(key, self.scene, self.workers, Outbox(socket.send_text), self.note)
        await self._stay(session)
        try:
            await socket.accept()
            other = self._sockets.pop(session.key, None)
            self._sockets[session.key] = socket
            session.attach(socket.send_text)
            if other is not None:
                with suppress(*GONE):
                    await other.close(4001, ELSEWHERE)
            await session.greet(resumed)
            while True:
                text = await asyncio.wait_for(_text(socket), limits.IDLE_SECONDS)
                await session.answer(text)
        except TimeoutError:
            with suppress(*GONE):
                await socket.close(4000, IDLE)
        except GONE:
            pass  # the page has gone
        finally:
            if self._sockets.get(session.key) is socket:
                del self._sockets[session.key]
                session.attach(None)
                self._away[session.key] = asyncio.create_task(self._forget(session))

    async def _has_room(self) -> bool:
        """Whether another session may begin; the one whose page is away the longest makes room."""
        if len(self.sessions) >= limits.SESSIONS and self._away:
            key = next(iter(self._away))
            await self._end(self.sessions[key])
        return len(self.sessions) < limits.SESSIONS

    async def _stay(self, session: Session) -> None:
        """The page is back."""
        task = self._away.pop(session.key, None)
        if task is not None:
            task.cancel()

    async def _forget(self, session: Session) -> None:
        """End a session whose page does not come back; its run rests before that."""
        await asyncio.sleep(min(limits.RUN_SECONDS, limits.AWAY_SECONDS))
        await session.rest()
        await asyncio.sleep(max(0, limits.AWAY_SECONDS - limits.RUN_SECONDS))
        await self._end(session, waited=True)

    async def _end(self, session: Session, waited: bool = False) -> None:
        task = self._away.pop(session.key, None)
        if task is not None and not waited:
            task.cancel()
        self.sessions.pop(session.key, None)
        self.left = session.now
        await session.close()

    async def kept(self, request: Request) -> Response:
        """What a page keeps in its browser: the scene, or with ``data`` its samples."""
        session = self._session(request)
        if session is None:
            return JSONResponse({"error": NO_SESSION}, 404)
        scene = session.now
        if request.query_params.get("data"):
            return JSONResponse(await self.workers.ask(kept_samples, scene))
        return JSONResponse({**await self.workers.ask(kept_scene, scene), "speed": session.speed})

    async def bring_back(self, request: Request) -> Response:
        """What a page kept, for a server that does not know its session any more."""

        async def taken(session: Session, body: bytes) -> dict[str, Any]:
            try:
                found = json.loads(body, parse_constant=no_constant)
            except (ValueError, RecursionError):
                raise InputError("the saved state of the page is not JSON") from None
            if not isinstance(found, dict):
                raise InputError("the saved state of the page must be a JSON object")
            await session.take(lambda: restored(found))
            return {}

        return await self._upload(request, limits.KEPT_BYTES, taken)

    async def upload_table(self, request: Request) -> Response:
        name = safe_name(request.headers.get("x-name", ""), "table.csv")
        query = request.query_params
        target = query.get("target")
        how = how_to_read({**dict(query), **{key: query.getlist(key) for key in LISTS}})

        async def taken(session: Session, body: bytes) -> dict[str, Any]:
            async with self._uploads:
                scene = session.now
                model = scene.data.preparation if scene.loaded and target is None else None
                table = await asyncio.to_thread(read_table, body, name, target, model, how)
            await session.take(lambda: table.scene(name, scene))
            goal = table.preparation.target.name
            return {"columns": table.columns, "target": goal, "rows": len(table.X), "kept": table.is_models}

        return await self._upload(request, limits.UPLOAD_BYTES, taken)

    async def upload_model(self, request: Request) -> Response:
        name = safe_name(request.headers.get("x-name", ""), "model.safetensors")

        async def taken(session: Session, body: bytes) -> dict[str, Any]:
            model = await asyncio.to_thread(_model, body, name)
            await session.take(lambda: Scene.of_model(model))
            return {"sizes": list(model.network.sizes)}

        return await self._upload(request, limits.MODEL_BYTES, taken)

    async def _upload(self, request: Request, most: int, taken: Callable[..., Any]) -> Response:
        session = self._session(request)
        if session is None:
            return JSONResponse({"error": NO_SESSION}, 404)
        try:
            async with asyncio.timeout(limits.BODY_SECONDS):
                body = await _body(request, most)
        except TimeoutError:
            return JSONResponse({"error": "the file took too long to arrive"}, 408, {"Connection": "close"})
        if body is None:
            error = f"the file is larger than {most >> 20} MiB, which is the most that is taken"
            return JSONResponse({"error": error}, 413, {"Connection": "close"})
        try:
            return JSONResponse(await taken(session, body))
        except InputError as error:  # an answer: the request was no fault
            more = {"options": error.options, "columns": error.columns} if isinstance(error, TableError) else {}
            return JSONResponse({"error": " ".join(str(error).split()), **more})

    async def download_model(self, request: Request) -> Response:
        session = self._session(request)
        if session is None:
            return PlainTextResponse(NO_SESSION, 404)
        headers = {"Content-Disposition": 'attachment; filename="backpath.safetensors"'}
        raw = await self.workers.ask(_model_bytes, session.now)
        return Response(raw, media_type="application/octet-stream", headers=headers)

    async def printed_step(self, request: Request) -> Response:
        session = self._session(request)
        if session is None:
            return PlainTextResponse(NO_SESSION, 404)
        try:
            html = await self.workers.ask(_step_page, session.now)
        except (InputError, DivergenceError) as error:
            return PlainTextResponse(" ".join(str(error).split()), 422)
        return HTMLResponse(html, headers={"Content-Security-Policy": DOCUMENT_POLICY})

    def _session(self, request: Request) -> Session | None:
        return self.sessions.get(request.query_params.get("session", ""))

    def app(self) -> Starlette:
        """The application."""
        routes = [
            Route("/", self.page),
            Route("/static/{digest}/{file}", self.file),
            WebSocketRoute("/ws", self.websocket),
            Route("/data", self.upload_table, methods=["POST"]),
            Route("/model", self.upload_model, methods=["POST"]),
            Route("/model", self.download_model),
            Route("/step", self.printed_step),
            Route("/kept", self.kept),
            Route("/kept", self.bring_back, methods=["POST"]),
        ]
        return Starlette(routes=routes, middleware=[Middleware(Guard, self.rules)], lifespan=self.lifespan)


def _static() -> Traversable:
    return files("backpath.explorer") / "static"


@lru_cache(maxsize=64)
def _file_bytes(name: str) -> tuple[bytes, bytes]:
    """A file of the page, and the same packed for a slow line."""
    raw = _font() if name == FONT else (_static() / name).read_bytes()
    return raw, gzip.compress(raw, 6, mtime=0)


@lru_cache(maxsize=1)
def _digest() -> str:
    """What changes with every file of the page: browsers keep them under it for ever."""
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


async def _text(socket: WebSocket) -> str | None:
    """The text of the next message; None if it has none."""
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message["code"])
    text: str | None = message.get("text")
    return text


async def _body(request: Request, most: int) -> bytes | None:
    """The whole body, None if it is larger; never more of it than that is read."""
    if int(request.headers.get("content-length", "0")) > most:
        return None
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            return None
        parts.append(part)
    return b"".join(parts)


def _model(raw: bytes, name: str) -> Model:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(raw)
        try:
            return load_model(path)
        except InputError as error:
            raise InputError(str(error).replace(str(path), name)) from None


def _model_bytes(scene: Scene) -> bytes:
    s = scene.settings
    record = {"source": scene.data.name, "cost": s.cost, "solver": s.solver, "learning_rate": s.learning_rate}
    record |= {"batch_size": s.batch_size, "seed": s.seed, "epochs": scene.timeline.epoch}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.safetensors")
        save(Model(scene.network, scene.data.preparation, record), path)
        return path.read_bytes()


def _step_page(scene: Scene) -> str:
    X, y = scene.samples
    rate, cost = scene.settings.learning_rate, scene.settings.cost
    return explain_step(scene.network, X, y, cost, rate, labels=scene.input_labels).html()
