"""The tables about subscribers and deliveries, with the meaning of each row and column; and their migrations.

They are in the same state.db as those of `monitor/` and refer to its entries. Migrations are appended; never change the
name or the statements of one. Times are UTC, ISO 8601 to the microsecond, so that text order is time order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from monitor.storage.database import Schema, run_script

if TYPE_CHECKING:
    from sqlite_utils import Database


def m001_subscribers_watches_and_deliveries(db: Database) -> None:
    run_script(
        db,
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
        """,
    )


def m002_digests_bots_and_the_whole_ledger(db: Database) -> None:
    """Every table anew, since most of the checks on them change: kept aside, dropped children first, filled again."""
    tables = ("subscribers", "watches", "messages", "deliveries", "delivery_entries")
    for table in tables:
        db.execute(f"CREATE TEMP TABLE was_{table} AS SELECT * FROM {table}")
    for table in reversed(tables):
        db.execute(f"DROP TABLE {table}")
    run_script(
        db,
        """
        -- Somebody at one address. Personal: never in what is shown or given away.
        CREATE TABLE subscribers (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            -- slack: an incoming webhook; slack-bot: a channel that the app with the bot token posts to
            channel TEXT NOT NULL CHECK (channel IN ('email', 'slack', 'slack-bot')),
            address TEXT NOT NULL,             -- mail address; the webhook's URL, which is its secret; the channel's id
            time_zone TEXT NOT NULL DEFAULT 'America/New_York',  -- where the hours of its digests are counted
            confirmed_at TEXT,                 -- since when it may be written to; null: not (yet)
            confirmed_by TEXT CHECK (confirmed_by IN ('operator', 'subscriber')),
            token_hash BLOB UNIQUE,            -- of the token that confirms it, until it is used
            token_until TEXT,                  -- from then on the token is of no use
            not_before TEXT,                   -- the other side asked to wait until then
            disabled_at TEXT,                  -- it will never take a message again, unless somebody mends it
            disabled_why TEXT NOT NULL DEFAULT '',
            CHECK ((confirmed_at IS NULL) = (confirmed_by IS NULL)),
            CHECK ((token_hash IS NULL) = (token_until IS NULL))
        ) STRICT;
        -- One row an address, however the mail address is capitalised; in a URL capitals matter.
        CREATE UNIQUE INDEX subscribers_address
            ON subscribers (channel, CASE channel WHEN 'email' THEN lower(address) ELSE address END);

        -- Addresses that must not be written to, as keyed hashes: all that is left of who was erased.
        CREATE TABLE suppressions (
            hash BLOB PRIMARY KEY,             -- HMAC-SHA256 of channel and address
            at TEXT NOT NULL,
            why TEXT NOT NULL CHECK (why IN ('erased', 'unsubscribed', 'no such address'))
        ) STRICT, WITHOUT ROWID;

        -- What a subscriber wants to be told. Null stands for all.
        CREATE TABLE watches (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            subscriber INTEGER NOT NULL REFERENCES subscribers,
            states TEXT,                       -- JSON array of two-letter codes; null: all, unknown ones too
            counties TEXT,                     -- JSON array of [state, county as compared]
            agencies TEXT,                     -- JSON array of ids of agreements: the agencies that have them
            support_types TEXT,                -- JSON array of support types
            kinds TEXT NOT NULL,               -- JSON array of kinds of entries
            significance TEXT NOT NULL         -- the least that a change must have
                CHECK (significance IN ('substantive', 'document', 'clerical')),
            departures TEXT NOT NULL DEFAULT 'at once' CHECK (departures IN ('at once', 'confirmed')),
            cadence TEXT NOT NULL DEFAULT 'instant' CHECK (cadence IN ('instant', 'daily', 'weekly')),
            minute INTEGER CHECK (minute BETWEEN 0 AND 1439),  -- of a digest: after midnight in the subscriber's zone
            weekday INTEGER CHECK (weekday BETWEEN 0 AND 6),   -- of a weekly one: 0 is Monday
            empty INTEGER NOT NULL DEFAULT 0 CHECK (empty IN (0, 1)),  -- a digest also when nothing happened
            starts_after INTEGER NOT NULL,     -- position in the log; entries up to it are old news to this watch
            added_at TEXT NOT NULL,
            paused_at TEXT,                    -- null: not paused
            removed_at TEXT,                   -- null: in force; kept, since deliveries refer to it
            CHECK ((cadence = 'instant') = (minute IS NULL)),
            CHECK ((cadence = 'weekly') = (weekday IS NOT NULL))
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
            public_id TEXT NOT NULL UNIQUE,    -- d-…: from what it is about and for whom
            subscriber INTEGER NOT NULL REFERENCES subscribers,
            -- instant: one publication's; daily, weekly: a digest; confirmation: of the address; operator: what the
            -- person who runs the service must hear
            purpose TEXT NOT NULL DEFAULT 'instant'
                CHECK (purpose IN ('instant', 'daily', 'weekly', 'confirmation', 'operator')),
            publication TEXT,                  -- public id of the publication that it is about, if it is about one
            message INTEGER NOT NULL REFERENCES messages,
            message_id TEXT NOT NULL UNIQUE,   -- by which the other side knows it, however often it is sent
            replies_to INTEGER REFERENCES deliveries,  -- of a correction: the message that it corrects
            -- pending: to be sent; leased: being sent; sent: taken by the other side; ambiguous: given up, and may have
            -- been taken; dead: given up, a person has to look; suppressed: not sent, because the subscriber left first
            state TEXT NOT NULL DEFAULT 'pending'
                CHECK (state IN ('pending', 'leased', 'sent', 'ambiguous', 'dead', 'suppressed')),
            created_at TEXT NOT NULL,
            attempts INTEGER NOT NULL DEFAULT 0,   -- leases taken so far
            maybe_sent INTEGER NOT NULL DEFAULT 0 CHECK (maybe_sent IN (0, 1)),  -- an attempt may have gone through
            parts_sent INTEGER NOT NULL DEFAULT 0, -- of a message in several parts: how many were taken
            external_id TEXT NOT NULL DEFAULT '',  -- by which Slack knows the first part (its `ts`)
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
        CREATE INDEX deliveries_subscriber ON deliveries (subscriber);

        -- Which entries a delivery tells of, and which watch asked for each. A watch hears of an entry once.
        CREATE TABLE delivery_entries (
            delivery INTEGER NOT NULL REFERENCES deliveries,
            entry TEXT NOT NULL REFERENCES entries (id),
            watch INTEGER NOT NULL REFERENCES watches,
            PRIMARY KEY (delivery, entry, watch),
            UNIQUE (entry, watch)
        ) STRICT, WITHOUT ROWID;

        -- Every digest that was due, also where it had nothing to say: what was in the log up to `position` is told.
        CREATE TABLE digests (
            subscriber INTEGER NOT NULL REFERENCES subscribers,
            schedule TEXT NOT NULL,            -- such as 'daily 07:00' or 'weekly Monday 07:00'
            slot TEXT NOT NULL,                -- the day on which it was due, in the subscriber's time zone
            position INTEGER NOT NULL,
            at TEXT NOT NULL,
            delivery INTEGER REFERENCES deliveries,  -- null: nothing to say
            PRIMARY KEY (subscriber, schedule, slot)
        ) STRICT, WITHOUT ROWID;

        -- What the person who runs the service was told of, each thing once.
        CREATE TABLE operator_events (
            key TEXT PRIMARY KEY,              -- such as 'held p-…' or 'dead d-…'
            at TEXT NOT NULL,
            delivery INTEGER REFERENCES deliveries   -- null: nobody is named to tell
        ) STRICT, WITHOUT ROWID;

        -- Whether everything that is sent is held back: a single row.
        CREATE TABLE paused (
            id INTEGER PRIMARY KEY CHECK (id = 1),
            at TEXT                            -- null: not paused
        ) STRICT;
        INSERT INTO paused VALUES (1, NULL);
        """,
    )
    for table in tables:
        names = ", ".join(r[0] for r in db.execute("SELECT name FROM pragma_table_info(?)", [f"was_{table}"]))
        db.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM was_{table}")
        db.execute(f"DROP TABLE temp.was_{table}")


