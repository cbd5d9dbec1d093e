"""Serving the pages until someone interrupts it."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from ipaddress import ip_address

from evoengine.errors import MissingExtra, SettingError
from evoengine.stores.base import Store

_NEEDED = ("starlette", "uvicorn", "jinja2", "pygments")
_PATIENCE = 0.15
"""Seconds that a page waits for records to be read; what is left is read while it is looked at."""


def require() -> None:
    """Makes sure that what the pages are made with is installed.

    Raises:
        MissingExtra: it is not.
    """
    if any(find_spec(name) is None for name in _NEEDED):
        raise MissingExtra("the web page", "web")


def is_local(host: str) -> bool:
    """Whether only this machine can reach an address."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def serve(
    store: Store,
    *,
    host: str = "127.0.0.1",
    port: int = 8765,
    names: Sequence[str] = (),
    ask_token: bool = False,
    problems: Sequence[str] = (),
    edits: bool = False,
    ready: Callable[[str], object] = str,
) -> None:
    """Serves the pages over an opened store until it is interrupted.

    Args:
        store: opened.
        host: to listen at; where others can reach it, a token is asked for.
        port: 0 for any that is free.
        names: under which it may be asked beside `host` (a proxy's, say).
        ask_token: whether to ask for a token on this machine too.
        problems: names or paths of problems that may be loaded to draw pictures, where a store names them by a path.
        edits: whether people may decide something on the pages; a token is asked for then, wherever it listens.
        ready: is told the address to open.

    Raises:
        MissingExtra: what the pages are made with is not installed.
        SettingError: it cannot listen there.
    """
    require()
    import uvicorn

    from evoengine.gallery import Gallery
    from evoengine.web.app import application
    from evoengine.web.following import Following
    from evoengine.web.guard import LOCAL
    from evoengine.web.rendering import warmed

    token = secrets.token_urlsafe(24) if ask_token or edits or not is_local(host) else None
    with _listening(host, port) as listener, Following(store, _PATIENCE) as following:
        app = application(following, hosts={*LOCAL, host, *names}, token=token, edits=edits, gallery=Gallery(problems))
        named = f"[{host}]" if ":" in host else host
        address = f"http://{named}:{listener.getsockname()[1]}/"
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, server_header=False, date_header=False, lifespan="off",
            ws="none", timeout_graceful_shutdown=2,
        )  # fmt: skip
        warmed()
        ready(f"{address}?token={token}" if token else address)
        uvicorn.Server(config).run(sockets=[listener])


def _listening(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
            listener.listen(128)  # who reads the address may ask at once
        except BaseException:
            listener.close()
            raise
    except OSError as error:
        raise SettingError(
            f"cannot listen at {host} port {port}: {error.strerror or error}; give another --port (0 takes any that "
            f"is free) or --host."
        ) from None
    return listener
