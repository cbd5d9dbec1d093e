"""The pages in docs/ say what is so."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.docs.pages import DOCS, PAGES, PageError, Reader, agrees, blocks_of, understood

_NAMES = [page.name for page in PAGES]


def fenced(kind: str, *lines: str, mark: str = "") -> str:
    return "\n".join([*([f"<!-- {mark} -->"] if mark else []), f"```{kind}", *lines, "```", ""])


@pytest.mark.slow
@pytest.mark.parametrize("name", _NAMES)
def test_what_a_page_shows_is_what_comes_out(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    text = (DOCS / name).read_text(encoding="utf-8")
    for block in blocks_of(text):
        if "needs" in block.marks:
            pytest.importorskip(block.marks["needs"].split(",")[0])
    Reader(folder=folder).follow(text)


@pytest.mark.parametrize("name", _NAMES)
def test_what_a_page_does_not_run_would_be_understood(name: str) -> None:
    for block in blocks_of((DOCS / name).read_text(encoding="utf-8")):
        if block.kind == "console" and "not run" in block.marks:
            for command, _ in block.commands():
                understood(command)


@pytest.mark.parametrize("name", [*_NAMES, "../README.md"])
def test_links_lead_somewhere(name: str) -> None:
    text = (DOCS / name).read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        assert target.startswith("http") or (DOCS / name).parent.joinpath(target).exists(), target


def test_the_index_leads_to_every_page() -> None:
    text = (DOCS / "README.md").read_text(encoding="utf-8")
    assert {name for name in _NAMES if f"({name})" not in text} == {"README.md"}
    assert "docs/README.md" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_pictures_are_shown_somewhere_and_are_small() -> None:
    pages = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    pictures = sorted((DOCS / "images").iterdir())
    assert pictures
    for picture in pictures:
        data = picture.read_bytes()
        assert f"(images/{picture.name})" in pages
        assert len(data) < 150_000
        assert struct.unpack(">I", data[16:20]) == (1280,)


@pytest.mark.parametrize(
    ("shown", "came", "same"),
    [
        (["best 1.5"], ["best   1.5"], True),
        (["best 1.5"], ["best 1.6"], False),
        (["best 0.1234567891"], ["best 0.1234567894"], True),
        (["best 0.123456"], ["best 0.123457"], False),
        (["1,234 records"], ["1,234 records"], True),
        (["a", "...", "z"], ["a", "b", "c", "z"], True),
        (["a", "...", "z"], ["a", "z"], True),
        (["a", "..."], ["a"], True),
        (["a", "...", "z"], ["a", "b"], False),
        (["a", "z"], ["a", "b", "z"], False),
        (["a"], ["a", "b"], False),
        ([], ["a"], False),
        (["took ... s"], ["took 1 min 3 s"], True),
        (["f(x)"], ["f[x]"], False),
    ],
)
def test_shown_lines_agree_with_what_came_only_where_they_say_the_same(
    shown: list[str], came: list[str], same: bool
) -> None:
    assert agrees(shown, came) is same


def test_numbers_may_vary_and_words_may_not() -> None:
    assert agrees(["3 records in 1.5 s"], ["40 records in 0.25 s"], vary=True)
    assert not agrees(["3 records in 1.5 s"], ["40 elites in 0.25 s"], vary=True)
    assert not agrees(["3 records"], ["many records"], vary=True)


@pytest.mark.parametrize(
    "page",
    [
        fenced("console", "$ false"),
        fenced("console", "$ echo one", "two"),
        fenced("console", "$ echo one"),
        fenced("console", "$ true", mark="fails: it should not"),
        fenced("console", "one"),
        fenced("console", "$ true", mark="not run"),
        fenced("console", "$ true", mark="not run: why"),
        fenced("console", "$ true", mark="maybe: for a good reason"),
        fenced("python", "raise SystemExit(1)"),
        fenced("python", "print(1)") + fenced("text", "2"),
        fenced("text", "2"),
        fenced("toml", "seed = 1"),
        fenced("json", "{}"),
        "```console\n$ true\n",
    ],
)
def test_a_page_that_is_wrong_is_found_out(page: str, tmp_path: Path) -> None:
    with pytest.raises(PageError):
        Reader(folder=tmp_path).follow(page)


def test_a_page_that_is_right_is_followed_to_its_end(tmp_path: Path) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    endless = ["# endless.py", "import time", "print('up', flush=True)", "time.sleep(100)"]
    Reader(folder=folder).follow(
        fenced("python", "# deep/one.py", "print('one', 2)")
        + fenced("console", "$ python deep/one.py", "one 2", "$ echo 7 8; echo end", "...", "end")
        + fenced("console", "$ echo 7 8", "1 2", mark="numbers vary: as a trial")
        + fenced("console", "$ date", "noon", mark="output varies: time goes on")
        + fenced("console", "$ rm deep/one.py", mark="not run: it is needed below")
        + fenced("python", *endless)
        + fenced("console", "$ python endless.py", "up", mark="until Ctrl-C: it never ends")
        + fenced("console", "$ cat nothing", "cat: ...", mark="fails: nothing is there")
        + fenced("python", "from pathlib import Path", "print(Path('deep/one.py').is_file())")
        + fenced("text", "True")
    )


@pytest.mark.parametrize(
    "command",
    [
        "evoengine run x --modle y", "evoengine rnu x", "evoengine steer pni 3", "evoengine show --store", "make dmo",
        "pip install 'evoengine[vlm]'", "echo 'one",
    ],
)  # fmt: skip
def test_a_command_that_nobody_would_understand_is_found_out(command: str) -> None:
    with pytest.raises(PageError):
        understood(command)


@pytest.mark.parametrize(
    "command",
    [
        "evoengine run x --model y --set a.b=1", "evoengine steer pin 3 --store sqlite:///a.db", "make demo",
        "pip install 'evoengine[vllm,train]'", "evoengine export x > x.jsonl",
    ],
)  # fmt: skip
def test_commands_that_are_right_are_understood(command: str) -> None:
    understood(command)
