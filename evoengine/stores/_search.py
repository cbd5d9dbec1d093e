"""Full-text search over sources. The index is brought up to date by a search, so that appends do not pay for it."""

from __future__ import annotations

import sqlite3

from sqlite_utils import Database


def is_behind(connection: sqlite3.Connection) -> bool:
    """Whether there is no index yet."""
    return not Database(connection)["contents_fts_until"].exists()


def make_index(connection: sqlite3.Connection) -> None:
    """Makes an empty index. May be repeated: the table that tells of it is made last."""
    Database(connection).table("contents").enable_fts(["source"], create_triggers=False, replace=True)
    connection.execute("insert into contents_fts(contents_fts) values ('delete-all')")
    connection.execute("create table if not exists contents_fts_until as select 0 as id")


def found(connection: sqlite3.Connection, text: str, limit: int) -> list[tuple[str, int, str]]:
    """Records whose source holds all words of a text, best first: campaign, number, an excerpt."""
    words = text.replace("\0", " ").encode("utf-8", "replace").decode().split()
    if not words:
        return []
    _catch_up(connection)
    return connection.execute(
        """
        select campaigns.name, records.number, snippet(contents_fts, 0, '', '', '...', 12)
        from contents_fts
        join contents on contents.id = contents_fts.rowid
        join records on records.id = contents.first_record
        join campaigns on campaigns.id = records.campaign
        where contents_fts match ? order by bm25(contents_fts) limit ?
        """,
        (" ".join('"' + word.replace('"', '""') + '"' for word in words), limit),
    ).fetchall()


def _catch_up(connection: sqlite3.Connection) -> None:
    connection.execute("begin immediate")
    try:
        (done,) = connection.execute("select id from contents_fts_until").fetchone()
        connection.execute(
            "insert into contents_fts (rowid, source) select id, source from contents where id > ?", (done,)
        )
        connection.execute("update contents_fts_until set id = (select coalesce(max(id), 0) from contents)")
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:
            connection.execute("rollback")
        raise
