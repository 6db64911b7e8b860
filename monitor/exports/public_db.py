"""`public.db`, the copy of the log that is published: its tables and views, and how they are filled.

It is written from the log, never copied from state.db, so that nothing about subscribers can be in it.
"""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path

from monitor.exports.records import Line, agreement_line, as_json, entry_line, publication_line
from monitor.model import Entry, ListName
from monitor.storage.database import moment
from monitor.storage.log import Log
from monitor.storage.revision import revision

SCHEMA = """
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;

-- What this file was made from: the position of the log, and a mark that differs once anything else does.
CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

-- When ICE's lists were last looked at, and when that last succeeded.
CREATE TABLE last_checks (
    list TEXT PRIMARY KEY, at TEXT NOT NULL, outcome TEXT NOT NULL, succeeded_at TEXT
) WITHOUT ROWID;

-- Workbooks that ICE published, and whether they were believed.
CREATE TABLE publications (
    id TEXT PRIMARY KEY, list TEXT NOT NULL, file TEXT NOT NULL, url TEXT NOT NULL, sha256 TEXT NOT NULL,
    rows INTEGER NOT NULL, observed_at TEXT NOT NULL, verdict TEXT NOT NULL, decided_at TEXT NOT NULL,
    reasons TEXT NOT NULL
);

-- Agreements and applications, as their newest row says.
CREATE TABLE agreements (
    id TEXT PRIMARY KEY, state TEXT, agency TEXT NOT NULL, type TEXT NOT NULL, county TEXT NOT NULL,
    support_type TEXT NOT NULL, signed TEXT NOT NULL, moa TEXT NOT NULL, addendum TEXT NOT NULL,
    first_list TEXT NOT NULL, first_seen TEXT NOT NULL, listed_before INTEGER NOT NULL
);

-- Ids under which an agreement was known until it proved to be this one.
CREATE TABLE aliases (alias TEXT PRIMARY KEY, agreement TEXT NOT NULL REFERENCES agreements (id)) WITHOUT ROWID;

-- From when until when a list showed an agreement. `until` is null while it does.
CREATE TABLE listed (
    agreement TEXT NOT NULL REFERENCES agreements (id), list TEXT NOT NULL, since TEXT NOT NULL, until TEXT
);

-- What changed. `relation`: added, switched or renewed; `agency_standing`: what else the agency had, as JSON.
CREATE TABLE changes (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, status TEXT, list TEXT NOT NULL,
    observed_at TEXT NOT NULL, recorded_at TEXT NOT NULL, agreement TEXT NOT NULL REFERENCES agreements (id),
    state TEXT, agency TEXT NOT NULL, county TEXT NOT NULL, support_type TEXT NOT NULL, signed TEXT NOT NULL,
    significance TEXT NOT NULL, fields TEXT NOT NULL, before TEXT, after TEXT, pending_since TEXT,
    relation TEXT, agency_standing TEXT, reasons TEXT NOT NULL,
    publication TEXT NOT NULL REFERENCES publications (id), row INTEGER
);

-- What was noted later about a change, or about an earlier note.
CREATE TABLE notes (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL, about TEXT NOT NULL, list TEXT NOT NULL,
    observed_at TEXT NOT NULL, recorded_at TEXT NOT NULL, agreement TEXT NOT NULL REFERENCES agreements (id),
    reasons TEXT NOT NULL, publication TEXT NOT NULL REFERENCES publications (id)
);
"""

# Made once the tables are full, which is faster.
FINISH = """
CREATE INDEX listed_agreement ON listed (agreement, list);
CREATE INDEX listed_since ON listed (list, since, until);
CREATE INDEX agreements_state ON agreements (state);
CREATE INDEX changes_agreement ON changes (agreement);
CREATE INDEX changes_state ON changes (state);
CREATE INDEX changes_observed ON changes (observed_at);
CREATE INDEX notes_about ON notes (about);

CREATE VIEW current_agreements AS
SELECT a.*, l.since AS listed_since FROM agreements a
JOIN listed l ON l.agreement = a.id AND l.list = 'participating' AND l.until IS NULL;

CREATE VIEW current_applications AS
SELECT a.*, l.since AS listed_since FROM agreements a
JOIN listed l ON l.agreement = a.id AND l.list = 'pending' AND l.until IS NULL
WHERE a.id NOT IN (SELECT id FROM current_agreements);

CREATE VIEW changes_with_status AS
SELECT c.seq, c.id, c.kind,
       CASE WHEN c.status IN ('withdrawn', 'retracted', 'merged') THEN 'no' ELSE 'yes' END AS stands,
       c.status, n.recorded_at AS status_since, c.list, c.observed_at, c.state, c.agency, c.county, c.support_type,
       c.signed, c.significance, c.agreement, p.file, p.url, c.row
FROM changes c JOIN publications p ON p.id = c.publication
LEFT JOIN notes n ON n.seq = (SELECT max(seq) FROM notes WHERE about = c.id AND kind = c.status);

CREATE VIEW counts_by_state AS
SELECT state, count(*) AS agreements,
       sum(support_type = 'Jail Enforcement Model') AS jail_enforcement,
       sum(support_type = 'Task Force Model') AS task_force,
       sum(support_type = 'Tribal Task Force Model') AS tribal_task_force,
       sum(support_type = 'Warrant Service Officer') AS warrant_service
FROM current_agreements GROUP BY state;

CREATE VIEW counts_by_month AS
SELECT substr(observed_at, 1, 7) AS month, sum(kind = 'new') AS new, sum(kind = 'terminated') AS no_longer_listed,
       sum(kind = 'returned') AS listed_again, sum(kind = 'changed' AND significance = 'substantive') AS changed
FROM changes WHERE coalesce(status, '') NOT IN ('withdrawn', 'retracted', 'merged') GROUP BY 1;

-- Datasette recognizes the index by the form of this statement.
CREATE VIRTUAL TABLE agreements_fts USING fts5 (agency, county, content="agreements");
INSERT INTO agreements_fts (agreements_fts) VALUES ('rebuild');
ANALYZE;
"""


