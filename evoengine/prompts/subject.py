"""Programs and contexts as what they are to a model: some named texts in a language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from evoengine.types import Content, Context, Program


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A content's texts by path. A context's sections are files of Markdown.

    Attributes:
        main: the path of an answer that names none.
    """

    content: Content
    files: Mapping[str, str]
    language: str
    main: str

    @classmethod
    def of(cls, content: Content) -> Subject:
        """The texts of a content."""
        match content:
            case Program(files=files, language=language, main=main):
                return cls(content=content, files=files, language=language, main=main)
            case Context(sections=sections):
                files = {f"{name}.md": text for name, text in sections.items()}
                return cls(content=content, files=files, language="markdown", main=next(iter(files)))

    @property
    def single(self) -> bool:
        """Whether it has one file, so that nothing need name it."""
        return len(self.files) == 1

    def with_files(self, files: Mapping[str, str]) -> Content:
        """A content of the same kind with these texts in the place of its own."""
        match self.content:
            case Program(language=language):
                return Program(files={**self.files, **files}, language=language)
            case Context(sections=sections):
                changed = {path.removesuffix(".md"): text for path, text in files.items()}
                return Context(sections={**sections, **changed})

    def shown(self) -> str:
        """Every file in a fence, with its path above where there are several."""
        return "\n".join(
            fenced(text, self.language, None if self.single else path) for path, text in sorted(self.files.items())
        )


def fenced(text: str, language: str = "", path: str | None = None) -> str:
    """A text between fences that nothing in it can end."""
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    name = "" if path is None else f"{path}\n"
    return f"{name}{fence}{language}\n{text.rstrip(chr(10))}\n{fence}\n"
