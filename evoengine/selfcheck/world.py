"""What attacks are offered to spoil, steal and reach: all of it made for one run, and worth nothing."""

from __future__ import annotations

import ctypes
import os
import secrets
import shutil
import socket
import stat
from contextlib import suppress
from pathlib import Path

from evoengine.types import JSON

ENVIRONMENT = "EVOENGINE_SELFCHECK_TOKEN"
"""The environment variable that holds a secret of the engine; it must be set when its process is started."""

_PLACES = ("/tmp", "/var/tmp", "/dev/shm", "/run", "/")
_CANARY = "as it was\n"


class World:
    """Canaries, secrets and listeners, in a folder that everybody may write to.

    That anybody may is the point: what keeps a candidate from them is the sandbox, and not the modes of the files.

    Args:
        folder: made, and removed again by `close`.
        engine: the process id of the engine; by default this one.
    """

    def __init__(self, folder: Path, engine: int | None = None) -> None:
        self.folder = folder
        self.mark = f"evoattack{secrets.token_hex(6)}"
        self.engine = os.getpid() if engine is None else engine
        self.secrets = {name: f"stolen-{name}-{secrets.token_hex(16)}" for name in ("file", "private", "name", "open")}
        self.secrets["environment"] = os.environ.get(ENVIRONMENT, f"unset-{secrets.token_hex(16)}")
        self._remembered = f"stolen-memory-{secrets.token_hex(16)}"
        self.secrets["memory"] = self._remembered
        # twice: one to be read and one to be overwritten, as a write must not hide what was read
        self.memory = ctypes.create_string_buffer(self._remembered.encode())
        self.spare = ctypes.create_string_buffer(_CANARY.encode())
        folder.mkdir(mode=0o755)
        folder.chmod(0o777)
        self._write("canary", _CANARY, 0o666)
        self._write("second", _CANARY, 0o666)
        self._write("private_canary", _CANARY, 0o600)
        self._write("secret", self.secrets["file"], 0o644)
        self._write("private_secret", self.secrets["private"], 0o600)
        (folder / "inside").mkdir()
        (folder / "inside").chmod(0o777)
        self._write(f"inside/{self.secrets['name']}", "", 0o644)
        self._write("open", self.secrets["open"], 0o644)
        self._open = os.open(folder / "open", os.O_RDONLY)
        os.set_inheritable(self._open, True)
        (folder / "open").unlink()
        with open(folder / "large", "wb") as large:
            large.truncate(256 * 2**20)
        self.listeners: dict[str, socket.socket] = {}
        self._listen()
        self.canaries = self.seen()

    def facts(self, warm: int) -> dict[str, JSON]:
        """What an attack is told: everything but the secrets.

        Args:
            warm: the process id of the process that candidates are forked from.
        """
        ports = {name: one.getsockname()[1] for name, one in self.listeners.items() if name in ("tcp", "tcp6", "udp")}
        return {
            "mark": self.mark,
            "folder": str(self.folder),
            "canary": str(self.folder / "canary"),
            "second": str(self.folder / "second"),
            "private_canary": str(self.folder / "private_canary"),
            "secret": str(self.folder / "secret"),
            "private_secret": str(self.folder / "private_secret"),
            "inside": str(self.folder / "inside"),
            "large": str(self.folder / "large"),
            "unix": str(self.folder / "unix"),
            "datagram": str(self.folder / "datagram"),
            "abstract": self.mark,
            "ports": ports,
            "engine": self.engine,
            "warm": warm,
            "open": self._open,
            "token": ENVIRONMENT,
            "memory": [ctypes.addressof(self.memory), len(self.memory) - 1],
            "spare": [ctypes.addressof(self.spare), len(self.spare) - 1],
            "places": [place for place in _PLACES if os.path.isdir(place)],
        }

    def seen(self) -> dict[str, JSON]:
        """Everything about the files that must not change, by name."""
        found: dict[str, JSON] = {"memory": self.memory.value == self._remembered.encode()}
        found["spare"] = self.spare.value == _CANARY.encode()
        for root, folders, names in os.walk(self.folder):
            for name in (*folders, *names):
                path = os.path.join(root, name)
                about = os.lstat(path)
                held = ""
                if stat.S_ISREG(about.st_mode) and about.st_size < 4096:
                    with suppress(OSError), open(path, encoding="utf-8", errors="replace") as file:
                        held = file.read()
                attributes = os.listxattr(path, follow_symlinks=False)
                links = 0 if stat.S_ISDIR(about.st_mode) else about.st_nlink
                owners = [about.st_uid, about.st_gid]
                shape = [about.st_mode, about.st_size, about.st_mtime_ns, links]
                found[os.path.relpath(path, self.folder)] = [*shape, *owners, held, attributes]
        return found

    def left_over(self) -> list[str]:
        """What carries this world's mark, or was left in its folder."""
        found = [
            os.path.join(place, name)
            for place in _PLACES
            if os.path.isdir(place)
            for name in os.listdir(place)
            if self.mark in name
        ]
        found += [str(self.folder / name) for name in self.seen() if name not in self.canaries]
        return found

    def contacted(self) -> list[str]:
        """The listeners that somebody reached since this was last asked."""
        found = []
        for name, listener in self.listeners.items():
            with suppress(BlockingIOError):
                if listener.type == socket.SOCK_STREAM:
                    listener.accept()[0].close()
                else:
                    listener.recv(64)
                found.append(name)
        return found

    def close(self) -> None:
        """Removes all of it, with what attacks left."""
        for listener in self.listeners.values():
            listener.close()
        os.close(self._open)
        for place in _PLACES:
            if os.path.isdir(place):
                for name in os.listdir(place):
                    if self.mark in name:
                        _remove(Path(place, name))
        _remove(self.folder)

    def _write(self, name: str, text: str, mode: int) -> None:
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)

    def _listen(self) -> None:
        wanted: list[tuple[str, int, int, object]] = [
            ("tcp", socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
            ("tcp6", socket.AF_INET6, socket.SOCK_STREAM, ("::1", 0)),
            ("udp", socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
            ("unix", socket.AF_UNIX, socket.SOCK_STREAM, str(self.folder / "unix")),
            ("datagram", socket.AF_UNIX, socket.SOCK_DGRAM, str(self.folder / "datagram")),
            ("abstract", socket.AF_UNIX, socket.SOCK_STREAM, b"\0" + self.mark.encode()),
        ]
        for name, family, kind, address in wanted:
            try:
                listener = socket.socket(family, kind)
            except OSError:  # a machine without IPv6
                continue
            listener.setblocking(False)
            try:
                listener.bind(address)  # type: ignore[arg-type]  # its type depends on the family
                if kind == socket.SOCK_STREAM:
                    listener.listen(8)
            except OSError:  # the same, with the family but no address
                listener.close()
                continue
            self.listeners[name] = listener
        for name in ("unix", "datagram"):
            (self.folder / name).chmod(0o777)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()
