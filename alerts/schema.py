"""The tables about who is told, with what each row and column means; and their migrations.

They lie in the same state.db as those of `monitor/` and refer to its entries. A migration is appended, never edited.
Times are UTC, ISO 8601 to the microsecond, so that text order is time order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.state import Schema

if TYPE_CHECKING:
    from sqlite_utils import Database


def m001_subscribers_watches_and_deliveries(db: Database) -> None:
    db.executescript(
        """
        -- Somebody at one address. Personal: never in what is shown or given away.
        CREATE TABLE subscribers (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            channel TEXT NOT NULL CHECK (channel IN ('slack', 'email')),
            address TEXT NOT NULL,             -- mail address, or the webhook's URL, which is its secret
            confirmed_at TEXT,                 -- since when it may be written to; null: not (yet)
            confirmed_by TEXT                  -- who vouched for it: 'operator'
        ) STRICT;
        -- One row an address, however the mail address is capitalised; in a URL capitals matter.
        CREATE UNIQUE INDEX subscribers_address
            ON subscribers (channel, CASE channel WHEN 'email' THEN lower(address) ELSE address END);

        -- What a subscriber wants to be told.
        CREATE TABLE watches (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            subscriber INTEGER NOT NULL REFERENCES subscribers,
            states TEXT,                       -- JSON array of two-letter codes; null: all, unknown ones too
            kinds TEXT NOT NULL,               -- JSON array of kinds of entries
            significance TEXT NOT NULL         -- the least that a change must have
                CHECK (significance IN ('substantive', 'document', 'clerical')),
            starts_after INTEGER NOT NULL,     -- position in the log; entries up to it are old news to this watch
            added_at TEXT NOT NULL,
            paused_at TEXT,                    -- null: not paused
            removed_at TEXT                    -- null: in force; kept, since deliveries refer to it
        ) STRICT;
        CREATE INDEX watches_subscriber ON watches (subscriber);

        -- A rendered message, shared by all deliveries that say the same.
        CREATE TABLE messages (
            id INTEGER PRIMARY KEY,
            subject TEXT NOT NULL,             -- of a mail; '' for Slack
            text TEXT NOT NULL,                -- of a mail, or Slack's fallback text
            html TEXT NOT NULL,                -- of a mail; '' for Slack
            blocks TEXT NOT NULL,              -- Slack's blocks as JSON; '' for a mail
            hash BLOB NOT NULL UNIQUE          -- of all of it
        ) STRICT;

        -- One message to one subscriber, and how it goes.
        CREATE TABLE deliveries (
            id INTEGER PRIMARY KEY AUTOINCREMENT,  -- in the order of the log
            public_id TEXT NOT NULL UNIQUE,    -- d-…: from (subscriber, publication, first entry)
            subscriber INTEGER NOT NULL REFERENCES subscribers,
            publication TEXT NOT NULL,         -- public id of the publication that it is about
            message INTEGER NOT NULL REFERENCES messages,
            message_id TEXT NOT NULL UNIQUE,   -- by which the other side knows it, however often it is sent
            -- pending: to be sent; leased: being sent; sent: taken by the other side; dead: given up, a person has to
            -- look; suppressed: not sent, because the subscriber left first
            state TEXT NOT NULL DEFAULT 'pending'
                CHECK (state IN ('pending', 'leased', 'sent', 'dead', 'suppressed')),
            created_at TEXT NOT NULL,
            attempts INTEGER NOT NULL DEFAULT 0,   -- leases taken so far
            next_attempt_at TEXT NOT NULL,     -- of a pending one: not before
            give_up_at TEXT NOT NULL,          -- an attempt that fails after this is the last
            lease_token TEXT,                  -- who is sending it; only they may record an outcome
            lease_until TEXT,                  -- from then on anybody may take it up again
            sent_at TEXT,
            last_error TEXT NOT NULL DEFAULT '',   -- in words, without addresses
            CHECK ((state = 'leased') = (lease_token IS NOT NULL)),
            CHECK ((state = 'leased') = (lease_until IS NOT NULL)),
            CHECK ((state = 'sent') = (sent_at IS NOT NULL))
        ) STRICT;
        CREATE INDEX deliveries_open ON deliveries (id) WHERE state IN ('pending', 'leased');

        -- Which entries a delivery tells of, and which watch asked for each. A watch hears of an entry once.
        CREATE TABLE delivery_entries (
            delivery INTEGER NOT NULL REFERENCES deliveries,
            entry TEXT NOT NULL REFERENCES entries (id),
            watch INTEGER NOT NULL REFERENCES watches,
            PRIMARY KEY (delivery, entry, watch),
            UNIQUE (entry, watch)
        ) STRICT, WITHOUT ROWID;

        -- How far the log is routed: a single row, moved on in the commit that stores the deliveries.
        CREATE TABLE routed (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            position INTEGER NOT NULL          -- number of the last entry that was routed
        ) STRICT;
        INSERT INTO routed VALUES (1, 0);
        """
    )


SCHEMA = Schema("alerts", (m001_subscribers_watches_and_deliveries,))
