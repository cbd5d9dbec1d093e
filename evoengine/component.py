"""What every part with settings is made of."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from evoengine.errors import SettingError


class Component(BaseModel):
    """A part whose fields are its settings.

    Construction is cheap and validates; whatever must be opened and closed lives between `__aenter__`
    and `__aexit__` of the kinds that have them.

    Raises:
        SettingError: a setting is unknown (the message names the known ones) or has a wrong value.
    """

    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True, validate_default=False)

    def __init__(self, **settings: Any) -> None:
        try:
            super().__init__(**settings)
        except ValidationError as error:
            raise SettingError(_explained(type(self), error)) from None

    def fresh(self) -> Self:
        """Another one with the same settings, and nothing else in common."""
        return type(self)(**{name: getattr(self, name) for name in type(self).model_fields})

    def settings(self) -> dict[str, Any]:
        """The settings as plain JSON values."""
        return self.model_dump(mode="json")


def _explained(kind: type[Component], error: ValidationError) -> str:
    known = sorted(kind.model_fields)
    lines = []
    for problem in error.errors():
        name = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            near = get_close_matches(name, known, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            lines.append(f"{kind.__name__} has no setting {name!r}; it has: {', '.join(known) or 'none'}.{hint}")
        else:
            lines.append(f"{kind.__name__} setting {name!r}: {problem['msg']} (got {problem['input']!r}).")
    return " ".join(lines)
