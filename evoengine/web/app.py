"""The application: addresses to pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from evoengine.errors import EvoengineError
from evoengine.gallery import Gallery
from evoengine.pictures import Picture, Undrawn
from evoengine.stores.base import CampaignRow
from evoengine.web import deciding, map_page, pages, record_page
from evoengine.web.errors import Unknown, Wrong
from evoengine.web.following import Following
from evoengine.web.guard import LOCAL, Guard
from evoengine.web.links import Served, address
from evoengine.web.rendering import HERE, rendered
from evoengine.web.viewed import Query, Viewed, whole_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.types import ASGIApp

VIEWS = {
    "": "overview",
    "map": "archive",
    "records": "records",
    "operators": "operators",
    "contexts": "contexts",
    "training": "training",
    "failures": "failures",
    "decisions": "decisions",
}
_PAGES: dict[str, Callable[[Viewed, Query], dict[str, Any]]] = {
    "": pages.overview,
    "map": map_page.archive_map,
    "records": pages.records,
    "operators": pages.operators,
    "contexts": pages.contexts,
    "training": pages.training,
    "failures": pages.failures,
    "decisions": deciding.decisions,
}
_LISTED_AT_ONCE = 5000
"""Records of unread campaigns that the list of campaigns is willing to read for their best values."""
_FOUND = 200
"""Records that a search looks at."""


def application(
    following: Following,
    *,
    hosts: Iterable[str] = LOCAL,
    token: str | None = None,
    edits: bool = False,
    gallery: Gallery | None = None,
) -> ASGIApp:
    """The pages over a store, behind their guard.

    Args:
        following: entered.
        hosts: the names that it may be asked under.
        token: what a visitor has to know; None where nobody is asked for it.
        edits: whether people may decide something on the pages.
        gallery: draws records; by default with no problems but those that are found by name.
    """
    site = _Site(following, gallery or Gallery(), edits)
    routes = [
        Route("/", site.campaigns),
        Route("/search", site.search),
        Route("/campaigns/{id}", partial(site.page, ""), name="overview"),
        Route("/campaigns/{id}/progress", site.progress),
        Route("/campaigns/{id}/records/{number}", site.record),
        Route("/campaigns/{id}/records/{number}/lineage", site.lineage),
        Route("/campaigns/{id}/records/{number}/picture.svg", site.picture),
        Route("/campaigns/{id}/open", site.opened),
        *([Route("/campaigns/{id}/decide", site.decide, methods=["POST"])] if edits else []),
        *(Route(f"/campaigns/{{id}}/{name}", partial(site.page, name)) for name in _PAGES if name),
        Mount("/static", StaticFiles(directory=HERE / "static")),
    ]
    app = Starlette(
        routes=routes,
        exception_handlers={
            Unknown: partial(_failed, 404),
            Wrong: partial(_failed, 400),
            EvoengineError: partial(_failed, 500),
            HTTPException: _refused,
            Exception: partial(_failed, 500),
        },
    )
    app.router.redirect_slashes = False
    return Guard(app, frozenset(hosts), token, edits)


class _Site:
    """What answers requests. Every page is made under the lock of what it is made from."""

    def __init__(self, following: Following, gallery: Gallery, edits: bool) -> None:
        self._following, self._gallery, self._edits = following, gallery, edits

    def _row(self, request: Request) -> CampaignRow:
        number = whole_of(request.path_params["id"])
        for row in self._following.store.campaigns():
            if row.id == number:
                return row
        raise Unknown("This store has no such campaign; the list of campaigns says which there are.")

    def _viewed(self, row: CampaignRow) -> Viewed:
        chronicle = self._following.chronicle(row)
        last = max(self._following.store.last(row), chronicle.count)
        return Viewed(
            store=self._following.store, row=row, chronicle=chronicle, last=last, links=Served(row.id),
            gallery=self._gallery,
        )  # fmt: skip

    def _answer(self, viewed: Viewed, template: str, view: str, title: str, values: dict[str, Any]) -> Response:
        return HTMLResponse(
            rendered(
                template,
                title=title,
                view=view,
                views={name: (label, viewed.links.page(name)) for name, label in VIEWS.items()},
                row=viewed.row,
                links=viewed.links,
                read=viewed.chronicle.count,
                last=viewed.last,
                static="/static",
                frozen=False,
                edits=self._edits,
                **{key: value for key, value in values.items() if key not in ("last", "read")},
            )
        )

    def campaigns(self, request: Request) -> Response:  # noqa: ARG002  # all pages are asked alike
        with self._following.lock:
            store, willing = self._following.store, _LISTED_AT_ONCE
            rows: list[dict[str, Any]] = []
            for row in store.campaigns():
                last = store.last(row)
                chronicle = self._following.known(row)
                if chronicle is None and last <= willing and len(rows) < 4:
                    with suppress(EvoengineError):  # its own page says what is wrong with it
                        chronicle = self._following.chronicle(row)
                    willing -= last
                best = None
                if chronicle is not None and chronicle.progress.best is not None:
                    best = chronicle.shown(chronicle.progress.best)
                rows.append(
                    {
                        "row": row, "last": last, "best": best, "seconds": store.seconds(row),
                        "href": Served(row.id).page(""), "goal": row.settings.get("about", {}).get("goal", ""),
                    }
                )  # fmt: skip
            return HTMLResponse(rendered("campaigns.html", title="campaigns", rows=rows, url=store.url))

    def page(self, name: str, request: Request) -> Response:
        with self._following.lock:
            viewed = self._viewed(self._row(request))
            values = _PAGES[name](viewed, Query(request.query_params))
            return self._answer(viewed, f"{VIEWS[name]}.html", name, VIEWS[name], values)

    def progress(self, request: Request) -> Response:
        with self._following.lock:
            viewed = self._viewed(self._row(request))
            told = pages.standing(viewed)
            names = ("last", "read", "best", "best_number", "evaluations", "tokens", "money", "seconds", "elite_count")
            return JSONResponse({name: told[name] for name in names})

    def record(self, request: Request) -> Response:
        with self._following.lock:
            viewed = self._viewed(self._row(request))
            number = self._number(request)
            values = record_page.record_page(viewed, number, Query(request.query_params))
            return self._answer(viewed, "record.html", "record", f"record {number}", values)

    def lineage(self, request: Request) -> Response:
        with self._following.lock:
            viewed = self._viewed(self._row(request))
            number = self._number(request)
            values = record_page.lineage_page(viewed, number)
            return self._answer(viewed, "lineage.html", "lineage", f"lineage of record {number}", values)

    def picture(self, request: Request) -> Response:
        """A record as its problem draws it, for an `img` alone: the guard lets nothing in it run."""
        with self._following.lock:
            viewed = self._viewed(self._row(request))
            match self._gallery.picture(viewed.row, viewed.record(self._number(request))):
                case Picture(svg=svg):
                    return Response(svg, media_type="image/svg+xml")
                case Undrawn(why=why):
                    raise Unknown(f"There is no picture of this record: {why}")
                case None:
                    raise Unknown("There is no picture of this record.")

    async def decide(self, request: Request) -> Response:
        """Puts what a form says into the campaign's queue, and goes on to the page of decisions."""
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > deciding.LARGEST:
                return _told(413, f"That is more than {deciding.LARGEST >> 20} MiB.")
        return await run_in_threadpool(self._decide, request, body)

    def _decide(self, request: Request, body: bytes) -> Response:
        with self._following.lock:
            viewed = self._viewed(self._row(request))
            place = viewed.store.decide(viewed.row, deciding.action_of(body, viewed))
            return RedirectResponse(address(Served(viewed.row.id).page("decisions"), decided=place), 303)

    def opened(self, request: Request) -> Response:
        """A record by a number that was typed in."""
        with self._following.lock:
            row = self._row(request)
            last = self._following.store.last(row)
            number = Query(request.query_params).whole("number", 1, max(1, last))
            return RedirectResponse(Served(row.id).record(number or 1), 303)

    def search(self, request: Request) -> Response:
        query = Query(request.query_params)
        text = query.text("q")
        found = self._following.search(text[:500], _FOUND) if text is not None else []
        with self._following.lock:
            rows = {row.name: row for row in self._following.store.campaigns()}
            within = query.choice("campaign", rows)
            hits = [
                {"name": name, "number": number, "excerpt": excerpt, "href": Served(rows[name].id).record(number)}
                for name, number, excerpt in found or ()
                if name in rows and within in (None, name)
            ]
            again = address("/search", q=text, campaign=within)
            values = {"q": text or "", "hits": hits, "waiting": found is None, "again": again, "within": within}
            return HTMLResponse(rendered("search.html", title="search", names=list(rows), most=_FOUND, **values))

    def _number(self, request: Request) -> int:
        number = whole_of(request.path_params["number"])
        if number is None:
            raise Unknown("Records have whole numbers from 1; there is no such record.")
        return number


def _failed(status: int, request: Request, error: Exception) -> Response:  # noqa: ARG001  # Starlette's signature
    told = str(error) if isinstance(error, Unknown | Wrong | EvoengineError) else "This page cannot be made."
    return _told(status, told)


def _refused(request: Request, error: Exception) -> Response:  # noqa: ARG001
    assert isinstance(error, HTTPException)
    return _told(error.status_code, "There is no such page here." if error.status_code == 404 else error.detail)


def _told(status: int, text: str) -> Response:
    phrase = HTTPStatus(status).phrase
    return HTMLResponse(rendered("error.html", title=phrase.lower(), status=status, text=text), status)
