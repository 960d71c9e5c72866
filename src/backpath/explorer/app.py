"""The routes: the websocket, uploads and downloads."""

from __future__ import annotations

import asyncio
import json
import secrets
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
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
from backpath.explorer import limits, page_files
from backpath.explorer.followed_run import SECONDS, FollowedRun
from backpath.explorer.outbox import GONE, Outbox
from backpath.explorer.protocol import no_constant
from backpath.explorer.saved_scene import kept_samples, kept_scene, restored
from backpath.explorer.scene import Scene
from backpath.explorer.security import DOCUMENT_POLICY, Guard, Rules
from backpath.explorer.session import Session
from backpath.explorer.uploads import LISTS, TableError, how_to_read, read_table, safe_name
from backpath.explorer.workers import Workers
from backpath.files.models import Model, load_model, save

FULL = f"the explorer is full: {limits.SESSIONS} pages are open; close one, or start another server"
IDLE = f"no message for {limits.IDLE_SECONDS // 60} minutes"
ELSEWHERE = "this session has been opened in another tab"
NO_SESSION = "there is no such session; reload the page"


class Explorer:
    """All sessions of a server.

    Parameters
    ----------
    rules : Rules
    scene : Scene
        The scene at the start of every session.
    note : str
        The first message to every page.
    run : FollowedRun | None
        A run that is trained elsewhere and shown here.
    """

    def __init__(self, rules: Rules, scene: Scene, note: str = "", run: FollowedRun | None = None) -> None:
        self.rules, self.scene, self.note, self.run = rules, scene, note, run
        self.left = scene  # the last scene of the session that ended last
        self.sessions: dict[str, Session] = {}
        self._sockets: dict[str, WebSocket] = {}
        self._away: dict[str, asyncio.Task[None]] = {}  # sessions whose page has disconnected, the longest first
        self.workers = Workers()
        self._uploads = asyncio.Semaphore(limits.UPLOADS_AT_ONCE)

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        following = asyncio.create_task(self._follow(self.run)) if self.run else None
        yield
        for task in (*self._away.values(), *([following] if following else [])):
            task.cancel()
        self.workers.close()

    async def _follow(self, run: FollowedRun) -> None:
        """Show the progress of a run."""
        while True:
            await asyncio.sleep(SECONDS)
            await self.workers.ask(run.look)
            self.scene = run.scene
            for session in list(self.sessions.values()):
                await session.follow(run.scene)

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
            pass  # the page has disconnected
        finally:
            if self._sockets.get(session.key) is socket:
                del self._sockets[session.key]
                session.attach(None)
                self._away[session.key] = asyncio.create_task(self._forget(session))

    async def _has_room(self) -> bool:
        """Whether another session may begin; the session whose page has been away the longest is ended to make room."""
        if len(self.sessions) >= limits.SESSIONS and self._away:
            key = next(iter(self._away))
            await self._end(self.sessions[key])
        return len(self.sessions) < limits.SESSIONS

    async def _stay(self, session: Session) -> None:
        """The page has reconnected."""
        task = self._away.pop(session.key, None)
        if task is not None:
            task.cancel()

    async def _forget(self, session: Session) -> None:
        """End a session whose page does not reconnect; before that, pause its run."""
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
        """The state that a page stores in its browser: the scene, or with ``data`` its samples."""
        session = self._session(request)
        if session is None:
            return JSONResponse({"error": NO_SESSION}, 404)
        scene = session.now
        if request.query_params.get("data"):
            return JSONResponse(await self.workers.ask(kept_samples, scene))
        return JSONResponse({**await self.workers.ask(kept_scene, scene), "speed": session.speed})

    async def bring_back(self, request: Request) -> Response:
        """Restore the state that a page stored, on a server that no longer knows its session."""

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
            await session.take(lambda: table.scene(scene))
            goal = table.data.preparation.target.name if table.data.preparation else ""
            found = {"columns": table.columns, "target": goal, "rows": len(table.data.X), "kept": table.is_models}
            return found | ({"lacking": table.lacking(model)} if model and not table.is_models else {})

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
            error = f"the file is larger than {most >> 20} MiB, the maximum"
            return JSONResponse({"error": error}, 413, {"Connection": "close"})
        try:
            return JSONResponse(await taken(session, body))
        except asyncio.CancelledError:  # Ctrl-C while a table is read
            return JSONResponse({"error": "the explorer is being stopped"}, 503)
        except InputError as error:  # an answer, not a fault of the request
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
            *page_files.routes(self.rules),
            WebSocketRoute("/ws", self.websocket),
            Route("/data", self.upload_table, methods=["POST"]),
            Route("/model", self.upload_model, methods=["POST"]),
            Route("/model", self.download_model),
            Route("/step", self.printed_step),
            Route("/kept", self.kept),
            Route("/kept", self.bring_back, methods=["POST"]),
        ]
        return Starlette(routes=routes, middleware=[Middleware(Guard, self.rules)], lifespan=self.lifespan)


async def _text(socket: WebSocket) -> str | None:
    """The text of the next message, or None."""
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect(message["code"])
    text: str | None = message.get("text")
    return text


async def _body(request: Request, most: int) -> bytes | None:
    """The whole body, or None if it is too large; no more than the maximum is read."""
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
