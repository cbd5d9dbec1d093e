"""Makes the pictures of the pages in docs/: `python -m tests.docs.screenshots`, then look at each of them.

A campaign of 90 seconds, as `make demo` runs it, and one that trains; the page over them in Chromium, light, 1280
pixels wide. Needs Playwright and Chromium, and Pillow (it comes with matplotlib) to keep the files small.
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from pathlib import Path

from tests.browser.conftest import read, viewing
from tests.browser.watched import WIDE, opened
from tests.conftest import evoengine
from tests.docs.pages import DOCS
from tests.rl import dial

_SECONDS = 90
_COLOURS = 64


def main() -> None:
    """Writes docs/images/*.png."""
    from playwright.sync_api import sync_playwright

    browser = next(path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name)))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        demo, trained = _stores(folder)
        with sync_playwright() as playwright, playwright.chromium.launch(executable_path=browser) as made:
            with viewing(demo) as address, opened(made) as watched:
                read(address, [1])
                page, base = watched.page, f"{address}/campaigns/1"
                page.goto(base)
                best = page.locator("main a[href*='/records/']").first.get_attribute("href")
                assert best is not None
                for name, path, height in (
                    ("overview", base, 1080),
                    ("archive", f"{base}/map", 1000),
                    ("record", f"{address}{best}", 1900),
                    ("lineage", f"{address}{best}/lineage", 760),
                ):
                    page.set_viewport_size({**WIDE, "height": height})
                    page.goto(path)
                    _keep(name, page.screenshot())
            with viewing(trained) as address, opened(made) as watched:
                read(address, [1])
                watched.page.set_viewport_size({**WIDE, "height": 1000})
                watched.page.goto(f"{address}/campaigns/1/training")
                _keep("training", watched.page.screenshot())


def _stores(folder: Path) -> tuple[Path, Path]:
    done = evoengine(
        "run", "circle_packing", "--name", "demo", "--store", "sqlite:///demo.db", "--seconds", str(_SECONDS),
        cwd=folder, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    with dial.campaign_of(folder) as campaign:
        campaign.run(evaluations=1 + 12 * 40)
    return folder / "demo.db", folder / "heights.db"


def _keep(name: str, picture: bytes) -> None:
    from PIL import Image

    flat = Image.open(io.BytesIO(picture)).convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
    path = DOCS / "images" / f"{name}.png"
    path.parent.mkdir(exist_ok=True)
    flat.save(path, optimize=True)
    sys.stdout.write(f"{path.name}: {path.stat().st_size} bytes\n")


if __name__ == "__main__":
    main()
