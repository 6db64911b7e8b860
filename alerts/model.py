"""The types of `alerts`, as frozen values. No IO.

What a subscriber wants is a `Watch`. What the log has for a subscriber is a `Notice` (of one publication, at once) or a
`Digest` (on a schedule) of `RoutedEntry` values; rendered it is a `Message`. To be sent it becomes a `Delivery`, and
each attempt to send it ends in a `DeliveryOutcome`.
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


# The kinds of entries that a watch gets by default: about agreements, not about applications.
AGREEMENT_KINDS = frozenset({Kind.NEW, Kind.CHANGED, Kind.TERMINATED, Kind.RETURNED})
PENDING_KINDS = frozenset({Kind.APPLIED, Kind.DROPPED})

# Notes that take back an earlier entry. They go to those who were told of that entry, and to nobody else.
CORRECTIONS = TAKEN_BACK


class Departures(StrEnum):
    """When a watch is told that an agreement is no longer listed: at once, as unconfirmed, or once it is confirmed."""

    AT_ONCE = "at once"
    CONFIRMED = "confirmed"


class Cadence(StrEnum):
    """How often a watch is told: about each publication at once, or in a daily or weekly digest."""

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
    """Somebody at one address. `time_zone`: for the hours of digests.

    The address is left out of the repr, since mail addresses are personal and a webhook's URL is a secret.
    """

    number: int
    channel: ChannelName
    address: str = field(repr=False)
    time_zone: str = "America/New_York"


@dataclass(frozen=True, slots=True)
class Wants:
    """Which entries a watch wants: those that match every field; None matches all.

    `states` are two-letter codes; None also matches entries whose state is unknown. `counties` are (state, name as
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
    """What a subscriber wants to be told, and when: at once, or in digests (`empty`: also if there is no news).

    Entries numbered up to `starts_after` are not sent to this watch. A paused watch gets only corrections of what it
    was told.
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
    """The agency that has an agreement. `ids`: the present and former ids of the agreement; `known_as`: every (state,
    comparable name) under which it was listed."""

    name: str
    state: str | None
    ids: frozenset[str]
    known_as: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True, order=True)
class WatchedPart:
    """A part of a state that somebody watches: a county as compared, or an agency by its name."""

    state: str  # "" if unknown
    county: str = ""
    agency: str = ""


@dataclass(frozen=True, slots=True)
class Watched:
    """What the watches behind a message cover: states (None: all), and parts of states."""

    states: frozenset[str] | None
    parts: frozenset[WatchedPart] = frozenset()


@dataclass(frozen=True, slots=True)
class Recipient:
    """A subscriber who was told of an entry, or will be: for which watches, in which delivery (its number)."""

    subscriber: Subscriber
    watches: tuple[int, ...]
    delivery: int | None = None


@dataclass(frozen=True, slots=True)
class RoutedEntry:
    """One entry for a subscriber, and the watches (by number) that want it.

    `least`: fields of less significance are left out. `corrects`: the entry that this note takes back.
    """

    entry: Entry
    watches: tuple[int, ...]
    least: Significance = Significance.SUBSTANTIVE
    corrects: Entry | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """All entries of one publication for one subscriber, sent at once as one message.

    `watched`: what the watches behind it cover. `replies_to`: the delivery that it corrects.
    """

    subscriber: Subscriber
    publication: Source
    lines: tuple[RoutedEntry, ...]
    watched: Watched
    replies_to: int | None = None


@dataclass(frozen=True, slots=True)
class Digest:
    """All entries for one subscriber after the schedule's last digest, up to `position`. `slot`: the day it is for."""

    subscriber: Subscriber
    schedule: Schedule
    slot: date
    position: int
    lines: tuple[RoutedEntry, ...]
    watched: Watched


@dataclass(frozen=True, slots=True)
class Message:
    """A rendered notice or digest. Mail has a subject, text and HTML; Slack has text (its fallback) and `blocks`, the
    JSON of its parts (see `messages/slack_parts.py`)."""

    subject: str
    text: str
    html: str = ""
    blocks: str = ""


@dataclass(frozen=True, slots=True)
class CorrectedDelivery:
    """The delivery that another one corrects, by its ids at the mail server or Slack."""

    message_id: str
    external_id: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one subscriber, leased for sending.

    `message_id` is the same for every attempt: the Message-ID of a mail, the first block's id in Slack. `attempts`
    includes the present one. An outcome must be recorded with `token`.
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
    parts_sent: int = 0  # of a message in several parts: how many were accepted
    external_id: str = ""  # Slack's id of the first of them
    answers: CorrectedDelivery | None = None
    maybe_sent: bool = False  # an earlier attempt may have gone through
    subscriber: int = 0  # number of the subscriber for whom its links are signed
    of_a_visitor: bool = False  # it goes to an address that a visitor typed, perhaps wrongly


@dataclass(frozen=True, slots=True)
class Accepted:
    """The next part of a message was accepted, under this id if there is one. `more`: parts are left."""

    external_id: str = ""
    more: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """All of it was accepted, under this id if there is one."""

    external_id: str = ""


@dataclass(frozen=True, slots=True)
class PartSent:
    """A part of it was accepted, under this id if there is one; the next part follows."""

    external_id: str = ""


@dataclass(frozen=True, slots=True)
class Retry:
    """The attempt failed (`maybe_sent`: it may have gone through); it is tried again at `at`."""

    at: datetime
    why: str
    maybe_sent: bool = False


@dataclass(frozen=True, slots=True)
class Dead:
    """The delivery is given up; a person has to look at it.

    `maybe_sent`: an attempt may have gone through. `gone`: the address takes no messages any more.
    """

    why: str
    maybe_sent: bool = False
    gone: bool = False


DeliveryOutcome: TypeAlias = Sent | PartSent | Retry | Dead


class Channel(Protocol):
    """A connection to a mail server or to Slack, opened for one run."""

    interval: timedelta
    """How long to leave between two messages to one address."""

    def send(self, delivery: Delivery) -> Accepted:
        """Send the next part of the message. Raises ChannelError if it is not accepted."""

    def reachable(self, address: str) -> bool:
        """False once the server of this address has failed to answer in this run."""

    def close(self) -> None:
        """Close what is open."""
