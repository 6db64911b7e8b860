"""The words of telling as frozen values. No IO.

What a person wants is a `Watch`; what the log has for a subscriber is a `Notice` (of one publication, at once) or a
`Digest` (by the clock) of `Line`s; put into words it is a `Message`; on its way it is a `Delivery`, and each attempt
ends in an `Outcome`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Protocol, TypeAlias

from monitor.model import TAKEN_BACK, Entry, Kind, Significance, Source, SupportType


class ChannelName(StrEnum):
    """How a subscriber is reached."""

    SLACK = "slack"  # an incoming webhook
    SLACK_BOT = "slack-bot"  # a channel (C…, G…) that the app with the bot token posts to
    EMAIL = "email"


# What a watch is told of unless it asks for more: what happens to agreements, not to applications.
AGREEMENT_KINDS = frozenset({Kind.NEW, Kind.CHANGED, Kind.TERMINATED, Kind.RETURNED})
PENDING_KINDS = frozenset({Kind.APPLIED, Kind.DROPPED})

# Notes that take back what an earlier entry said: for those who were told of it, and nobody else.
CORRECTIONS = TAKEN_BACK


class Departures(StrEnum):
    """When a watch hears that an agreement left a list: at once, marked unconfirmed; or once that is confirmed."""

    AT_ONCE = "at once"
    CONFIRMED = "confirmed"


class Cadence(StrEnum):
    """How often a watch is told: of each publication at once, or in a digest."""

    INSTANT = "instant"
    DAILY = "daily"
    WEEKLY = "weekly"


DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a digest is due in the subscriber's time zone: `minute` after midnight, daily or on a weekday (0 Monday)."""

    minute: int
    weekday: int | None = None

    @property
    def cadence(self) -> Cadence:
        return Cadence.DAILY if self.weekday is None else Cadence.WEEKLY

    @property
    def name(self) -> str:
        """Such as `daily 07:00` or `weekly Monday 07:00`."""
        clock = f"{self.minute // 60:02}:{self.minute % 60:02}"
        return f"daily {clock}" if self.weekday is None else f"weekly {DAYS[self.weekday]} {clock}"


@dataclass(frozen=True, slots=True)
class Subscriber:
    """Somebody at one address. The address of a Slack webhook is its secret: neither is ever shown by accident.

    The hours of digests are counted in `time_zone`.
    """

    number: int
    channel: ChannelName
    address: str = field(repr=False)
    time_zone: str = "America/New_York"


@dataclass(frozen=True, slots=True)
class Wants:
    """What is worth telling, whoever asks: each part narrows it, and None narrows nothing.

    `states` are two-letter codes; None also has entries whose state nobody could tell. `counties` are (state, name as
    compared). `agencies` are ids of agreements, and stand for the agencies that have them. `significance` is the least
    that a change must have.
    """

    states: frozenset[str] | None = None
    kinds: frozenset[Kind] = AGREEMENT_KINDS
    significance: Significance = Significance.SUBSTANTIVE
    counties: frozenset[tuple[str, str]] | None = None
    agencies: frozenset[str] | None = None
    support_types: frozenset[SupportType] | None = None
    departures: Departures = Departures.AT_ONCE


@dataclass(frozen=True, slots=True)
class Watch:
    """What a subscriber wants to be told, and how often: at once, or in digests by a schedule (`empty`: even in one
    that has nothing to say).

    Entries numbered up to `starts_after` are old news to this watch, and a paused one hears no news (but corrections
    of what it was told).
    """

    number: int
    subscriber: Subscriber
    wants: Wants
    schedule: Schedule | None = None
    empty: bool = False
    starts_after: int = 0
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Agency:
    """The agency that has an agreement: how it is called; the ids under which the agreement is or was known; and the
    (state, comparable name) under which it was ever listed."""

    name: str
    state: str | None
    ids: frozenset[str]
    known_as: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True, order=True)
class Part:
    """A part of a state that somebody watches: a county as compared, or an agency by its name."""

    state: str  # "" where nobody could tell
    county: str = ""
    agency: str = ""


