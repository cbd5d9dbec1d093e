"""Finding plugins: one kind is one folder name, one entry-point group and one base class.

A name is an explicit path, or is looked up in the user's `./plugins/<kind>/` (and `./problems/`), among what
ships with evoengine, and in the entry points of the group `evoengine.<kind>`. Listing imports nothing.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from hashlib import blake2b
from importlib import import_module
from importlib.machinery import ModuleSpec
from importlib.metadata import EntryPoint, entry_points
from importlib.util import module_from_spec, spec_from_file_location
from inspect import isabstract
from pathlib import Path
from types import ModuleType
from typing import Any

from evoengine.component import Component
from evoengine.errors import PluginError
from evoengine.paths import bundled

BASES = {
    "problems": "evoengine.problem:Problem",
    "archives": "evoengine.archives.base:Archive",
    "selectors": "evoengine.selectors.base:Selector",
    "operators": "evoengine.operators.base:Operator",
    "generators": "evoengine.generators.base:Generator",
    "sandboxes": "evoengine.sandboxes.base:Sandbox",
    "stores": "evoengine.stores.base:Store",
    "executors": "evoengine.executors.base:Executor",
    "gates": "evoengine.gates.base:Gate",
    "trainers": "evoengine.rl.trainer:Trainer",
    "rewards": "evoengine.rl.reward:Reward",
    "advantages": "evoengine.rl.advantage:Advantage",
    "losses": "evoengine.rl.loss:Loss",
    "allocations": "evoengine.rl.allocation:Allocation",
}
"""Kind to its base class."""
_NO_PLUGINS = {"base.py", "presets.py"}
"""Modules of the core that lie beside its plugins and are none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """A claim to a name: where it would be loaded from."""

    kind: str
    name: str
    origin: str
    """"core", "bundled", "local", "path" or "installed"."""
    where: Path | EntryPoint

    @property
    def place(self) -> str:
        """The place, for people."""
        match self.where:
            case Path() as path:
                return str(path)
            case entry:
                return f"entry point {entry.value}"


def plugins(kind: str) -> list[Plugin]:
    """All claims of a kind, by name. Imports nothing."""
    _known(kind)
    found = [
        *_in_folder(kind, Path(__file__).parent / kind, "core"),
        *_in_folder(kind, bundled("plugins") / kind, "bundled"),
        *_in_folder(kind, Path.cwd() / "plugins" / kind, "local"),
    ]
    if kind == "problems":
        found += [
            *_in_folder(kind, bundled("problems"), "bundled"),
            *_in_folder(kind, Path.cwd() / "problems", "local"),
        ]
    found += [
        Plugin(kind=kind, name=entry.name, origin="installed", where=entry)
        for entry in entry_points(group=f"evoengine.{kind}")
    ]
    once: dict[tuple[str, str], Plugin] = {}
    for plugin in found:  # in a checkout ./plugins is the bundled folder itself
        once.setdefault((plugin.name, plugin.place), plugin)
    return sorted(once.values(), key=lambda plugin: (plugin.name, plugin.place))


