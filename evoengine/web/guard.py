"""What every request has to pass and every answer carries."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from hashlib import blake2b
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PICTURE_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
"""Of an SVG, whoever made it: opened by itself it is a document, which must neither run nor load anything."""
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


class Guard:
    """Lets through what asks under a known host name, to read, and with the token where there is one.

    A page that another site's script opens under a name of its own which it has pointed at this machine (DNS
    rebinding) asks under that name, and is refused.

    Args:
        app: what is guarded.
        hosts: the names that it may be asked under.
        token: what a visitor has to know; None where nobody is asked for it. Asked under an address in place of a
            name it then answers too, as no rebinding is possible without a name.
        edits: whether forms may be sent, too, from pages of this very address: a form on another site's page, which
            a browser would send with the cookie, names that site as its origin.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str], token: str | None, edits: bool = False) -> None:
        self._app, self._hosts, self._token = app, frozenset(host.lower() for host in hosts), token
        self._methods = ("GET", "HEAD", "POST") if edits else ("GET", "HEAD")
        # by token, so that two of them on one machine, whatever their ports, leave each other's cookies alone
        mark = blake2b((token or "").encode(), digest_size=6).hexdigest()
        self._cookie = f"evoengine-{mark}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                told = message.get("headers", [])
                kept = [(name, value) for name, value in told if name.decode().lower() not in HEADERS]
                own = {**HEADERS, **({"content-security-policy": PICTURE_POLICY} if _is_svg(told) else {})}
                message = {**message, "headers": [*kept, *((k.encode(), v.encode()) for k, v in own.items())]}
            await send(message)

        if not self._hosted(scope):
            await _said(sending, 421, "This address is not known here. Open the page under the address it was given.")
        elif scope["method"] not in self._methods:
            told = "These pages are read-only: they answer GET and HEAD."
            allowed = ", ".join(self._methods).encode()
            await _said(sending, 405, told if len(self._methods) == 2 else "No page does that.", [(b"allow", allowed)])
        elif scope["method"] == "POST" and not _from_here(scope):
            await _said(sending, 403, "Forms are taken from these pages alone.")
        elif self._token is None or self._carries(scope, self._token):
            await self._app(scope, receive, sending)
        else:
            await self._asked(scope, sending, self._token)

    def _hosted(self, scope: Scope) -> bool:
        given = [value for name, value in scope["headers"] if name == b"host"]
        if len(given) != 1:
            return False
        name = _name_of(given[0].decode("latin-1"))
        return name in self._hosts or (self._token is not None and _is_address(name))

    def _carries(self, scope: Scope, token: str) -> bool:
        if "token" in dict(_query(scope)):
            return False  # it is taken out of the address first
        for name, value in scope["headers"]:
            if name == b"cookie":
                for pair in value.decode("latin-1").split(";"):
                    key, _, told = pair.strip().partition("=")
                    if key == self._cookie and _same(told, token):
                        return True
        return False

    async def _asked(self, scope: Scope, send: Send, token: str) -> None:
        query = _query(scope)
        told = next((value for name, value in query if name == "token"), None)
        if told is None or not _same(told, token):
            await _said(send, 401, "This page asks for a token: open the address that `evoengine view` printed.")
            return
        rest = urlencode([(name, value) for name, value in query if name != "token"])
        # one slash: an address that starts with two would lead to another host
        path = "/" + scope.get("raw_path", scope["path"].encode()).decode("latin-1").split("?", 1)[0].lstrip("/\\")
        where = f"{path}?{rest}" if rest else path
        cookie = f"{self._cookie}={token}; Path=/; HttpOnly; SameSite=Lax"
        headers = [(b"location", where.encode("latin-1", "replace")), (b"set-cookie", cookie.encode())]
        await _said(send, 303, "Go on without the token in the address.", headers)


def _is_svg(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    return any(name.lower() == b"content-type" and value.startswith(b"image/svg") for name, value in headers)


def _from_here(scope: Scope) -> bool:
    """Whether a form was sent from a page under the very name and port that it was sent to."""
    origins = [value for name, value in scope["headers"] if name == b"origin"]
    [host] = [value for name, value in scope["headers"] if name == b"host"]
    return len(origins) == 1 and origins[0].lower() in (b"http://" + host.lower(), b"https://" + host.lower())


def _query(scope: Scope) -> list[tuple[str, str]]:
    return parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode())


def _name_of(host: str) -> str:
    """The name in a host header, without a port."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


async def _said(send: Send, status: int, text: str, headers: list[tuple[bytes, bytes]] | None = None) -> None:
    body = f"{text}\n".encode()
    told = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*told, *(headers or [])]})
    await send({"type": "http.response.body", "body": body})
