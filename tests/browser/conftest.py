"""A browser, and servers as people start them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="package")
def chromium() -> str:
    """Where the browser is."""
    pytest.importorskip("playwright", reason="the tests in a browser need Playwright: pip install 'evoengine[test]'")
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("there is no Chromium here; on Debian: apt-get install --no-install-recommends chromium")
    return found


@pytest.fixture(scope="package")
def stores(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Stores by name, each beside its frozen campaigns."""
    from tests.browser import campaigns

    folders = {name: tmp_path_factory.mktemp(name) for name in ("real", "hostile")}
    return {
        "real": folders["real"] / campaigns.real(folders["real"]),
        "hostile": folders["hostile"] / campaigns.against_us(folders["hostile"]),
    }


@pytest.fixture(scope="package")
def browser(chromium: str, stores: dict[str, Path]) -> Iterator[Browser]:
    """Headless Chromium, made after the stores: it leaves an event loop running in this thread until it ends."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=chromium) as made:
        yield made


@contextmanager
def viewing(store: Path) -> Iterator[str]:
    """The address of `evoengine view` over a store, without the slash at its end."""
    process = subprocess.Popen(
        [sys.executable, "-m", "evoengine", "view", store.name, "--port", "0"], cwd=store.parent,
        stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip().rstrip("/")
    finally:
        process.kill()
        process.communicate()


def read(address: str, campaigns: Iterable[int]) -> None:
    """Waits until these campaigns are read: until then a page shows what is known so far."""
    for campaign in campaigns:
        while True:
            with urllib.request.urlopen(f"{address}/campaigns/{campaign}/progress", timeout=60) as answer:
                told = json.load(answer)
            if told["read"] == told["last"]:
                break
            time.sleep(0.1)


@pytest.fixture(scope="package")
def served(stores: dict[str, Path]) -> Iterator[str]:
    """Where the real campaigns are served."""
    with viewing(stores["real"]) as address:
        read(address, (1, 2))
        yield address


@pytest.fixture(scope="package")
def hostile(stores: dict[str, Path]) -> Iterator[str]:
    """Where the hostile campaigns are served."""
    with viewing(stores["hostile"]) as address:
        read(address, (1, 2))
        yield address
