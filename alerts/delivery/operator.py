"""What the person who runs the service must hear, each thing once: by mail, in Slack, and in any case in the log.

`due` decides, from values; `report` gathers them, and records what it tells in the commit that makes the deliveries.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, TypeAlias

from alerts.masking import masked
from alerts.model import ChannelName
from alerts.sanitize import clean, shortened
from monitor.errors import SettingsError
from monitor.health import ListHealth, Verdict, list_health, operator_stale_after
from monitor.model import LastCheck, ListName, ReviewRecord
from monitor.storage.database import stamp
from monitor.storage.publications import PublicationRecord

if TYPE_CHECKING:
    from alerts.storage.outbox import DisabledAddress, UnsentRecord
    from alerts.storage.routed import Alerts
    from monitor.settings import Settings

_log = logging.getLogger(__name__)

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
    for health in list_health(affairs.checks, now, stale_after):
        since = health.succeeded_at or affairs.first_checked.get(health.list, health.at)
        nobody_looks = running_since is not None and now - max(health.at, running_since) > stale_after
        # A hold is an event of its own.
        fails = health.verdict in (Verdict.FAILED, Verdict.MISSING)
        if now - since > stale_after and (nobody_looks or fails):
            events.append(_stale(health, since, nobody_looks))
        events += _works(health, known)
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


def _stale(health: ListHealth, since: datetime, nobody_looks: bool) -> Stale:
    why = health.detail or "the page does not link it"
    if nobody_looks:
        why = "it is not looked at any more; see the log of the service"
    return Stale(f"stale {health.list} {stamp(since)}", health.list, since, health.at, _said(why))


def _works(health: ListHealth, known: Collection[str]) -> list[Works]:
    """That a list can be looked at again, for each time that it was called stale before its last success."""
    if health.succeeded_at is None:
        return []
    prefix = f"stale {health.list} "
    earlier = [key.removeprefix(prefix) for key in known if key.startswith(prefix)]
    return [
        Works(f"works {health.list} {since}", health.list, health.succeeded_at)
        for since in sorted(earlier)
        if since < stamp(health.succeeded_at)
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


def report(alerts: Alerts, settings: Settings, now: datetime, running_since: datetime | None = None) -> bool:
    """Tell the operator what is due, in one commit with the deliveries that do; whether any of it needs a person.

    Raises SettingsError where the operator is named by what is no address.
    """

    def due_now() -> tuple[Event, ...]:
        stale_after = operator_stale_after(settings.source.every_minutes, settings.operator.stale_after_hours)
        affairs = _gathered(alerts, now, settings.log.ask_for)
        return due(affairs, alerts.operator_keys(), now, stale_after, running_since)

    if not due_now():
        return False
    named = addresses(settings)
    with alerts.write():
        events = due_now()  # on what this transaction reads: of two runs at once, one tells
        deliveries = [_deliver(alerts, settings, *address, events, now) for address in named if events]
        keys = [event.key for event in events]
        alerts.record_told(keys, at=now, delivery=deliveries[0] if deliveries else None)
    for event in events:
        if said := _in_the_log(event):
            _log.warning("%s", said)
    return any(not isinstance(event, Works) for event in events)


def addresses(settings: Settings) -> list[tuple[ChannelName, str]]:
    """Where the operator is told, checked. Raises SettingsError, naming the setting."""
    from alerts.addresses import mail_address, webhook

    operator = settings.operator
    hook = operator.slack.get_secret_value()
    found: list[tuple[ChannelName, str]] = []
    try:
        if operator.email:
            found.append((ChannelName.EMAIL, mail_address(operator.email)))
    except ValueError as exc:
        raise SettingsError(f"operator.email: {exc}; mend it") from exc
    try:
        if hook:
            found.append((ChannelName.SLACK, webhook(hook, settings.slack.hosts)))
    except ValueError as exc:
        raise SettingsError(f"operator.slack: {exc}; mend it") from exc
    return found


def _gathered(alerts: Alerts, now: datetime, ask_for: timedelta) -> Affairs:
    log = alerts.log
    return Affairs(
        held=tuple(p for p in log.publications.all() if p.verdict == "held"),
        checks=log.checks.last(),
        first_checked=log.checks.first(),
        unsent=alerts.unsent(),
        disabled=alerts.disabled(),
        doubtful=log.reviews.open(now, ask_for),
    )


def _deliver(
    alerts: Alerts, settings: Settings, channel: ChannelName, address: str, events: tuple[Event, ...], now: datetime
) -> int:
    """Make the delivery that tells these events; its number."""
    from alerts.messages.posting import cached_renderer, posting
    from alerts.storage.routed import NewDelivery

    subscriber = alerts.subscriber(channel, address, confirmed_by="operator", at=now)
    message = cached_renderer(alerts, settings)().for_operator(channel, events)
    new = NewDelivery(subscriber, "operator", ("operator", events[0].key), message)
    (number,) = alerts.add_deliveries([new], posting(settings, now))
    return number


def _in_the_log(event: Event) -> str:
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
