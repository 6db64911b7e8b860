"""Entries for pure tests, and a real log in a real state.db for the others, in few words."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

from alerts.model import AGREEMENT_KINDS, ChannelName, Recipient, Schedule, Subscriber, Wants, Watch, Watched
from alerts.storage.store import AlertStore, open_alerts
from monitor.checks.changes import field_changes, weightiest
from monitor.model import (
    AgencyStanding,
    Cells,
    Change,
    Entry,
    FieldChange,
    Kind,
    ListName,
    Outcome,
    Publication,
    Significance,
    Source,
)
from monitor.normalize import county, listing, shown, support_type
from monitor.normalize import state as state_code
from monitor.settings import DeliverySettings, MailSettings, Settings, SlackSettings, WebSettings
from monitor.storage.rows import public_id
from monitor.storage.writer import Store

NOON = datetime(2026, 3, 3, 17, 0, tzinfo=UTC)  # at noon in New York
HOUR = timedelta(hours=1)

LARKMERE = Cells(
    state="TEXAS",
    agency="Larkmere Police Department",
    type="Municipality",
    county="Larkmere County",
    support_type="Task Force Model",
    signed="2025-08-28",
    moa="link",
    moa_address="https://example.org/sample/Larkmere-PD-TX-TFM.pdf",
)


def cells(agency: str = LARKMERE.agency, state: str = LARKMERE.state, **others: str) -> Cells:
    """A row, as Larkmere's but for what is named."""
    return replace(LARKMERE, agency=agency, state=state, **others)


def source(name: str = "sample-participatingAgencies03032026pm.xlsx", row: int | None = 7) -> Source:
    """A publication by its file name."""
    digest = hashlib.sha256(ascii(name).encode()).hexdigest()
    return Source(f"p-{digest[:8]}", name, f"https://example.org/{name}", digest, row, NOON)


_numbers = count(1)


def entry(kind: Kind = Kind.NEW, cells_: Cells = LARKMERE, **others: object) -> Entry:
    """An entry about a row, the next in the log unless it says otherwise."""
    seq = next(_numbers)
    departs = kind in (Kind.TERMINATED, Kind.DROPPED)
    made = Entry(
        seq=seq,
        id=f"c-{seq}",
        kind=kind,
        status="unconfirmed" if departs else None,
        about=None,
        list=ListName.PENDING if kind in (Kind.APPLIED, Kind.DROPPED) else ListName.PARTICIPATING,
        observed_at=NOON,
        recorded_at=NOON,
        announce=True,
        agreement=public_id("a", ascii(cells_.agency)),
        state=state_code(cells_.state),
        agency=shown(cells_.agency),
        county=shown(cells_.county) if county(cells_.county) else "",
        support_type=support_type(cells_.support_type) or shown(cells_.support_type),
        signed=cells_.signed,
        significance=Significance.SUBSTANTIVE,
        fields=(),
        before=cells_ if departs else None,
        after=None if departs else cells_,
        reasons=(),
        pending_since=None,
        publication=source(),
    )
    return replace(made, **others)  # type: ignore[arg-type]  # whatever a test cares about


def changed(before: Cells, after: Cells, **others: object) -> Entry:
    """An entry that one row turned into another."""
    fields = edits(before, after)
    return entry(Kind.CHANGED, after, before=before, fields=fields, significance=weightiest(fields), **others)


def beside(*after: str, before: Sequence[str] | None = None) -> AgencyStanding:
    """The support types of an agency's other agreements; the same before, unless said otherwise."""
    return AgencyStanding(tuple(after if before is None else before), after)


def edits(before: Cells, after: Cells) -> tuple[FieldChange, ...]:
    """What differs between two rows."""
    return field_changes(listing(1, before), listing(1, after))


def subscriber(number: int = 1, channel: ChannelName = ChannelName.EMAIL, address: str = "") -> Subscriber:
    return Subscriber(number, channel, address or f"reader{number}@example.org")


_OF_WANTS = {f.name for f in fields(Wants)}


def wants(*states: str, **others: object) -> Wants:
    """What a watch of states wants; of all where none is named."""
    return replace(Wants(frozenset(states) or None), **others)  # type: ignore[arg-type]  # whatever a test cares about


def watch(*states: str, number: int = 1, who: Subscriber | None = None, **others: object) -> Watch:
    """A watch of states; of all where none is named."""
    asked = wants(*states, **{name: value for name, value in others.items() if name in _OF_WANTS})
    made = Watch(number, who or subscriber(number), asked)
    rest = {name: value for name, value in others.items() if name not in _OF_WANTS}
    return replace(made, **rest)  # type: ignore[arg-type]  # whatever a test cares about


def watched(*states: str) -> Watched:
    """What watches of these states name; of all where none is named."""
    return Watched(frozenset(states) or None)


def told(*watches: Watch) -> Sequence[Recipient]:
    """The subscribers of these watches, told by them."""
    return [Recipient(w.subscriber, (w.number,)) for w in watches]


