"""The tables about lists, agreements and the log, with what each row and column means; and their migrations.

A migration is appended, never edited: a state.db of any earlier version moves forward. Times are UTC, ISO 8601 to the
microsecond, so that text order is time order. Tables of `alerts/` live in the same file and have their own set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.storage.database import Schema, run_script

if TYPE_CHECKING:
    from sqlite_utils import Database


def m001_lists_agreements_and_the_log(db: Database) -> None:
    run_script(
        db,
        """
        -- A workbook's bytes, kept as fetched. One row a file content, however often it was served.
        CREATE TABLE workbooks (
            sha256 TEXT PRIMARY KEY,           -- of the bytes, hex
            bytes BLOB NOT NULL,
            saved_at TEXT                      -- the workbook's own "modified" time, if it says one
        ) STRICT;

        -- One appearance of a content on one list.
        CREATE TABLE publications (
            id INTEGER PRIMARY KEY,            -- in the order in which they were first seen
            public_id TEXT NOT NULL UNIQUE,    -- p-…: from (list, sha256, observed_at)
            list TEXT NOT NULL CHECK (list IN ('participating', 'pending')),
            sha256 TEXT NOT NULL REFERENCES workbooks,
            meaning TEXT NOT NULL,             -- hash of its rows, whatever their order; '' if unreadable
            url TEXT NOT NULL,
            file TEXT NOT NULL,                -- the file's name: a label, never evidence
            rows INTEGER NOT NULL,
            observed_at TEXT NOT NULL          -- first seen
        ) STRICT;

        -- What became of a publication, in order; the last row tells how it stands.
        CREATE TABLE decisions (
            id INTEGER PRIMARY KEY,
            publication INTEGER NOT NULL REFERENCES publications,
            at TEXT NOT NULL,
            -- held: not believed yet; accepted: its rows and entries are recorded; rejected: an operator said no;
            -- moot: held, and then replaced before it was believed
            verdict TEXT NOT NULL CHECK (verdict IN ('held', 'accepted', 'rejected', 'moot')),
            structural INTEGER NOT NULL DEFAULT 0 CHECK (structural IN (0, 1)),  -- held until an operator acts
            reasons TEXT NOT NULL DEFAULT '[]' -- JSON array of sentences
        ) STRICT;
        CREATE INDEX decisions_publication ON decisions (publication);

        -- One look at one list of the source.
        CREATE TABLE checks (
            id INTEGER PRIMARY KEY,
            list TEXT NOT NULL CHECK (list IN ('participating', 'pending')),
            at TEXT NOT NULL,
            outcome TEXT NOT NULL CHECK (outcome IN ('unchanged', 'changed', 'held', 'not linked', 'failed')),
            publication INTEGER REFERENCES publications,  -- what was seen, where that was a workbook
            sha256 TEXT,                       -- of the bytes that were seen
            detail TEXT NOT NULL DEFAULT ''    -- what went wrong, in words
        ) STRICT;
        CREATE INDEX checks_list ON checks (list, id);
        CREATE INDEX checks_seen ON checks (list, at, sha256);

        -- The validators of the workbook that was recorded last: what the next request offers to the source.
        CREATE TABLE validators (
            list TEXT PRIMARY KEY,
            url TEXT NOT NULL,
            last_modified TEXT NOT NULL,
            etag TEXT NOT NULL,
            sha256 TEXT NOT NULL
        ) STRICT;

        -- A row's cells as published, shared by all listings that show the same.
        CREATE TABLE contents (
            id INTEGER PRIMARY KEY,
            state TEXT NOT NULL,
            agency TEXT NOT NULL,
            type TEXT NOT NULL,
            county TEXT NOT NULL,
            support_type TEXT NOT NULL,
            signed TEXT NOT NULL,
            moa TEXT NOT NULL,
            moa_address TEXT NOT NULL,
            addendum TEXT NOT NULL,
            addendum_address TEXT NOT NULL,
            hash BLOB NOT NULL UNIQUE          -- of all cells
        ) STRICT;

        -- One agency's agreement under one support type, followed across publications and lists.
        CREATE TABLE agreements (
            id INTEGER PRIMARY KEY,
            public_id TEXT NOT NULL UNIQUE,    -- a-…: from (list, sha256, row) of its first listing
            publication INTEGER NOT NULL REFERENCES publications,  -- of its first listing
            row INTEGER NOT NULL
        ) STRICT;

        -- One row of an accepted publication.
        CREATE TABLE listings (
            publication INTEGER NOT NULL REFERENCES publications,
            row INTEGER NOT NULL,              -- number of the row in the sheet, from 1
            content INTEGER NOT NULL REFERENCES contents,
            agreement INTEGER NOT NULL REFERENCES agreements,
            spare INTEGER NOT NULL DEFAULT 0 CHECK (spare IN (0, 1)),  -- a second listing of the agreement
            PRIMARY KEY (publication, row)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX listings_agreement ON listings (agreement, publication);

        -- The change log: numbered, append-only.
        CREATE TABLE entries (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            id TEXT NOT NULL UNIQUE,           -- c-…: from (kind, agreement, publication, about)
            kind TEXT NOT NULL CHECK (kind IN ('new', 'changed', 'terminated', 'returned', 'applied', 'dropped',
                                               'confirmed', 'withdrawn', 'retracted', 'merged')),
            about TEXT REFERENCES entries (id),     -- for notes: the entry that they are about
            agreement INTEGER NOT NULL REFERENCES agreements,
            publication INTEGER NOT NULL REFERENCES publications,  -- in which it was seen
            previous INTEGER REFERENCES publications,  -- which "before" was read from
            observed_at TEXT NOT NULL,         -- first seen
            recorded_at TEXT NOT NULL,         -- believed
            announce INTEGER NOT NULL CHECK (announce IN (0, 1)),  -- 0: old news, told to nobody
            significance TEXT NOT NULL CHECK (significance IN ('substantive', 'document', 'clerical')),
            fields TEXT NOT NULL,              -- JSON array of {name, before, after, significance}
            before_content INTEGER REFERENCES contents,
            before_row INTEGER,
            after_content INTEGER REFERENCES contents,
            after_row INTEGER,
            state TEXT,                        -- two-letter code, null where nobody could tell
            reasons TEXT NOT NULL,             -- JSON array of words
            pending_since TEXT                 -- for `new`: when its application was first seen
        ) STRICT;
        CREATE INDEX entries_agreement ON entries (agreement, seq);
        CREATE INDEX entries_about ON entries (about) WHERE about IS NOT NULL;
        CREATE INDEX entries_observed ON entries (observed_at);

        CREATE TRIGGER entries_are_never_edited BEFORE UPDATE ON entries
        BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
        CREATE TRIGGER entries_are_never_deleted BEFORE DELETE ON entries
        BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;

        -- How each entry stands, read from the notes about it: the last one wins.
        CREATE VIEW log AS
        SELECT e.seq, e.id, e.kind,
               coalesce((SELECT n.kind FROM entries n WHERE n.about = e.id ORDER BY n.seq DESC LIMIT 1),
                        CASE WHEN e.kind IN ('terminated', 'dropped') THEN 'unconfirmed' END) AS status,
               e.about, p.list, e.observed_at, e.recorded_at, e.announce, a.public_id AS agreement, e.state,
               e.significance, e.fields, e.before_content, e.after_content, e.reasons, e.pending_since,
               p.public_id AS publication, p.file, p.url, p.sha256,
               coalesce(e.after_row, e.before_row) AS row,
               b.public_id AS previous, b.file AS previous_file, b.url AS previous_url, b.sha256 AS previous_sha256,
               e.before_row
        FROM entries e
        JOIN publications p ON p.id = e.publication
        JOIN agreements a ON a.id = e.agreement
        LEFT JOIN publications b ON b.id = e.previous;

        -- How each publication stands.
        CREATE VIEW standing_publications AS
        SELECT p.*, d.verdict, d.at AS decided_at, d.structural, d.reasons
        FROM publications p
        JOIN decisions d ON d.id = (SELECT max(id) FROM decisions WHERE publication = p.id);
        """,
    )


def m002_what_an_operator_decides(db: Database) -> None:
    run_script(
        db,
        """
        -- What an operator decided. With the workbooks and the checks this is all that the rest is derived from.
        CREATE TABLE acts (
            id INTEGER PRIMARY KEY,            -- in the order in which they were done
            at TEXT NOT NULL,
            act TEXT NOT NULL CHECK (act IN ('accept', 'reject', 'same', 'different', 'retract')),
            subject TEXT NOT NULL,             -- public id: of a publication, of a pair under review, of an entry
            why TEXT NOT NULL,                 -- in the operator's words; '' for none
            after_check INTEGER NOT NULL       -- number of the last check before it, 0 for none: its place in time
        ) STRICT;

        ALTER TABLE decisions ADD COLUMN act INTEGER REFERENCES acts;  -- whose it is; null: the rules'
        -- 0: what it says is old news (it was seen in a replay), whoever believes it later
        ALTER TABLE publications ADD COLUMN announce INTEGER NOT NULL DEFAULT 1 CHECK (announce IN (0, 1));
        UPDATE publications SET announce = 0 WHERE id IN (SELECT publication FROM entries WHERE announce = 0);

        -- Two entries that may be about one agreement: it left, and came under another name. For an operator to say.
        CREATE TABLE reviews (
            id INTEGER PRIMARY KEY,
            public_id TEXT NOT NULL UNIQUE,    -- r-…: from (departure, arrival)
            departure TEXT NOT NULL REFERENCES entries (id),
            arrival TEXT NOT NULL REFERENCES entries (id),
            reasons TEXT NOT NULL,             -- JSON array of words: what speaks for it, and what against
            UNIQUE (departure, arrival)
        ) STRICT;

        -- Agreements that proved to be another one. The older id stays; the younger leads to it.
        CREATE TABLE aliases (
            agreement INTEGER PRIMARY KEY REFERENCES agreements,  -- the younger
            same_as INTEGER NOT NULL REFERENCES agreements        -- the older, never an alias itself
        ) STRICT;
        CREATE INDEX aliases_same_as ON aliases (same_as);

        -- A note that was itself retracted says nothing of how an entry stands.
        DROP VIEW log;
        CREATE VIEW log AS
        SELECT e.seq, e.id, e.kind,
               coalesce((SELECT n.kind FROM entries n WHERE n.about = e.id AND NOT EXISTS (
                            SELECT 1 FROM entries r WHERE r.about = n.id AND r.kind = 'retracted')
                         ORDER BY n.seq DESC LIMIT 1),
                        CASE WHEN e.kind IN ('terminated', 'dropped') THEN 'unconfirmed' END) AS status,
               e.about, p.list, e.observed_at, e.recorded_at, e.announce, a.public_id AS agreement, e.state,
               e.significance, e.fields, e.before_content, e.after_content, e.reasons, e.pending_since,
               p.public_id AS publication, p.file, p.url, p.sha256, p.observed_at AS published_at,
               coalesce(e.after_row, e.before_row) AS row,
               b.public_id AS previous, b.file AS previous_file, b.url AS previous_url, b.sha256 AS previous_sha256,
               b.observed_at AS previous_published_at, e.before_row
        FROM entries e
        JOIN publications p ON p.id = e.publication
        JOIN agreements a ON a.id = e.agreement
        LEFT JOIN publications b ON b.id = e.previous;

        -- Listings under the agreements that they belong to by what is known now.
        CREATE VIEW listed AS
        SELECT l.publication, l.row, l.content, coalesce(x.same_as, l.agreement) AS agreement, l.spare
        FROM listings l LEFT JOIN aliases x ON x.agreement = l.agreement;

        DROP VIEW standing_publications;
        CREATE VIEW standing_publications AS
        SELECT p.*, d.verdict, d.at AS decided_at, d.structural, d.reasons, d.act
        FROM publications p
        JOIN decisions d ON d.id = (SELECT max(id) FROM decisions WHERE publication = p.id);
        """,
    )


def m003_what_becomes_of_an_application_and_of_an_agency(db: Database) -> None:
    # The kinds of entries are a CHECK, which SQLite cannot alter, and to copy the log into a new table would mean to
    # drop the triggers that keep it append-only. This is the way that SQLite's page on ALTER TABLE gives instead.
    (version,) = db.execute("PRAGMA schema_version").fetchone()
    db.execute("PRAGMA writable_schema = ON")
    db.execute(
        "UPDATE sqlite_master SET sql = replace(sql, ?, ?) WHERE type = 'table' AND name = 'entries'",
        ["'merged'))", "'merged', 'approved'))"],
    )
    db.execute(f"PRAGMA schema_version = {version + 1}")
    db.execute("PRAGMA writable_schema = OFF")
    run_script(
        db,
        """
        -- What an entry means for the agency: added, switched or renewed; null for none of them.
        ALTER TABLE entries ADD COLUMN relation TEXT CHECK (relation IN ('added', 'switched', 'renewed'));
        -- JSON {before, after}: the support types of the agency's other agreements on the participating list, in the
        -- publication before and in this one; null where it was not looked at.
        ALTER TABLE entries ADD COLUMN agency_standing TEXT;

        DROP VIEW log;
        CREATE VIEW log AS
        SELECT e.seq, e.id, e.kind,
               coalesce((SELECT n.kind FROM entries n WHERE n.about = e.id AND NOT EXISTS (
                            SELECT 1 FROM entries r WHERE r.about = n.id AND r.kind = 'retracted')
                         ORDER BY n.seq DESC LIMIT 1),
                        CASE WHEN e.kind IN ('terminated', 'dropped') THEN 'unconfirmed' END) AS status,
               e.about, p.list, e.observed_at, e.recorded_at, e.announce, a.public_id AS agreement, e.state,
               e.significance, e.fields, e.before_content, e.after_content, e.reasons, e.pending_since,
               -- it was on the first pending list that was read: pending since some day before
               e.pending_since = (SELECT min(observed_at) FROM publications WHERE list = 'pending') AS pending_before,
               e.relation, e.agency_standing,
               p.public_id AS publication, p.file, p.url, p.sha256, p.observed_at AS published_at,
               coalesce(e.after_row, e.before_row) AS row,
               b.public_id AS previous, b.file AS previous_file, b.url AS previous_url, b.sha256 AS previous_sha256,
               b.observed_at AS previous_published_at, e.before_row
        FROM entries e
        JOIN publications p ON p.id = e.publication
        JOIN agreements a ON a.id = e.agreement
        LEFT JOIN publications b ON b.id = e.previous;
        """,
    )


def m004_what_else_a_workbook_holds(db: Database) -> None:
    run_script(
        db,
        """
        -- JSON {not_listings, unknown_columns, sheets}: what stands in the workbook beside its listings; {}: nothing.
        ALTER TABLE publications ADD COLUMN remarks TEXT NOT NULL DEFAULT '{}';

        DROP VIEW standing_publications;
        CREATE VIEW standing_publications AS
        SELECT p.*, d.verdict, d.at AS decided_at, d.structural, d.reasons, d.act
        FROM publications p
        JOIN decisions d ON d.id = (SELECT max(id) FROM decisions WHERE publication = p.id);

        -- What an operator says a column of a list is: when a workbook was accepted, and from then on.
        CREATE TABLE column_names (
            act INTEGER NOT NULL REFERENCES acts,
            list TEXT NOT NULL CHECK (list IN ('participating', 'pending')),
            header TEXT NOT NULL,              -- as the workbook has it
            name TEXT NOT NULL                 -- as ICE calls that column
        ) STRICT;
        """,
    )


SCHEMA = Schema(
    "monitor",
    (
        m001_lists_agreements_and_the_log,
        m002_what_an_operator_decides,
        m003_what_becomes_of_an_application_and_of_an_agency,
        m004_what_else_a_workbook_holds,
    ),
)
