"""Stores to look at in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evoengine import Campaign
from evoengine.generators.scripted import Scripted
from evoengine.reading import Reading
from evoengine.web.freezing import freeze
from tests.campaigns.language import peak_answers
from tests.conftest import PEAK
from tests.rl import dial
from tests.web.hostile import big, hostile, store_at

TRAINED, SPOKEN, EMPTY = 1, 2, 3
"""Ids of the campaigns in the store of `real`."""


def real(folder: Path) -> str:
    """A store with a campaign that trained, one that asked a model under guidance, and one without a record."""
    with dial.campaign_of(folder) as campaign:
        campaign.run(evaluations=1 + 12 * 6)
    (folder / "peak.py").write_text(PEAK, encoding="utf-8")
    given: dict[str, Any] = {
        "operators": ["diff", "rewrite", "crossover"], "generator": Scripted(answers=peak_answers), "gates": [],
        "islands": {"count": 2, "interval": 20}, "guidance": {"rate": 0.2}, "sandbox": "none", "workers": 1,
    }  # fmt: skip
    with Campaign(f"{folder}/peak.py", store=f"sqlite:///{folder}/heights.db", **given) as campaign:
        campaign.run(evaluations=150)
        row = Reading.named(campaign.store, "peak").row
        campaign.store.create(name="empty", problem="peak", fingerprint="f", seed=0, settings=row.settings)
        for name in ("peak", "heights"):
            (folder / f"{name}.html").write_text(
                freeze(Reading.named(campaign.store, name), records=6), encoding="utf-8"
            )
    return "heights.db"


def against_us(folder: Path) -> str:
    """A store with a campaign full of hostile texts, and one with lines of ten million characters."""
    store = store_at(folder)
    row = hostile(store)
    big(store)
    (folder / "hostile.html").write_text(freeze(Reading(store, row)), encoding="utf-8")
    store.close()
    return "evo.db"