@dataclass(frozen=True, slots=True)
class Watched:
    """What the watches behind a message name: states (None: all of them), and parts of states."""

    states: frozenset[str] | None
    parts: frozenset[Part] = frozenset()


@dataclass(frozen=True, slots=True)
class Told:
    """A subscriber who was told of an entry, or is about to be: by which watches, in which delivery (its number)."""

    subscriber: Subscriber
    watches: tuple[int, ...]
    delivery: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One entry that a subscriber hears of, and the watches that asked for it.

    `least`: fields that matter less are left out. `corrects`: the entry that this note takes back.
    """

    entry: Entry
    watches: tuple[int, ...]
    least: Significance = Significance.SUBSTANTIVE
    corrects: Entry | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """All that one publication has for one subscriber: one message, however many changes.

    `watched`: what the subscriber's watches behind it name. `replies_to`: the delivery that it corrects.
    """

    subscriber: Subscriber
    publication: Source
    lines: tuple[Line, ...]
    watched: Watched
    replies_to: int | None = None


@dataclass(frozen=True, slots=True)
class Digest:
    """All that the log up to `position` has for one subscriber since the schedule's last turn. `slot`: its day."""

    subscriber: Subscriber
    schedule: Schedule
    slot: date
    position: int
    lines: tuple[Line, ...]
    watched: Watched


@dataclass(frozen=True, slots=True)
class Message:
    """A notice in words. Mail has a subject, text and HTML; Slack has text (its fallback) and `blocks`: JSON of
    its parts (see `parts.py`)."""

    subject: str
    text: str
    html: str = ""
    blocks: str = ""


@dataclass(frozen=True, slots=True)
class Answers:
    """The delivery that this one corrects, as the other side knows it."""

    message_id: str
    external_id: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message on its way to one subscriber, held under a lease.

    `message_id` stays the same however often it is sent: the Message-ID of a mail, the first block's id in Slack.
    `attempts` counts the one that this lease is for; `token` is what an outcome must be recorded with.
    """

    id: str
    channel: ChannelName
    address: str = field(repr=False)
    message: Message
    message_id: str
    created_at: datetime
    give_up_at: datetime
    attempts: int
    token: str
    parts_sent: int = 0  # of a message in several parts: how many were taken already
    external_id: str = ""  # by which Slack knows the first of them
    answers: Answers | None = None
    maybe_sent: bool = False  # an earlier attempt may have gone through
    subscriber: int = 0  # whose number the links in it are signed for
    of_a_visitor: bool = False  # it asks an address that a visitor typed, perhaps wrongly


@dataclass(frozen=True, slots=True)
class Taken:
    """The other side took the next part of a message: under this id, if it gives any. `more`: parts are left."""

    external_id: str = ""
    more: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """The other side took all of it, under this id if it gives any."""

    external_id: str = ""


@dataclass(frozen=True, slots=True)
class PartSent:
    """The other side took a part of it, under this id if it gives any; the next part follows."""

    external_id: str = ""


@dataclass(frozen=True, slots=True)
class Again:
    """It did not go through, for all that is known (`maybe_sent`: it may have); it is tried again."""

    at: datetime
    why: str
    maybe_sent: bool = False


@dataclass(frozen=True, slots=True)
class Dead:
    """It is given up; a person has to look.

    `maybe_sent`: an attempt may have gone through all the same. `gone`: nothing else will reach the address either.
    """

    why: str
    maybe_sent: bool = False
    gone: bool = False


Outcome: TypeAlias = Sent | PartSent | Again | Dead


class Channel(Protocol):
    """A way to hand messages over, opened for one run."""

    interval: timedelta
    """How long to leave between two messages to one address."""

    def send(self, delivery: Delivery) -> Taken:
        """Hand over the next part of the message. Raises ChannelError where the other side did not take it."""

    def reachable(self, address: str) -> bool:
        """False once the server behind this address has not answered in this run: no use to wait for it again."""

    def close(self) -> None:
        """Let go of what was kept open."""
