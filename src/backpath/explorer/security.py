"""Access to the server: only with the token, not from pages of other sites, and only under known host names.

The page and its files need no token, so that the token can leave the address bar: a reload reads it from the tab's
storage.

A page of another site can make a browser send requests here, but its Origin reveals it, a name that it points here
(DNS rebinding) is not in the list of hosts, and it does not know the token.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import parse_qs

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

STATIC = "/static/"
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
FRAMED = "SAMEORIGIN"  # for a page in a notebook's frame, browsers use the newer frame-ancestors of its policy
DOCUMENT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def page_policy(host: str) -> str:
    """The page's content security policy: its own modules, styles, font and websocket; nothing inline."""
    return (
        "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data: blob:; "
        f"connect-src 'self' ws://{host}; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


@dataclass(frozen=True)
class Rules:
    """The token, and the host names of this server.

    >>> Rules.of("secret", ["127.0.0.1", "::1"], 8000).hosts
    ('127.0.0.1:8000', '[::1]:8000')
    """

    token: str
    hosts: tuple[str, ...]

    @classmethod
    def of(cls, token: str, names: Iterable[str], port: int) -> Rules:
        return cls(token, tuple(f"[{name}]:{port}" if ":" in name else f"{name}:{port}" for name in names))

    def refusal(self, scope: Scope) -> str:
        """Why a request is refused, in one line; "" if it is not."""
        hosts, origins = _all(scope, b"host"), _all(scope, b"origin")
        if len(hosts) != 1 or hosts[0] not in self.hosts:
            return f"this server answers to {' and '.join(self.hosts)} only"
        needs_origin = scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD")
        own = f"http://{hosts[0]}"
        if any(origin != own for origin in origins) or (needs_origin and len(origins) != 1):
            return "requests from other pages are refused"
        if not is_open(scope) and not self.has_token(scope):
            return "the token is missing or wrong; open the address that backpath explore printed"
        return ""

    def has_token(self, scope: Scope) -> bool:
        given = parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=20).get("token", [])
        return len(given) == 1 and hmac.compare_digest(given[0].encode(), self.token.encode())


def is_open(scope: Scope) -> bool:
    """Whether it is the page or one of its files, which contain no data."""
    return scope["type"] == "http" and (scope["path"] == "/" or scope["path"].startswith(STATIC))


def _all(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


class Guard:
    """A middleware that refuses what the rules forbid, and adds the security headers to all answers."""

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self.app, self.rules = app, rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                given = {key.lower() for key, _ in message.get("headers", [])}
                policy = page_policy(_all(scope, b"host")[0]) if not reason else "default-src 'none'"
                every = HEADERS | {"Content-Security-Policy": policy}
                new = [(k.lower().encode(), v.encode()) for k, v in every.items() if k.lower().encode() not in given]
                message = {**message, "headers": [*message.get("headers", []), *new]}
            await send(message)

        try:
            reason = self.rules.refusal(scope)
        except ValueError:  # too many fields in the query
            reason = "the address has too many fields"
        answer = PlainTextResponse(reason, 403) if reason else self.app
        if reason and scope["type"] == "websocket":
            await receive()  # nothing may be sent before websocket.connect
        await answer(scope, receive, send_with_headers)
