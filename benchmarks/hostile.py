"""How long a browser takes over each page of a hostile campaign: `python -m benchmarks.hostile [--repeats 3]`.

Texts full of markup, scripts, escape sequences, bidirectional and control characters, and a candidate, its feedback and
its outputs of one line of ten million characters each. A page's time goes from asking for it to its load event, in
headless Chromium on this machine, the server's part included.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from evoengine.cli.output import print_rows
from tests.browser.campaigns import against_us
from tests.browser.conftest import read, viewing
from tests.browser.test_hostile import ADDRESSES
from tests.browser.watched import opened

_TAKEN = "performance.getEntriesByType('navigation')[0].loadEventEnd"


def main() -> None:
    """Prints a row for each page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / against_us(Path(folder))
        with viewing(store) as address, sync_playwright() as playwright:
            read(address, (1, 2))
            with playwright.chromium.launch(executable_path=shutil.which("chromium")) as browser:
                frozen = (Path(folder) / "hostile.html").as_uri()
                for page in [*(address + page for page in ADDRESSES), frozen]:
                    taken, faults = [], []
                    for _ in range(given.repeats):
                        with opened(browser, page) as watched:
                            taken.append(watched.page.evaluate(_TAKEN))
                            faults += watched.faults()
                    told = "a frozen file" if page == frozen else page.removeprefix(address)[:50]
                    rows.append(
                        {"page": told, "median_ms": round(statistics.median(taken)), "longest_ms": round(max(taken)),
                         "faults": len(faults)}
                    )  # fmt: skip
    print_rows(rows, "table")


if __name__ == "__main__":
    main()
