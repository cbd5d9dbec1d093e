"""Campaigns in one SQLite file, in WAL mode."""

from __future__ import annotations

import fcntl
import json
import sqlite3
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from sqlite_utils import Database

from evoengine.errors import StoreError
from evoengine.stores._meanings import meaning_of
from evoengine.stores._rows import (
    NUMBERS,
    SELECT_ELITE,
    SELECT_OUTLINES,
    SELECT_RECORDS,
    content_of,
    content_row,
    decision_of,
    decision_row,
    detail_row,
    elite_of,
    evaluation_of,
    outline_of_row,
    record_of,
    record_row,
    utf8,
)
from evoengine.stores._schema import APPLICATION_ID, MIGRATIONS, VERSION
from evoengine.stores._search import found, is_behind, make_index
from evoengine.stores.base import CampaignRow, Check, Outline, Store, Update
from evoengine.types import Action, Content, Failed, Judgement, Record, Scored

_HEADER = b"SQLite format 3\0"
_INSERT_RECORD = f"insert into records values ({','.join('?' * 18)})"
_INSERT_CONTENT = f"insert into contents values ({','.join('?' * 8)})"
_INSERT_DETAIL = "insert into details values (?,?,?,?,?,?,?)"


class Sqlite(Store):
    """A SQLite file: `sqlite:///evo.db` (relative) or `sqlite:////data/evo.db` (absolute).

    sqlite-utils makes and migrates the schema and searches; the hot path is prepared statements of
    plain sqlite3, which are two to three times faster.

    Attributes:
        synchronous: "normal" survives the death of the process, and a power cut may take the last
            moments (never the file); "full" waits for the disk at every append.
        wait: seconds to wait for another process that is writing.
    """

    url: str = "sqlite:///evo.db"
    synchronous: Literal["normal", "full"] = "normal"
    wait: float = 30.0

    @cached_property
    def _connection(self) -> sqlite3.Connection | None:
        return None  # cached properties are read ten times faster than pydantic's private attributes

    @cached_property
    def _known(self) -> dict[str, int]:
        return {}

    @cached_property
    def _last_content(self) -> int:
        return 0

    @property
    def path(self) -> Path:
        """The file.

        Raises:
            StoreError: the URL is not one of a SQLite file.
        """
        prefix = "sqlite:///"
        if not self.url.startswith(prefix) or len(self.url) == len(prefix):
            raise StoreError(
                f"not a SQLite store: {self.url!r}; expected sqlite:///relative.db or sqlite:////absolute.db."
            )
        return Path(self.url[len(prefix) :]).expanduser()

    def beside(self, what: str) -> Path:
        return self.path.with_name(f"{self.path.name}-{what}")

    def open(self, *, create: bool = True) -> None:
        if self._connection is not None:
            return
        path = self.path
        if not path.exists() and not create:
            raise StoreError(f"there is no store at {path}; name it with --store sqlite:///FILE, or start a run there.")
        if path.exists() and not path.is_file():
            raise StoreError(f"{path} is not a file; name a SQLite file with --store sqlite:///FILE.")
        with self._explained():
            if path.exists() and _first_bytes(path) not in (b"", _HEADER):  # SQLite overwrites a very short file
                raise StoreError(f"{path} is no SQLite database; name another file with --store sqlite:///FILE.")
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._connection = self._connected(str(path))
            except sqlite3.OperationalError as error:
                if create or not _unwritable(error) or _pending(path):
                    raise
                # to read a file that nobody can be writing, from a place where no log can be kept beside it
                self._connection = self._connected(f"{path.resolve().as_uri()}?mode=ro&immutable=1", fixed=True)

    def _connected(self, place: str, fixed: bool = False) -> sqlite3.Connection:
        connection = sqlite3.connect(place, timeout=self.wait, isolation_level=None, check_same_thread=False, uri=fixed)
        try:
            self._prepare(connection, fixed)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection, fixed: bool) -> None:
        found = connection.execute("pragma user_version").fetchone()[0]
        tables = connection.execute("select count(*) from sqlite_master").fetchone()[0]
        mark = connection.execute("pragma application_id").fetchone()[0]  # written before the first table
        if tables and mark != APPLICATION_ID:
            raise StoreError(f"{self.path} is a SQLite database, but not one of evoengine's; name another file.")
        if found > VERSION:
            raise StoreError(
                f"{self.path} was written by a newer evoengine (schema {found}; this one knows {VERSION}). "
                f"Nothing was changed; upgrade evoengine to open it."
            )
        if fixed:
            if found < VERSION:
                raise StoreError(f"{self.path} has an older schema and cannot be written; open a copy, to migrate it.")
            return
        self._log_ahead(connection)
        connection.execute(f"pragma synchronous = {self.synchronous}")
        connection.execute("pragma temp_store = memory")
        connection.execute("pragma cache_size = -65536")
        if found < VERSION:
            self._migrate(connection)

    def _log_ahead(self, connection: sqlite3.Connection) -> None:
        # SQLite does not wait while two connections change the mode of one file: the second is refused at once.
        if connection.execute("pragma journal_mode").fetchone()[0] != "wal":
            with self._schema_lock():
                connection.execute("pragma journal_mode = wal")

    def _migrate(self, connection: sqlite3.Connection) -> None:
        # sqlite-utils commits after each of its steps, so a lock file keeps other processes out; the steps
        # can be repeated, so a process that dies half-way is made good by the next.
        with self._schema_lock():
            connection.execute(f"pragma application_id = {APPLICATION_ID}")
            found = connection.execute("pragma user_version").fetchone()[0]
            for version, step in enumerate(MIGRATIONS[found:], start=found + 1):
                step(Database(connection))
                connection.execute(f"pragma user_version = {version}")

    @contextmanager
    def _schema_lock(self) -> Iterator[None]:
        with self.path.with_name(f"{self.path.name}-schema.lock").open("a") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
            self._known.clear()
            self._last_content = 0

    def campaigns(self) -> list[CampaignRow]:
        with self._explained():
            rows = self._open.execute(
                "select id, name, problem, fingerprint, seed, settings, created from campaigns order by id"
            ).fetchall()
        return [_campaign(row) for row in rows]

    def create(
        self, *, name: str, problem: str, fingerprint: str, seed: int, settings: Mapping[str, Any]
    ) -> CampaignRow:
        with self._explained():
            row = (
                name,
                problem,
                fingerprint,
                seed,
                json.dumps(settings),
                datetime.now(UTC).isoformat(timespec="seconds"),
            )
            try:
                self._open.execute(
                    "insert into campaigns (name, problem, fingerprint, seed, settings, created) values (?,?,?,?,?,?)",
                    row,
                )
            except sqlite3.IntegrityError:
                raise StoreError(
                    f"a campaign called {name!r} was just started in {self.path} by another process; "
                    f"wait for it, end it, or run under another --name."
                ) from None
        made = self.campaign(name)
        assert made is not None
        return made

    @contextmanager
    def writer(self, campaign: CampaignRow) -> Iterator[None]:
        path = self.path.with_name(f"{self.path.name}-{campaign.id}.lock")
        with self._explained():
            handle = path.open("a")
        with handle:  # and no translation of errors here: what the body raises is its own
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise StoreError(
                    f"campaign {campaign.name!r} in {self.path} is being run by another process; "
                    f"wait for it, end it, or run under another --name."
                ) from None
            yield

    def append(self, campaign: CampaignRow, records: Sequence[Record]) -> None:
        if not records:
            return
        connection, base, at = self._open, campaign.id * NUMBERS, time.time()
        with self._explained():
            connection.execute("begin immediate")
            try:
                self._follows(campaign, records)
                self._catch_up()
                new: dict[str, int] = {}
                contents, rows, details = [], [], []
                for record in records:
                    content = record.candidate.content
                    place = None
                    if content is not None:
                        digest = content.digest
                        place = self._known.get(digest) or new.get(digest)
                        if place is None:
                            place = self._last_content + len(new) + 1
                            new[digest] = place
                            contents.append(content_row(content, place, base + record.number))
                    rows.append(record_row(base, campaign.id, record, place, at))
                    detail = detail_row(base, record)
                    if detail is not None:
                        details.append(detail)
                connection.executemany(_INSERT_CONTENT, contents)
                connection.executemany("insert into digests (id, digest) values (?, ?)", [one[:2] for one in contents])
                connection.executemany(_INSERT_RECORD, rows)
                connection.executemany(_INSERT_DETAIL, details)
                connection.execute("commit")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("rollback")
                raise
            self._known.update(new)
            self._last_content += len(new)

    def _follows(self, campaign: CampaignRow, records: Sequence[Record]) -> None:
        last = self.last(campaign)
        for expected, record in enumerate(records, start=last + 1):
            if record.number != expected:
                raise StoreError(
                    f"campaign {campaign.name!r} in {self.path} has {last} records, so record {expected} was expected "
                    f"and {record.number} came; nothing was written. Open the campaign anew to go on from its end."
                )

    def _catch_up(self) -> None:
        """Learns the addresses of contents that this or another process has added."""
        connection = self._open
        last = connection.execute("select max(id) from contents").fetchone()[0] or 0
        if last != self._last_content:
            self._known.update(connection.execute("select digest, id from digests where id > ?", (self._last_content,)))
            self._last_content = last

    def last(self, campaign: CampaignRow) -> int:
        base = campaign.id * NUMBERS
        with self._explained():
            row = self._open.execute(
                "select max(id) from records where id between ? and ?", (base, base + NUMBERS - 1)
            ).fetchone()
        return 0 if row[0] is None else int(row[0]) - base

    def replay(self, campaign: CampaignRow, after: int = 0, until: int | None = None) -> Iterator[Record]:
        base = campaign.id * NUMBERS
        end = base + (NUMBERS - 1 if until is None else until)
        with self._explained():
            rows = self._open.execute(
                f"{SELECT_RECORDS} where r.id > ? and r.id <= ? order by r.id", (base + after, end)
            )
            for row in rows:
                yield record_of(row)

    def records(self, campaign: CampaignRow, numbers: Iterable[int]) -> dict[int, Record]:
        base, found = campaign.id * NUMBERS, {}
        wanted = sorted(set(numbers))
        with self._explained():
            for start in range(0, len(wanted), 500):
                ids = [base + number for number in wanted[start : start + 500]]
                marks = ",".join("?" * len(ids))
                for row in self._open.execute(f"{SELECT_RECORDS} where r.id in ({marks})", ids):
                    record = record_of(row)
                    found[record.number] = record
        return found

    def outlines(self, campaign: CampaignRow, after: int = 0, until: int | None = None) -> Iterator[Outline]:
        base = campaign.id * NUMBERS
        end = base + (NUMBERS - 1 if until is None else until)
        with self._explained():
            for row in self._open.execute(SELECT_OUTLINES, (base + after, end)):
                yield outline_of_row(row)

    def parents(self, campaign: CampaignRow, after: int = 0) -> Iterator[tuple[int, tuple[int, ...]]]:
        base = campaign.id * NUMBERS
        with self._explained():
            for number, parents in self._open.execute(
                "select number, parents from records where id > ? and id < ? order by id",
                (base + after, base + NUMBERS),
            ):
                yield number, tuple(json.loads(parents))

    def elite(self, campaign: CampaignRow, number: int) -> tuple[Content, Scored]:
        with self._explained():
            row = self._open.execute(SELECT_ELITE, (campaign.id * NUMBERS + number,)).fetchone()
        if row is None:
            raise KeyError(number)
        return elite_of(row)

    def digests(self, campaign: CampaignRow, until: int) -> set[str]:
        base = campaign.id * NUMBERS
        with self._explained():
            self._catch_up()
            if len(self.campaigns()) > 1:
                digests = {place: digest for digest, place in self._known.items()}
                rows = self._open.execute(
                    "select distinct content from records where id > ? and id <= ? and content is not null",
                    (base, base + until),
                )
                return {digests[place] for (place,) in rows}
            later = self._open.execute(
                """
                select c.digest from records r join contents c on c.id = r.content
                where r.id > ? and r.id < ? and c.first_record > ?
                """,
                (base + until, base + NUMBERS, base + until),
            )
            return self._known.keys() - {digest for (digest,) in later}

    def score(self, campaign: CampaignRow, number: int) -> float | None:
        with self._explained():
            row = self._open.execute(
                "select score from records where id = ?", (campaign.id * NUMBERS + number,)
            ).fetchone()
        if row is None:
            raise KeyError(number)
        score: float | None = row[0]
        return score

    def recall(self, fingerprint: str, digest: str) -> Judgement | None:
        with self._explained():
            if not self._known:
                self._catch_up()
            place = self._known.get(digest)
            if place is None:
                return None
            row = self._open.execute(
                """
                select r.score, r.cause, r.features, d.metrics, d.instances, d.feedback, d.outputs,
                       r.calls - r.trials, r.seconds, r.tier
                from contents c join records r on r.id = c.first_record join campaigns on campaigns.id = r.campaign
                left join details d on d.id = r.id
                where c.id = ? and campaigns.fingerprint = ? and r.score is not null
                """,
                (place, fingerprint),
            ).fetchone()
        if row is None:
            return None
        *columns, calls, seconds, tier = row
        return Judgement(evaluation=evaluation_of(*columns), calls=calls, seconds=seconds, tier=tier or "")

    def save_state(self, campaign: CampaignRow, number: int, state: Mapping[str, Any]) -> None:
        base = campaign.id * NUMBERS
        text = json.dumps(state).encode()  # a sum of huge scores may be infinite
        packer = zlib.compressobj(1, strategy=zlib.Z_RLE)  # twice as fast: packed numbers hold no words to find
        packed = packer.compress(text) + packer.flush()
        with self._explained():
            self._open.execute("insert or replace into states values (?,?)", (base + number, packed))
            self._open.execute(
                """
                delete from states where id between ? and ? and id not in
                    (select id from states where id between ? and ? order by id desc limit 3)
                """,
                (base, base + NUMBERS - 1, base, base + NUMBERS - 1),
            )

    def load_state(self, campaign: CampaignRow, at_most: int) -> tuple[int, dict[str, Any]] | None:
        base = campaign.id * NUMBERS
        with self._explained():
            row = self._open.execute(
                "select id, state from states where id between ? and ? order by id desc limit 1", (base, base + at_most)
            ).fetchone()
        return None if row is None else (row[0] - base, json.loads(zlib.decompress(row[1])))

    def add_check(self, campaign: CampaignRow, check: Check) -> None:
        match check.evaluation:
            case Scored(score=score, metrics=metrics, instances=instances):
                judged: tuple[Any, ...] = (score, None, json.dumps(dict(metrics)), json.dumps(dict(instances)))
            case Failed(cause=cause):
                judged = (None, cause.value, None, None)
        with self._explained():
            self._open.execute(
                "insert or replace into checks values (?,?,?,?,?,?,?)",
                (campaign.id * NUMBERS + check.number, check.stage, *judged, utf8(check.evaluation.feedback)),
            )

    def checks(self, campaign: CampaignRow, number: int | None = None) -> list[Check]:
        base = campaign.id * NUMBERS
        first, last = (base, base + NUMBERS - 1) if number is None else (base + number, base + number)
        with self._explained():
            rows = self._open.execute(
                """
                select record, stage, score, cause, metrics, instances, feedback from checks
                where record between ? and ? order by record, stage
                """,
                (first, last),
            ).fetchall()
        return [
            Check(
                number=record - base,
                stage=stage,
                evaluation=evaluation_of(score, cause, None, metrics, instances, feedback, None),
            )
            for record, stage, score, cause, metrics, instances, feedback in rows
        ]

    def add_update(self, campaign: CampaignRow, update: Update) -> None:
        facts = json.dumps(dict(update.facts), allow_nan=False)
        with self._explained():
            self._open.execute(
                "insert or replace into updates values (?,?,?,?,?)",
                (campaign.id, update.number, update.record, update.policy, facts),
            )

    def updates(self, campaign: CampaignRow) -> list[Update]:
        with self._explained():
            rows = self._open.execute(
                "select number, record, policy, facts from updates where campaign = ? order by number", (campaign.id,)
            ).fetchall()
        return [
            Update(number=number, record=record, policy=policy, facts=json.loads(facts))
            for number, record, policy, facts in rows
        ]

    def decide(self, campaign: CampaignRow, action: Action) -> int:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        with self._explained():
            cursor = self._open.execute(
                "insert into decisions (campaign, action, content, at) values (?,?,?,?)",
                decision_row(campaign.id, action, now),
            )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def decided(self, campaign: CampaignRow, after: int = 0) -> list[Action]:
        with self._explained():
            rows = self._open.execute(
                "select id, action, content from decisions where id > ? and campaign = ? order by id",
                (after, campaign.id),
            ).fetchall()
        return [decision_of(row) for row in rows]

    def begin_run(self, campaign: CampaignRow) -> int:
        began = datetime.now(UTC).isoformat(timespec="seconds")
        with self._explained():
            cursor = self._open.execute(
                "insert into runs (campaign, began, seconds) values (?,?,0.0)", (campaign.id, began)
            )
        assert cursor.lastrowid is not None
        return cursor.lastrowid

    def note_run(self, run: int, seconds: float, reason: str | None = None) -> None:
        with self._explained():
            self._open.execute("update runs set seconds = ?, reason = ? where id = ?", (seconds, reason, run))

    def seconds(self, campaign: CampaignRow) -> float:
        with self._explained():
            (total,) = self._open.execute(
                "select coalesce(sum(seconds), 0.0) from runs where campaign = ?", (campaign.id,)
            ).fetchone()
        return float(total)

    def search(self, text: str, limit: int = 20) -> list[tuple[str, int, str]]:
        with self._explained():
            if is_behind(self._open):
                with self._schema_lock():
                    make_index(self._open)
            return found(self._open, text, limit)

    def content(self, digest: str) -> Content | None:
        with self._explained():
            self._catch_up()
            place = self._known.get(digest)
            if place is None:
                return None
            return content_of(
                self._open.execute(
                    "select kind, language, path, source, others, digest from contents where id = ?", (place,)
                ).fetchone()
            )

    @property
    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StoreError(f"{self.path} is not open.")
        return self._connection

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turns what SQLite and the file system say into one clear line."""
        try:
            yield
        except sqlite3.Error as error:
            with suppress(sqlite3.Error):
                if self._connection is not None and self._connection.in_transaction:
                    self._connection.execute("rollback")
            raise StoreError(f"{self.path}: {meaning_of(error)}") from error
        except OSError as error:
            raise StoreError(
                f"{self.path}: {error.strerror or error}; nothing that was acknowledged is lost."
            ) from error


def _first_bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(len(_HEADER))


def _campaign(row: tuple[Any, ...]) -> CampaignRow:
    number, name, problem, fingerprint, seed, settings, created = row
    return CampaignRow(
        id=number,
        name=name,
        problem=problem,
        fingerprint=fingerprint,
        seed=seed,
        settings=json.loads(settings),
        created=created,
    )


def _unwritable(error: sqlite3.Error) -> bool:
    return any(sign in str(error) for sign in ("readonly", "unable to open"))


def _pending(path: Path) -> bool:
    """Whether there is a log with commits that the file itself does not hold yet."""
    log = path.with_name(f"{path.name}-wal")
    return log.exists() and log.stat().st_size > 0
