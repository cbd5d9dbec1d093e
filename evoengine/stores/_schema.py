"""The SQLite schema and its migrations, by sqlite-utils."""

from __future__ import annotations

from collections.abc import Callable

from sqlite_utils import Database

APPLICATION_ID = 0x45564F45
"""`EVOE`, in the file's header: tells this database from any other."""


def _tables(database: Database) -> None:
    database.table("campaigns").create(
        {
            "id": int,
            "name": str,
            "problem": str,
            "fingerprint": str,
            "seed": int,
            "settings": str,
            "created": str,
        },
        pk="id",
        not_null={"name", "problem", "fingerprint", "seed", "settings", "created"},
        if_not_exists=True,
    )
    database.table("campaigns").create_index(["name"], unique=True, if_not_exists=True)
    # id is campaign * 2^40 + number: one campaign's records are neighbours, appended at the end of their
    # range, and need no other index (appends stay as fast at a million rows as at none).
    database.table("records").create(
        {
            "id": int,
            "campaign": int,
            "number": int,
            "content": int,
            "island": int,
            "operator": str,
            "parents": str,
            "sibling_group": int,
            "score": float,
            "cause": str,
            "features": str,
            "calls": int,
            "trials": int,
            "tokens": int,
            "money": float,
            "seconds": float,
        },
        pk="id",
        if_not_exists=True,
    )
    database.table("contents").create(
        {"id": int, "digest": str, "first_record": int, "kind": str, "language": str, "path": str, "source": str,
         "others": str},
        pk="id",
        if_not_exists=True,
    )  # fmt: skip
    database.table("details").create(
        {"id": int, "feedback": str, "metrics": str, "instances": str, "outputs": str, "turns": str},
        pk="id",
        if_not_exists=True,
    )
    database.table("states").create({"id": int, "state": bytes}, pk="id", if_not_exists=True)
    database.table("checks").create(
        {"record": int, "stage": str, "score": float, "cause": str, "metrics": str, "instances": str, "feedback": str},
        pk=("record", "stage"),
        if_not_exists=True,
    )


def _runs_and_views(database: Database) -> None:
    if "at" not in database.table("records").columns_dict:
        database.table("records").add_column("at", float)
    database.table("runs").create(
        {"id": int, "campaign": int, "began": str, "seconds": float, "reason": str}, pk="id", if_not_exists=True
    )
    database.create_view(
        "programs",
        """
        select campaigns.name as campaign, records.number, records.score, records.cause, records.island,
               records.operator, records.parents, records.features, records.calls, contents.digest, contents.source
        from records
        join campaigns on campaigns.id = records.campaign
        left join contents on contents.id = records.content
        """,
        replace=True,
    )


def _digests(database: Database) -> None:
    # in the order of ids, so that appending to it stays cheap: an index in the order of digests would not
    database.table("contents").create_index(["id", "digest"], index_name="contents_digests", if_not_exists=True)


def _tiers(database: Database) -> None:
    if "tier" not in database.table("records").columns_dict:
        database.table("records").add_column("tier", str)


def _addresses(database: Database) -> None:
    # a table of its own, so that an append touches nothing but ends of rowids, and opening a store reads
    # a million addresses without the two kilobytes of source beside each
    database.table("digests").create({"id": int, "digest": str}, pk="id", if_not_exists=True)
    database.execute("insert or ignore into digests (id, digest) select id, digest from contents")
    database.execute("drop index if exists contents_digests")


def _origins(database: Database) -> None:
    if "origin" not in database.table("details").columns_dict:
        database.table("details").add_column("origin", str)


def _updates(database: Database) -> None:
    database.table("updates").create(
        {"campaign": int, "number": int, "record": int, "policy": str, "facts": str},
        pk=("campaign", "number"),
        if_not_exists=True,
    )


def _decisions(database: Database) -> None:
    database.table("decisions").create(
        {"id": int, "campaign": int, "action": str, "content": str, "at": str}, pk="id", if_not_exists=True
    )


MIGRATIONS: tuple[Callable[[Database], None], ...] = (
    _tables,
    _runs_and_views,
    _digests,
    _tiers,
    _addresses,
    _origins,
    _updates,
    _decisions,
)
"""Step i brings version i to version i + 1."""

VERSION = len(MIGRATIONS)
