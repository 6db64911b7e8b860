"""Pure: what the operator has to know, each thing once, as values for the templates in `templates/operator`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar, TypeAlias

from alerts.masking import masked
from alerts.model import ChannelName
from alerts.sanitize import clean, shortened
from alerts.storage.reports import DisabledAddress, UnsentRecord
from monitor.model import ListName, Outcome
from monitor.storage.changelog import LastCheck, PublicationRecord, ReviewRecord
from monitor.storage.database import stamp

_LONGEST = 500  # characters of what somebody else said
_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class Held:
    """A publication that is not believed (yet)."""

    kind: ClassVar[str] = "held"
    key: str
    id: str
    list: ListName
    file: str
    seen_at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Stale:
    """A list that was not looked at successfully for too long: since when, and what happens instead."""

    kind: ClassVar[str] = "stale"
    key: str
    list: ListName
    since: datetime
    checked_at: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Works:
    """A list that was stale can be looked at again."""

    kind: ClassVar[str] = "works"
    key: str
    list: ListName
    at: datetime


@dataclass(frozen=True, slots=True)
class Unsent:
    """A message that was given up. `maybe_sent`: it may have arrived all the same."""

    kind: ClassVar[str] = "unsent"
    key: str
    id: str
    address: str  # masked
    why: str
    maybe_sent: bool


@dataclass(frozen=True, slots=True)
class Disabled:
    """An address to which nothing is sent any more."""

    kind: ClassVar[str] = "disabled"
    key: str
    address: str  # masked
    is_mail: bool
    why: str


@dataclass(frozen=True, slots=True)
class Doubtful:
    """Two agreements that may be one: a person has to say."""

    kind: ClassVar[str] = "doubtful"
    key: str
    id: str
    state: str
    left: str
    came: str


@dataclass(frozen=True, slots=True)
class Trial:
    """That messages to the operator arrive; from `doctor`."""

    kind: ClassVar[str] = "trial"
    key: str = "trial"


Event: TypeAlias = Held | Stale | Works | Unsent | Disabled | Doubtful | Trial


@dataclass(frozen=True, slots=True)
class Affairs:
    """How things stand. `first_checked`: when each list was looked at for the first time."""

    held: tuple[PublicationRecord, ...] = ()
    checks: tuple[LastCheck, ...] = ()
    first_checked: Mapping[ListName, datetime] = field(default_factory=dict)
    unsent: tuple[UnsentRecord, ...] = ()
    disabled: tuple[DisabledAddress, ...] = ()
    doubtful: tuple[ReviewRecord, ...] = ()


def due(
    affairs: Affairs,
    known: Collection[str],
    now: datetime,
    stale_after: timedelta,
    running_since: datetime | None = None,
) -> tuple[Event, ...]:
    """What the operator was not told yet; `known` are the keys of what they were, or would have been.

    That nobody looks at a list any more is judged by a service that has been running for so long itself.
    """
    events: list[Event] = [_held(p) for p in affairs.held]
    for check in affairs.checks:
        since = check.succeeded_at or affairs.first_checked.get(check.list, check.at)
        nobody_looks = running_since is not None and now - max(check.at, running_since) > stale_after
        if now - since > stale_after and (nobody_looks or _fails(check)):
            events.append(_stale(check, since, nobody_looks))
        events += _works(check, known)
    events += [_disabled(address) for address in affairs.disabled]
    events += [_unsent(record) for record in affairs.unsent]
    events += [_doubtful(review) for review in affairs.doubtful]
    return tuple(event for event in events if event.key not in known)


def _held(publication: PublicationRecord) -> Held:
    return Held(
        f"held {publication.id}",
        publication.id,
        publication.list,
        _said(publication.file, _LONGEST_NAME),
        publication.observed_at,
        _said(" ".join(publication.reasons)),
    )


def _fails(check: LastCheck) -> bool:
    """Whether the last look at a list went wrong in a way that is not its nature, nor told already as a hold."""
    # The pending list is not linked for weeks on end.
    missing = check.outcome is Outcome.NOT_LINKED and check.list is ListName.PARTICIPATING
    return check.outcome is Outcome.FAILED or missing


def _stale(check: LastCheck, since: datetime, nobody_looks: bool) -> Stale:
    why = check.detail or "the page does not link it"
    if nobody_looks:
        why = "it is not looked at any more; see the log of the service"
    return Stale(f"stale {check.list} {stamp(since)}", check.list, since, check.at, _said(why))


def _works(check: LastCheck, known: Collection[str]) -> list[Works]:
    """That a list can be looked at again, for each time that it was called stale before its last success."""
    if check.succeeded_at is None:
        return []
    prefix = f"stale {check.list} "
    earlier = [key.removeprefix(prefix) for key in known if key.startswith(prefix)]
    return [
        Works(f"works {check.list} {since}", check.list, check.succeeded_at)
        for since in sorted(earlier)
        if since < stamp(check.succeeded_at)
    ]


def _disabled(address: DisabledAddress) -> Disabled:
    is_mail = address.channel is ChannelName.EMAIL
    key = f"disabled {address.subscriber} {stamp(address.at)}"
    return Disabled(key, masked(address.channel, address.address), is_mail, _said(address.why))


def _unsent(record: UnsentRecord) -> Unsent:
    # With the time until which it was tried: put back and given up again, it is another event.
    key = f"unsent {record.id} {stamp(record.give_up_at)}"
    return Unsent(
        key, record.id, masked(record.channel, record.address), _said(record.why), record.state == "ambiguous"
    )


def _doubtful(review: ReviewRecord) -> Doubtful:
    left, came = (_said(entry.agency, _LONGEST_NAME) for entry in (review.departure, review.arrival))
    return Doubtful(f"doubtful {review.id}", review.id, review.arrival.state or "", left, came)


def _said(text: str, most: int = _LONGEST) -> str:
    return shortened(clean(text), most)


def log_line(event: Event) -> str:
    """An event in one line; "" for one that has been logged where it happened."""
    match event:
        case Held(id=id, list=list_, file=file):
            return f"the {list_} list {file} is held; see `publications show {id}`"
        case Stale(list=list_, since=since, why=why):
            return f"the {list_} list was last checked successfully at {since.isoformat()}: {why}"
        case Works(list=list_):
            return f"the {list_} list can be checked again"
        case Disabled(address=address, why=why):
            return f"nothing is sent to {address} any more: {why}"
        case Doubtful(id=id, left=left, came=came):
            return f"{left} and {came} may be one agreement; see `show {id}`"
        case Unsent() | Trial():
            return ""