def find(kind: str, name: str) -> Plugin:
    """The one plugin of a name.

    Raises:
        PluginError: there is none (the message lists the known ones), or there are two.
    """
    if is_path(name):
        path = Path(name).expanduser()
        if not path.exists():
            raise PluginError(f"no {kind} plugin at {name!r}: there is no such file or folder.")
        module = _module_path(kind, path.resolve())
        if module is None and _is_foreign(kind, path):
            return Plugin(kind=kind, name=path.resolve().name, origin="path", where=path.resolve())
        if module is None:
            foreign = ", or a task of OpenEvolve, ShinkaEvolve or CodeEvolve" if kind == "problems" else ""
            raise PluginError(
                f"no {kind} plugin at {name!r}: expected a .py file, or a folder with {_main(kind)}{foreign}."
            )
        return Plugin(kind=kind, name=path.stem, origin="path", where=module)
    known = plugins(kind)
    claims = [plugin for plugin in known if plugin.name == name]
    match claims:
        case [plugin]:
            return plugin
        case []:
            names = sorted({plugin.name for plugin in known})
            near = get_close_matches(name, names, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise PluginError(
                f"no {kind} plugin is called {name!r}; there are: {', '.join(names) or 'none'}.{hint} "
                f"Give a path, put a file in {'problems/' if kind == 'problems' else f'plugins/{kind}/'}, "
                f"or install a package that offers it."
            )
        case _:
            places = " and ".join(plugin.place for plugin in claims)
            raise PluginError(f"{kind} plugin {name!r} is claimed by {places}; rename one, or give a path.")


def is_path(name: str) -> bool:
    """Whether a plugin is named by where it lies."""
    return "/" in name or name.endswith(".py")


def load(kind: str, name: str) -> type[Component]:
    """The class of a plugin.

    Raises:
        PluginError: it cannot be found, or its module fails to import or holds no class of the kind.
    """
    return _class(find(kind, name))


def build(kind: str, given: str | Mapping[str, Any] | Component) -> Any:
    """A component from its name, from `{"use": name, setting: value, ...}`, or as given.

    Raises:
        PluginError: as for `load`.
        SettingError: a setting is wrong.
    """
    match given:
        case Component():
            base = _base(kind)
            if not isinstance(given, base):
                raise PluginError(f"expected one of {kind} ({base.__name__}), got {type(given).__name__}.")
            return given
        case str():
            return load(kind, given)()
        case _:
            settings = dict(given)
            name = settings.pop("use", None)
            if not isinstance(name, str):
                raise PluginError(f'{kind}: expected {{use = "name", ...}}, got {dict(given)!r}.')
            return load(kind, name)(**settings)


def name_of(kind: str, part: Component) -> str:
    """The name by which `build` finds a component's class again, or else its path.

    A class that no plugin defines (one typed in at a prompt) goes by its own name in lower case.
    """
    recognised = vars(type(part)).get("__evoengine_plugin__")  # in a folder, and defined by no module
    if recognised is not None:
        return str(recognised)
    module = sys.modules.get(type(part).__module__)
    file = getattr(module, "__file__", None)
    path = Path(file).resolve() if file else None
    for plugin in plugins(kind):
        where = plugin.where
        module_name = where.value.partition(":")[0] if isinstance(where, EntryPoint) else None
        if where == path or module_name == type(part).__module__:
            return plugin.name
    return str(getattr(module, "__evoengine_plugin__", type(part).__name__.lower()))


def load_module(name: str, path: Path) -> ModuleType:
    """The module of a plugin file, loaded once under a name that another process can use too.

    Raises:
        PluginError: it fails to import.
    """
    if name in sys.modules:
        return sys.modules[name]
    folder = [str(path.parent)] if path.name == "problem.py" else None
    spec = spec_from_file_location(name, path, submodule_search_locations=folder)
    assert isinstance(spec, ModuleSpec)
    assert spec.loader is not None
    module = module_from_spec(spec)
    module.__dict__["__evoengine_plugin__"] = str(path)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # foreign code: whatever it raises is the plugin's fault, told in one line
        del sys.modules[name]
        raise PluginError(f"{path} fails to import: {type(error).__name__}: {error}") from error
    return module


def _class(plugin: Plugin) -> type[Component]:
    match plugin.where:
        case Path() as path if path.is_dir():
            made: type[Component] = _foreign().problem_class(path)
            return made
        case Path() as path:
            core = Path(__file__).parent
            if path.is_relative_to(core / plugin.kind):
                module = import_module(f"evoengine.{plugin.kind}.{path.stem}")
            else:
                mark = blake2b(str(path).encode(), digest_size=4).hexdigest()
                module = load_module(f"evoengine_plugin_{plugin.kind}_{plugin.name}_{mark}", path)
        case entry:
            try:
                loaded = entry.load()
            except Exception as error:  # foreign code, as above
                raise PluginError(f"{plugin.place} fails to import: {type(error).__name__}: {error}") from error
            if isinstance(loaded, type):
                assert issubclass(loaded, Component)
                return loaded
            module = loaded
    base = _base(plugin.kind)
    own: list[type[Component]] = [
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, base)
        and value.__module__ == module.__name__
        and not isabstract(value)
        and not value.__name__.startswith("_")
    ]
    match own:
        case [one]:
            return one
        case []:
            raise PluginError(f"{plugin.place} defines no subclass of {base.__name__}.")
        case _:
            names = ", ".join(cls.__name__ for cls in own)
            raise PluginError(f"{plugin.place} defines several of {base.__name__} ({names}); keep one in each file.")


def _is_foreign(kind: str, path: Path) -> bool:
    """Whether a folder is a task of another engine."""
    return kind == "problems" and path.is_dir() and _foreign().Task.found(path) is not None


def _foreign() -> Any:
    # by name, like the bases: it lies on a layer above
    return import_module("evoengine.compat")


def _base(kind: str) -> type[Component]:
    module, _, name = BASES[_known(kind)].partition(":")
    base = getattr(import_module(module), name)
    assert isinstance(base, type)
    assert issubclass(base, Component)
    return base


def _known(kind: str) -> str:
    if kind not in BASES:
        raise PluginError(f"there is no plugin kind {kind!r}; there are: {', '.join(BASES)}.")
    return kind


def _main(kind: str) -> str:
    return "problem.py" if kind == "problems" else "__init__.py"


def _in_folder(kind: str, folder: Path, origin: str) -> Iterator[Plugin]:
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if path.name.startswith(("_", ".")) or (origin == "core" and path.name in _NO_PLUGINS):
            continue
        if origin == "core" and path.is_dir():
            continue
        module = _module_path(kind, path.resolve())
        if module is not None:
            yield Plugin(kind=kind, name=path.stem, origin=origin, where=module)


def _module_path(kind: str, path: Path) -> Path | None:
    if path.is_dir():
        inside = path / _main(kind)
        return inside if inside.is_file() else None
    return path if path.suffix == ".py" else None
