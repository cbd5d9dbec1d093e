"""A campaign's pages in one file that needs no server, no network and no script."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

import numpy as np
from markupsafe import Markup

from evoengine.chronicle import Chronicle
from evoengine.gallery import Gallery
from evoengine.reading import Reading
from evoengine.web import map_page, pages, record_page
from evoengine.web.links import Frozen
from evoengine.web.rendering import HERE, rendered
from evoengine.web.viewed import Query, Viewed

_PAGES = ("overview", "map", "operators", "contexts", "training", "failures")


def freeze(reading: Reading, *, records: int = 50, gallery: Gallery | None = None) -> str:
    """A campaign as one self-contained HTML file.

    Args:
        reading: of the campaign.
        records: how many are put in with all that is known of them: the best elites, the lineage of the best, and
            what these are made from, as far as there is room.
        gallery: draws records; by default with no problems but those that are found by name.
    """
    chronicle = Chronicle(reading.row)
    chronicle.take(reading.store.outlines(reading.row))
    chosen = _chosen(chronicle, records)
    viewed = Viewed(
        store=reading.store,
        row=reading.row,
        chronicle=chronicle,
        last=chronicle.count,
        links=Frozen(_PAGES, chosen),
        gallery=gallery or Gallery(),
    )
    query = Query({})
    parts = {
        "overview": ("parts/overview.html", pages.overview(viewed, query)),
        "map": ("parts/archive.html", map_page.archive_map(viewed, query)),
        "operators": ("parts/operators.html", pages.operators(viewed, query)),
        "contexts": ("parts/contexts.html", pages.contexts(viewed, query)),
        "training": ("parts/training.html", pages.training(viewed, query)),
        "failures": ("parts/failures.html", pages.failures(viewed, query)),
    }
    shown = [record_page.record_page(viewed, number, query) for number in chosen]
    pictures = [values["picture"] for values in (parts["overview"][1], *shown)]
    style = (HERE / "static" / "style.css").read_text(encoding="utf-8")
    return rendered(
        "frozen.html",
        title=reading.row.name,
        style=Markup(style),  # a file of this package
        digest=b64encode(sha256(style.encode()).digest()).decode(),
        row=reading.row,
        parts={name: _part(template, viewed, values) for name, (template, values) in parts.items()},
        pictured=any(one is not None and one["source"] for one in pictures),
        records=[_part("parts/record.html", viewed, values) for values in shown],
        count=chronicle.count,
    )


def _part(template: str, viewed: Viewed, values: dict[str, object]) -> str:
    told = {"row": viewed.row, "links": viewed.links, "frozen": True, **values}
    return Markup(rendered(template, **told))  # what a template gives is escaped


def _chosen(chronicle: Chronicle, most: int) -> list[int]:
    """Numbers of at most so many records: the best elites first, then the best one's ancestors, then parents."""
    best = chronicle.best(np.concatenate(chronicle.elites()), max(1, most // 2))
    line = list(chronicle.ancestors(best[0])) if best else []
    parents = [parent for number in best for parent in chronicle.parents(number)]
    return list(dict.fromkeys([*best, *line, *parents]))[:most]