def settings(state: Path, **others: object) -> Settings:
    """Settings for a state.db, with sample addresses."""
    given: dict[str, object] = {
        "web": WebSettings(base_url="https://monitor.example.org"),
        "mail": MailSettings(sender="Agreement monitor <alerts@monitor.example.org>"),
        "slack": SlackSettings(hosts=("127.0.0.1",), timeout=5),
        "delivery": DeliverySettings(),
    }
    return Settings(state=state, **given | others)  # type: ignore[arg-type]  # sections by name


@dataclass
class Log:
    """Writes a real log: publications that say what changed, each seen an hour after the one before."""

    alerts: AlertStore
    now: datetime = NOON
    _published: int = 0
    _agreements: dict[str, int] = field(default_factory=dict)

    def publishes(
        self,
        *changes: Change,
        list_: ListName = ListName.PARTICIPATING,
        announce: bool = True,
        now: datetime | None = None,
    ) -> list[Entry]:
        """One publication with these changes; its entries."""
        self._published += 1
        self.now = now or self.now + HOUR
        store = Store(self.alerts.state)
        before = store.changelog.position()
        name = f"sample-{list_}Agencies-{self._published}.xlsx"
        digest = hashlib.sha256(name.encode()).hexdigest()
        publication = Publication(list_, digest, f"https://example.org/{name}", name, self.now, None, ())
        with store.write():
            number = store.publications.record(publication, digest, name.encode())
            store.publications.decide(number, self.now, "accepted")
            store.changelog.append(
                [(change, self._agreement(change, number, publication)) for change in changes],
                publication=number,
                previous=None,
                observed_at=self.now,
                recorded_at=self.now,
                announce=announce,
            )
            store.checks.record(list_, self.now, Outcome.CHANGED, publication=number, sha256=digest)
        return list(store.changelog.entries(after=before))

    def _agreement(self, change: Change, publication: int, read: Publication) -> int:
        """Agreements go by their agency's name here."""
        shown_in = change.after or change.before
        assert shown_in
        name = shown_in.cells.agency
        if name not in self._agreements:
            row = len(self._agreements) + 1
            self._agreements[name] = Store(self.alerts.state).agreements.create(publication, read, row)
        return self._agreements[name]


def open_log(path: Path) -> Log:
    """A log in a new state.db."""
    return Log(open_alerts(path))


def new(row: Cells = LARKMERE, **others: object) -> Change:
    return Change(Kind.NEW, None, after=listing(7, row), **others)  # type: ignore[arg-type]


def applied(row: Cells = LARKMERE) -> Change:
    return Change(Kind.APPLIED, None, after=listing(7, row))


def terminated(row: Cells = LARKMERE) -> Change:
    return Change(Kind.TERMINATED, None, before=listing(7, row))


def dropped(row: Cells = LARKMERE) -> Change:
    return Change(Kind.DROPPED, None, before=listing(7, row))


def edited(before: Cells, after: Cells) -> Change:
    fields = edits(before, after)
    return Change(
        Kind.CHANGED,
        None,
        before=listing(7, before),
        after=listing(7, after),
        fields=fields,
        significance=weightiest(fields),
    )


def confirmed(departure: Entry, row: Cells = LARKMERE) -> Change:
    return Change(Kind.CONFIRMED, None, before=listing(7, row), about=departure.id)


def approved(application: Entry, row: Cells = LARKMERE) -> Change:
    """The note that an application, of which this entry told last, became an agreement."""
    return Change(Kind.APPROVED, None, before=listing(7, row), after=listing(7, row), about=application.id)


def withdrawn(departure: Entry, row: Cells = LARKMERE) -> Change:
    """The note alone; `back` has the return that goes with it too."""
    return Change(Kind.WITHDRAWN, None, before=listing(7, row), after=listing(7, row), about=departure.id)


def returned(row: Cells = LARKMERE) -> Change:
    return Change(Kind.RETURNED, None, before=listing(7, row), after=listing(7, row))


def retracted(wrong: Entry, row: Cells = LARKMERE) -> Change:
    """An operator says that an entry was wrong."""
    return Change(Kind.RETRACTED, None, after=listing(7, row), about=wrong.id)


def back(departure: Entry, row: Cells = LARKMERE) -> tuple[Change, Change]:
    """Listed again before the departure was confirmed."""
    return withdrawn(departure, row), returned(row)


def add_watch(
    alerts: AlertStore,
    *states: str,
    email: str = "",
    slack: str = "",
    kinds: Iterable[Kind] = AGREEMENT_KINDS,
    significance: Significance = Significance.SUBSTANTIVE,
    schedule: Schedule | None = None,
    empty: bool = False,
    time_zone: str | None = None,
    at: datetime = NOON,
    **others: object,
) -> int:
    """A watch of states, of all where none is named, for a mail address or a webhook."""
    channel = ChannelName.SLACK if slack else ChannelName.EMAIL
    address = slack or email or "reader@example.org"
    with alerts.write():
        return alerts.watches.add(
            alerts.subscribers.ensure(channel, address, confirmed_by="operator", at=at, time_zone=time_zone),
            wants(*states, kinds=frozenset(kinds), significance=significance, **others),
            schedule=schedule,
            empty=empty,
            at=at,
        )