def m003_what_visitors_ask_for(db: Database) -> None:
    """A link that somebody asked for goes out as a delivery whose purpose is `confirmation`."""
    run_script(
        db,
        """
        -- What a visitor typed into a form, until it is worked off: then the row is overwritten. Personal.
        CREATE TABLE requests (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            what TEXT NOT NULL CHECK (what IN ('subscribe', 'manage')),  -- manage: send me my link
            channel TEXT NOT NULL CHECK (channel IN ('email', 'slack')),
            address TEXT NOT NULL,
            wish TEXT NOT NULL,                -- JSON: of a subscription, what it is to hear and how often; else ''
            at TEXT NOT NULL
        ) STRICT;

        -- A link that an address was sent, and the watch that begins once whoever reads it has confirmed.
        CREATE TABLE confirmations (
            token_hash BLOB PRIMARY KEY,
            subscriber INTEGER NOT NULL REFERENCES subscribers,
            wish TEXT NOT NULL,                -- JSON, as in requests
            until TEXT NOT NULL,               -- from then on the link is of no use
            used_at TEXT                       -- null: not yet
        ) STRICT, WITHOUT ROWID;
        """,
    )


SCHEMA = Schema(
    "alerts",
    (
        m001_subscribers_watches_and_deliveries,
        m002_digests_bots_and_the_whole_ledger,
        m003_what_visitors_ask_for,
    ),
)
