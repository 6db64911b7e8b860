"""Pure: the events that the operator is told about, as values for the templates in `templates/operator`."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar, TypeAlias

from alerts.masking import masked
from alerts.model import ChannelName
from alerts.sanitize import clean, shortened
from alerts.storage.reports import DisabledAddress, UnsentRecord
from monitor.health import ListHealth, Verdict, list_health
from monitor.model import LastCheck, ListName
from monitor.storage.database import stamp
from monitor.storage.publications import PublicationRecord
from monitor.storage.reviews import ReviewRecord

_LONGEST = 500  # characters of text from outside
_LONGEST_NAME = 100
_MOST_REMARKS = 5  # rows that are no listings, columns and sheets, each, in one event
_MOST_TEXTS = 3  # of a column
_SHORT = 40  # characters of each


@dataclass(frozen=True, slots=True)
class PublicationHeld:
    """A publication is held."""

    kind: ClassVar[str] = "held"
    key: str
    id: str
    list: ListName
    file: str
    seen_at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class ListStale:
    """A list was not checked successfully for too long: since when, and what happens instead."""

    kind: ClassVar[str] = "stale"
    key: str
    list: ListName
    since: datetime
    checked_at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class ListRecovered:
    """A list that was stale was checked successfully again."""

    kind: ClassVar[str] = "works"
    key: str
    list: ListName
    at: datetime


@dataclass(frozen=True, slots=True)
class MessageUnsent:
    """A message was given up. `maybe_sent`: it may have arrived."""

    kind: ClassVar[str] = "unsent"
    key: str
    id: str
    address: str  # masked
    why: str
    maybe_sent: bool


@dataclass(frozen=True, slots=True)
class AddressDisabled:
    """An address was disabled; nothing is sent to it any more."""

    kind: ClassVar[str] = "disabled"
    key: str
    address: str  # masked
    is_mail: bool
    why: str


@dataclass(frozen=True, slots=True)
class MatchDoubtful:
    """Two agreements may be one; a person has to decide. `reminds`: they were asked before."""

    kind: ClassVar[str] = "doubtful"
    key: str
    id: str
    state: str
    left: str
    came: str
    since: datetime
    reminds: bool = False


@dataclass(frozen=True, slots=True)
class WorkbookRemarked:
    """A list was accepted whose workbook holds more than its listings, in a way that was not told before.

    `columns`: those that are none of ours, each with how many rows fill it and its commonest texts. `rows`: rows that
    are no listings, by number and text.
    """

    kind: ClassVar[str] = "remarked"
    key: str
    id: str
    list: ListName
    file: str
    columns: tuple[tuple[str, int, str], ...]
    rows: tuple[tuple[int, str], ...]
    more: int  # columns, rows and sheets
    sheets: tuple[tuple[str, int, bool], ...]


@dataclass(frozen=True, slots=True)
class TrialMessage:
    """A test message from `doctor`, to see that messages to the operator arrive."""

    kind: ClassVar[str] = "trial"
    key: str = "trial"


OperatorEvent: TypeAlias = (
    PublicationHeld
    | ListStale
    | ListRecovered
    | MessageUnsent
    | AddressDisabled
    | MatchDoubtful
    | WorkbookRemarked
    | TrialMessage
)


@dataclass(frozen=True, slots=True)
class OperatorFacts:
    """What events are made from.

    `first_checked`: when each list was checked for the first time. `doubtful`: open pairs, with how many reminders of
    each are due. `remarked`: the newest accepted publication of each list that has remarks.
    """

    held: tuple[PublicationRecord, ...] = ()
    checks: tuple[LastCheck, ...] = ()
    first_checked: Mapping[ListName, datetime] = field(default_factory=dict)
    unsent: tuple[UnsentRecord, ...] = ()
    disabled: tuple[DisabledAddress, ...] = ()
    doubtful: tuple[tuple[ReviewRecord, int], ...] = ()
    remarked: tuple[PublicationRecord, ...] = ()


def new_events(
    affairs: OperatorFacts,
    known: Collection[str],
    now: datetime,
    stale_after: timedelta,
    running_since: datetime | None = None,
) -> tuple[OperatorEvent, ...]:
    """The events that the operator was not told yet; `known`: the keys of those they were, or would have been.

    That a list is not checked at all any more is reported only by a service that has been running for as long.
    """
    events: list[OperatorEvent] = [_held(p) for p in affairs.held]
    for health in list_health(affairs.checks, now, stale_after):
        since = health.succeeded_at or affairs.first_checked.get(health.list, health.at)
        nobody_looks = running_since is not None and now - max(health.at, running_since) > stale_after
        # A hold is an event of its own.
        fails = health.verdict in (Verdict.FAILED, Verdict.MISSING)
        if now - since > stale_after and (nobody_looks or fails):
            events.append(_stale(health, since, nobody_looks))
        events += _recovered(health, known)
    events += [_disabled(address) for address in affairs.disabled]
    events += [_unsent(record) for record in affairs.unsent]
    events += [_doubtful(review, reminders, known) for review, reminders in affairs.doubtful]
    events += [_remarked(publication) for publication in affairs.remarked]
    return tuple(event for event in events if event.key not in known)


def _held(publication: PublicationRecord) -> PublicationHeld:
    return PublicationHeld(
        f"held {publication.id}",
        publication.id,
        publication.list,
        _cleaned(publication.file, _LONGEST_NAME),
        publication.observed_at,
        _cleaned(" ".join(publication.reasons)),
    )


def _stale(health: ListHealth, since: datetime, nobody_looks: bool) -> ListStale:
    why = health.detail or "the page does not link it"
    if nobody_looks:
        why = "it is not looked at any more; see the log of the service"
    return ListStale(f"stale {health.list} {stamp(since)}", health.list, since, health.at, _cleaned(why))


def _recovered(health: ListHealth, known: Collection[str]) -> list[ListRecovered]:
    """An event for each time that a list was reported stale before its last successful health."""
    if health.succeeded_at is None:
        return []
    prefix = f"stale {health.list} "
    earlier = [key.removeprefix(prefix) for key in known if key.startswith(prefix)]
    return [
        ListRecovered(f"works {health.list} {since}", health.list, health.succeeded_at)
        for since in sorted(earlier)
        if since < stamp(health.succeeded_at)
    ]


def _disabled(address: DisabledAddress) -> AddressDisabled:
    is_mail = address.channel is ChannelName.EMAIL
    key = f"disabled {address.subscriber} {stamp(address.at)}"
    return AddressDisabled(key, masked(address.channel, address.address), is_mail, _cleaned(address.why))


def _unsent(record: UnsentRecord) -> MessageUnsent:
    # The key has the time of giving up, since a delivery that is retried and given up again is another event.
    key = f"unsent {record.id} {stamp(record.give_up_at)}"
    return MessageUnsent(
        key, record.id, masked(record.channel, record.address), _cleaned(record.why), record.state == "ambiguous"
    )


def _doubtful(review: ReviewRecord, reminders: int, known: Collection[str]) -> MatchDoubtful:
    left, came = (_cleaned(entry.agency, _LONGEST_NAME) for entry in (review.departure, review.arrival))
    first = f"doubtful {review.id}"
    key = f"{first} {reminders}" if reminders else first
    # It may have waited for long when it is told first: where a publication was held, or nobody was named to be told.
    reminds = any(told == first or told.startswith(f"{first} ") for told in known)
    since = review.arrival.observed_at
    return MatchDoubtful(key, review.id, review.arrival.state or "", left, came, since, reminds)


def _remarked(publication: PublicationRecord) -> WorkbookRemarked:
    remarks = publication.remarks
    columns = tuple(
        (
            _cleaned(column.name, _LONGEST_NAME),
            column.filled,
            ", ".join(f"{_cleaned(text, _SHORT)} ({count})" for text, count in column.texts[:_MOST_TEXTS]),
        )
        for column in remarks.unknown_columns
    )
    rows = tuple((row.row, _cleaned(row.text, _LONGEST_NAME)) for row in remarks.not_listings)
    sheets = tuple((_cleaned(sheet.title, _LONGEST_NAME), sheet.rows, sheet.used) for sheet in remarks.sheets)
    # Told once for each content: numbers and rows move with every publication ("Total 635"), the words do not.
    words = [*(_without_numbers(name) for name, _, _ in columns), *sorted({_without_numbers(text) for _, text in rows})]
    words += [_without_numbers(title) + str(used) for title, _, used in sheets]
    digest = hashlib.sha256("\n".join(words).encode()).hexdigest()[:16]
    return WorkbookRemarked(
        f"remarked {publication.list} {digest}",
        publication.id,
        publication.list,
        _cleaned(publication.file, _LONGEST_NAME),
        columns[:_MOST_REMARKS],
        rows[:_MOST_REMARKS],
        sum(len(each[_MOST_REMARKS:]) for each in (columns, rows, sheets)),
        sheets[:_MOST_REMARKS],
    )


def _without_numbers(text: str) -> str:
    return re.sub(r"\d+", "#", text)


def _cleaned(text: str, most: int = _LONGEST) -> str:
    return shortened(clean(text), most)


def log_line(event: OperatorEvent) -> str:
    """An event in one line for the log; "" if it was logged when it happened."""
    match event:
        case PublicationHeld(id=id, list=list_, file=file):
            return f"the {list_} list {file} is held; see `publications show {id}`"
        case ListStale(list=list_, since=since, why=why):
            return f"the {list_} list was last checked successfully at {since.isoformat()}: {why}"
        case ListRecovered(list=list_):
            return f"the {list_} list can be checked again"
        case AddressDisabled(address=address, why=why):
            return f"nothing is sent to {address} any more: {why}"
        case MatchDoubtful(id=id, left=left, came=came):
            return f"{left} and {came} may be one agreement; see `show {id}`"
        case WorkbookRemarked(id=id, list=list_, file=file):
            return f"the {list_} list {file} holds more than its listings; see `publications show {id}`"
        case MessageUnsent() | TrialMessage():
            return ""
