"""Plugin modules on their way to other processes: by place on this machine, by content to another.

A plugin module is one that no import by name finds (`evoengine.plugins.load_module`). What is unpickled elsewhere asks
for it by the name that it has here.
"""

from __future__ import annotations

import fcntl
import os
import pickle
import pickletools
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from shutil import rmtree
from tempfile import gettempdir, mkdtemp
from types import ModuleType

from evoengine.errors import EvoengineError, ExecutorError, PluginError

LEFT_BEHIND = frozenset({"__pycache__", "openevolve_output"})
"""Folders that runs leave behind."""
STORES = frozenset({".db-wal", ".db-shm", ".db-journal", ".log"})
LARGEST = 64 * 2**20
"""Bytes that all plugins of a shipment may have together."""
MOST_FILES = 2000
_PREFIX = "evoengine-shipment-"
_MAINS = ("problem.py", "__init__.py")


def loaded_plugins() -> tuple[tuple[str, str], ...]:
    """Name and file of the plugin modules of this process, in the order of their import."""
    # not getattr: there are modules that answer to every name, such as torch.classes
    spaces = ((name, getattr(module, "__dict__", {})) for name, module in list(sys.modules.items()))
    found = ((name, space.get("__evoengine_plugin__")) for name, space in spaces)
    return tuple((name, str(path)) for name, path in found if path is not None)


def own_files(folder: Path) -> Iterator[Path]:
    """The files of a folder and of those in it, but for hidden ones and what runs leave behind; in order."""
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        left_behind = any(part.startswith(".") or part in LEFT_BEHIND for part in inside.parts)
        if path.is_file() and not left_behind and ".db" not in path.suffixes and path.suffix not in STORES:
            yield path


class Finder(MetaPathFinder):
    """Finds the plugin modules that another process had loaded, when what is unpickled asks for one.

    Only then: a plugin of another campaign, or one whose file is gone by now, is no concern of this process.

    Args:
        files: by the modules' names.
    """

    def __init__(self, files: Mapping[str, str]) -> None:
        self._files = files

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:  # noqa: ARG002
        file = self._files.get(fullname)
        if file is None:
            return None
        # as evoengine.plugins.load_module: a problem's folder is a package, whose modules it may import
        folder = [os.path.dirname(file)] if os.path.basename(file) == "problem.py" else None
        return spec_from_file_location(
            fullname, file, loader=_Loader(fullname, file), submodule_search_locations=folder
        )


class _Loader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        module.__evoengine_plugin__ = self.path  # type: ignore[attr-defined]
        super().exec_module(module)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shipment:
    """Something pickled, with the files of the plugins that it needs.

    Attributes:
        pickled: what is sent.
        plugins: each module's name, and its file's path below `trees`.
        trees: for each file or folder, where it lies here, and its files' contents by their paths in it.
    """

    pickled: bytes
    plugins: tuple[tuple[str, str], ...]
    trees: tuple[tuple[str, tuple[tuple[str, bytes], ...]], ...]

    @classmethod
    def of(cls, pickled: bytes, folders: Iterable[str] = ()) -> Shipment:
        """A shipment with the plugins that a pickle names, and with further folders.

        Raises:
            PluginError: a plugin's files are gone or unreadable, or too many or too large to be sent along.
        """
        named = _texts(pickled)
        trees: dict[str, tuple[tuple[str, bytes], ...]] = {}
        plugins, budget = [], _Budget()
        for name, file in loaded_plugins():
            if not any(text == name or text.startswith(f"{name}.") for text in named):
                continue
            path = Path(file)
            whole = path.parent if path.name in _MAINS else path
            if str(whole) not in trees:
                trees[str(whole)] = _contents(whole, budget)
            place = list(trees).index(str(whole))
            plugins.append((name, f"{place}/{path.name}"))
        for folder in dict.fromkeys(folders):
            if folder not in trees:
                trees[folder] = _contents(Path(folder), budget)
        return cls(pickled=pickled, plugins=tuple(plugins), trees=tuple(trees.items()))


class Unpacked:
    """A shipment's files in a private folder of this machine.

    What others left behind there, whose processes were killed, is removed first.

    Attributes:
        plugins: each module's name and its file here.
        moved: where files and folders lay on the machine that sent them, and where they lie here.
    """

    def __init__(self, shipment: Shipment) -> None:
        _sweep()
        self._folder = Path(mkdtemp(prefix=_PREFIX))  # only this user may look into it
        self._lock = os.open(self._folder / ".lock", os.O_CREAT | os.O_RDWR, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self.moved: dict[str, str] = {}
        for place, (origin, files) in enumerate(shipment.trees):
            base = self._folder / str(place)
            self.moved[origin] = str(base / Path(origin).name if _is_file(origin, files) else base)
            for inside, data in files:
                path = base / inside
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
        self.plugins = tuple((name, str(self._folder / path)) for name, path in shipment.plugins)

    def remove(self) -> None:
        """Removes the folder."""
        rmtree(self._folder, ignore_errors=True)
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


_moved: dict[str, str] = {}


def move(moved: Mapping[str, str]) -> None:
    """Says where what lay elsewhere lies on this machine."""
    _moved.update(moved)


def moved(place: str) -> str:
    """Where a file or folder lies here that this process knows from another machine; the same where it is here."""
    return _moved.get(place, place)


def portable(error: EvoengineError) -> EvoengineError:
    """The same error, if it survives the journey to another process; else one that says the same."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # an error class whose arguments are not its constructor's
        return ExecutorError(f"{type(error).__name__}: {error}")
    return error


def _is_file(origin: str, files: tuple[tuple[str, bytes], ...]) -> bool:
    return len(files) == 1 and files[0][0] == Path(origin).name


def _texts(pickled: bytes) -> set[str]:
    """Every text in a pickle, the names of modules among them."""
    found: set[str] = set()
    for opcode, argument, _ in pickletools.genops(pickled):
        if isinstance(argument, str):
            found.update(argument.split(" ") if opcode.name == "GLOBAL" else [argument])
    return found


class _Budget:
    def __init__(self) -> None:
        self.files = self.bytes = 0


def _contents(whole: Path, budget: _Budget) -> tuple[tuple[str, bytes], ...]:
    found = []
    try:
        paths = [whole] if whole.is_file() else own_files(whole)
        for path in paths:
            budget.files += 1
            budget.bytes += path.stat().st_size
            if budget.bytes > LARGEST or budget.files > MOST_FILES:
                raise PluginError(
                    f"{whole} has to be sent to other machines, and holds more than {LARGEST >> 20} MiB or "
                    f"{MOST_FILES} files: keep the plugin in a folder of its own, without data that it does not need."
                )
            found.append((path.name if path == whole else str(path.relative_to(whole)), path.read_bytes()))
    except OSError as error:
        raise PluginError(f"{whole} has to be sent to other machines, and cannot be read: {error}.") from None
    if not found:
        raise PluginError(f"{whole} has to be sent to other machines, and is not there any more: put it back.")
    return tuple(found)


def _sweep() -> None:
    """Removes folders whose owners are gone: a lock lasts as long as the process that holds it."""
    for folder in Path(gettempdir()).glob(f"{_PREFIX}*"):
        try:
            lock = os.open(folder / ".lock", os.O_RDWR)
        except OSError:  # somebody else's, just being made, or just removed
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            rmtree(folder, ignore_errors=True)
        except OSError:  # in use
            pass
        finally:
            os.close(lock)