def public_mark(log: Log) -> str:
    """A text that changes whenever anything in public.db would."""
    checks = log.state.value("SELECT coalesce(max(id), 0) FROM checks")
    return f"{revision(log)}-{checks}"


def is_current(path: Path, log: Log) -> bool:
    """Whether the file at `path` says what it would say if it were written now."""
    if not path.exists():
        return False
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as public:
            return (public_mark(log),) in public.execute("SELECT value FROM about WHERE name = 'mark'")
    except sqlite3.Error:  # not ours, or of an earlier version
        return False


def write_public(log: Log, path: Path) -> None:
    """Write the file at `path`, whole or not at all."""
    number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-", suffix=".tmp")
    try:
        with closing(sqlite3.connect(name, isolation_level=None)) as made:
            _fill(made, log)
        os.fsync(number)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    finally:
        os.close(number)


def _fill(made: sqlite3.Connection, log: Log) -> None:
    made.executescript(SCHEMA)
    made.execute("BEGIN")
    about = {"mark": public_mark(log), "position": str(log.changelog.position())}
    _insert(made, "about", ({"name": name, "value": value} for name, value in about.items()))
    _insert(
        made,
        "last_checks",
        (
            {
                "list": check.list,
                "at": _iso(check.at),
                "outcome": check.outcome,
                "succeeded_at": check.succeeded_at and _iso(check.succeeded_at),
            }
            for check in log.checks.last()
        ),
    )
    _insert(made, "publications", map(publication_line, log.publications.all()))
    records = list(log.agreements.all())
    _insert(made, "agreements", map(agreement_line, records))
    older = {alias: record.id for record in records for alias in record.aliases}
    _insert(made, "aliases", ({"alias": alias, "agreement": id} for alias, id in older.items()))
    _insert(made, "listed", _listed_spans(log))
    entries = list(log.changelog.entries())
    _insert(made, "changes", (_line(entry, older) for entry in entries if not entry.kind.is_note))
    _insert(made, "notes", (_line(entry, older) for entry in entries if entry.kind.is_note))
    made.execute("COMMIT")
    made.executescript(FINISH)


def _line(entry: Entry, older: Mapping[str, str]) -> Line:
    return entry_line(entry) | {
        "agreement": older.get(entry.agreement, entry.agreement),
        "publication": entry.publication.id,
        "row": entry.publication.row,
    }


def _insert(made: sqlite3.Connection, table: str, lines: Iterable[Line]) -> None:
    """Insert of each line what the table has a column for; lists and mappings as JSON."""
    columns = [column for _, column, *_ in made.execute(f"PRAGMA table_info({table})")]
    made.executemany(
        f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})",
        ([_stored(line[column]) for column in columns] for line in lines),
    )


def _stored(value: object) -> object:
    return as_json(value) if isinstance(value, list | dict) else value


def _listed_spans(log: Log) -> Iterator[Line]:
    """Each span of time in which a list showed an agreement; `until` is None while it does."""
    for list_ in ListName:
        since: dict[str, str] = {}
        before = 0
        for number, seen in _accepted(log, list_):
            for agreement in _listed_by_one_only(log, before, number):
                yield {"agreement": agreement, "list": list_, "since": since.pop(agreement), "until": seen}
            since |= dict.fromkeys(_listed_by_one_only(log, number, before), seen)
            before = number
        for agreement, seen in since.items():
            yield {"agreement": agreement, "list": list_, "since": seen, "until": None}


def _listed_by_one_only(log: Log, publication: int, other: int) -> list[str]:
    """The agreements that a publication lists and another does not."""
    rows = log.state.rows(
        "SELECT public_id FROM agreements WHERE id IN (SELECT agreement FROM listed WHERE publication = ?"
        " EXCEPT SELECT agreement FROM listed WHERE publication = ?) ORDER BY id",
        publication,
        other,
    )
    return [r["public_id"] for r in rows]


def _accepted(log: Log, list_: ListName) -> list[tuple[int, str]]:
    rows = log.state.rows(
        "SELECT id, observed_at FROM standing_publications WHERE verdict = 'accepted' AND list = ? ORDER BY id", list_
    )
    return [(r["id"], _iso(moment(r["observed_at"]))) for r in rows]


def _iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
