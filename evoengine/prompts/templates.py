"""Templates of prompts: those that ship, and a person's own in their place."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from string import Template

from evoengine.errors import SettingError

_SHIPPED = Path(__file__).parent / "templates"


class Templates:
    """Texts with `$names` to be filled in. A file `NAME.md` in a person's folder takes the place of the shipped one.

    Args:
        folder: of one's own templates; only those that differ need be there.

    Raises:
        SettingError: the folder is missing, or holds a template of another name.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder
        if folder is not None:
            known = {path.stem for path in _SHIPPED.glob("*.md")}
            if not folder.is_dir():
                raise SettingError(f"templates: {folder} is no folder; make it, or leave the setting out.")
            for path in sorted(folder.glob("*.md")):
                if path.stem not in known:
                    raise SettingError(f"templates: {path} replaces nothing; there are: {', '.join(sorted(known))}.")

    def filled(self, template: str, **values: str) -> str:
        """A template with its names filled in.

        Raises:
            SettingError: it has a name that nothing fills.
        """
        path = _SHIPPED / f"{template}.md"
        if self._folder is not None and (self._folder / path.name).is_file():
            path = self._folder / path.name
        try:
            return _read(path).substitute(values).strip()
        except KeyError as missing:
            raise SettingError(f"{path} has ${missing.args[0]}; it can have: ${', $'.join(sorted(values))}.") from None
        except ValueError as error:
            raise SettingError(f"{path} is no template: {error}; write $$ for a dollar sign.") from None


@lru_cache(maxsize=256)
def _read(path: Path) -> Template:
    try:
        return Template(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"template {path} cannot be read: {error}.") from None
