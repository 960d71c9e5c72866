"""The routes: the page and its files, the websocket, uploads and downloads."""

from __future__ import annotations

import asyncio
import secrets
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
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
from backpath.explorer.outbox import Outbox
from backpath.explorer.scene import Scene
from backpath.explorer.security import DOCUMENT_POLICY, Guard, Rules
from backpath.explorer.session import Session
from backpath.explorer.tables import read_table, safe_name
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
NO_SESSION = "there is no such session; reload the page"


class Explorer:
    """All sessions of a server.

    Parameters
    ----------
    rules : Rules
    scene : Scene
        What every session begins with.
    note : str
        What every page is told at first.
    """

    def __init__(self, rules: Rules, scene: Scene, note: str = "") -> None:
        self.rules, self.scene, self.note = rules, scene, note
        self.sessions: dict[str, Session] = {}
        self.workers = Workers()
        self._uploads = asyncio.Semaphore(limits.UPLOADS_AT_ONCE)

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        yield
        self.workers.close()

    async def page(self, request: Request) -> Response:
        html = (_static() / "index.html").read_text("utf-8")
        return HTMLResponse(html.replace("__STATIC__", f"/static/{self.rules.token}"))

    async def file(self, request: Request) -> Response:
        """A file of the page, by its exact name in the list of those that there are."""
        name = request.path_params["file"]
        if name == "font":
            return Response(_font(), media_type="font/ttf")
        found = {file.name: file for file in _static().iterdir() if file.is_file()}
        kind = KINDS.get(Path(name).suffix)
        if name not in found or kind is None:
            return PlainTextResponse("there is no such file", 404)
        return Response(found[name].read_bytes(), media_type=kind)

    async def websocket(self, socket: WebSocket) -> None:
        if len(self.sessions) >= limits.SESSIONS:
            await socket.receive()
            await socket.send_denial_response(PlainTextResponse(FULL, 503))
            return
        key = secrets.token_urlsafe(16)
        session = Session(key, self.scene, self.workers, Outbox(socket.send_text), self.note)
        self.sessions[key] = session
        try:
            await socket.accept()
            await session.greet()
            while True:
                text = await asyncio.wait_for(_text(socket), limits.IDLE_SECONDS)
                await session.answer(text)
        except TimeoutError:
            await socket.close(4000, IDLE)
        except (WebSocketDisconnect, OSError):
            pass  # the page has gone
        finally:
            del self.sessions[key]
            await session.close()

    async def upload_table(self, request: Request) -> Response:
        name = safe_name(request.headers.get("x-name", ""), "table.csv")
        target = request.query_params.get("target")

        async def taken(session: Session, body: bytes) -> dict[str, Any]:
            async with self._uploads:
                X, y, preparation = await asyncio.to_thread(read_table, body, name, target)
            await session.take(lambda: Scene.of_table(name, X, y, preparation))
            columns = [column.name for column in preparation.inputs]
            return {"columns": columns, "target": preparation.target.name, "rows": len(X)}

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
        except InputError as error:
            return JSONResponse({"error": " ".join(str(error).split())})  # an answer: the request was no fault

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
            Route("/static/{token}/{file}", self.file),
            WebSocketRoute("/ws", self.websocket),
            Route("/data", self.upload_table, methods=["POST"]),
            Route("/model", self.upload_model, methods=["POST"]),
            Route("/model", self.download_model),
            Route("/step", self.printed_step),
        ]
        return Starlette(routes=routes, middleware=[Middleware(Guard, self.rules)], lifespan=self.lifespan)


def _static() -> Traversable:
    return files("backpath.explorer") / "static"


def _font() -> bytes:
    """STIX Two Math, as it comes with ziamath, which need not be imported for that."""
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
    record |= {"batch_size": s.batch_size, "seed": s.seed, "epochs": scene.history.epoch}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.safetensors")
        save(Model(scene.network, scene.data.preparation, record), path)
        return path.read_bytes()


def _step_page(scene: Scene) -> str:
    X, y = scene.samples
    rate, cost = scene.settings.learning_rate, scene.settings.cost
    return explain_step(scene.network, X, y, cost, rate, labels=scene.input_labels).html()
