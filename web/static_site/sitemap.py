"""Every address of the published site, and what each page is made from.

To add pages, add a function and its name to `ALL`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import TypeVar

from alerts.routing.scope import states_of
from monitor.model import Entry, ListName
from monitor.normalize import STATES
from monitor.storage.agencies import AgencyRecord
from monitor.storage.agencies import agencies as all_agencies
from monitor.storage.log import Log
from web.charts.series import by_state, days_with_news, of_state
from web.feeds import items
from web.feeds.items import FeedScope
from web.feeds.scopes import EVERYTHING, agency_scope, agreement_scope, state_scope, within
from web.pages.calendar import bounds, day_in, day_of
from web.request import Visit
from web.static_site.plan import Address, depends_on
from web.views import maps, previews
from web.views.data import ends_of_months

_Key = TypeVar("_Key")


class SiteContent:
    """What pages are made from, as hashes: each entry with all notes about it."""

    def __init__(self, log: Log, here: Visit) -> None:
        self.log, self.here, self.zone = log, here, here.zone
        self.entries = tuple(log.changelog.entries())
        self._plain = {entry.id: depends_on(entry) for entry in self.entries}
        self._notes: dict[str, list[Entry]] = defaultdict(list)
        for entry in self.entries:
            if entry.about:
                self._notes[entry.about].append(entry)

    @property
    def today(self) -> date:
        return self.here.today

    def of(self, entry_id: str) -> tuple[str, ...]:
        """An entry, the notes about it and about those notes, and the entry that it is a note about."""
        hashes, queue = [], [entry_id]
        while queue:
            current = queue.pop()
            hashes.append(self._plain[current])
            queue += [note.id for note in self._notes[current]]
        about = self._about.get(entry_id)
        return (*hashes, self._plain[about]) if about else tuple(hashes)

    @cached_property
    def _about(self) -> dict[str, str]:
        return {entry.id: entry.about for entry in self.entries if entry.about}

    @cached_property
    def agencies(self) -> tuple[AgencyRecord, ...]:
        return all_agencies(self.log)

    def believed_until(self, day: date) -> str:
        """The accepted publications until the end of a day."""
        end = bounds(day, self.zone)[1]
        return depends_on(self._aliases, [id_ for id_, at in self._believed if at < end])

    @cached_property
    def newest_month(self) -> date | None:
        """The first day of the month of the newest accepted participating list."""
        believed = (p for p in self.log.publications.all(ListName.PARTICIPATING) if p.verdict == "accepted")
        return max((day_of(p.observed_at, self.zone).replace(day=1) for p in believed), default=None)

    @cached_property
    def _aliases(self) -> list[tuple[str, ...]]:
        return [record.aliases for record in self.log.agreements.all() if record.aliases]

    @cached_property
    def _believed(self) -> list[tuple[str, datetime]]:
        return [(p.id, p.observed_at) for p in self.log.publications.all() if p.verdict == "accepted"]

    @cached_property
    def everything(self) -> str:
        """The whole log and all agreements."""
        return depends_on(sorted(self._plain.items()), tuple(self.log.agreements.all()))

    @cached_property
    def by_day(self) -> dict[date, list[Entry]]:
        return self._grouped(lambda entry: [day_of(entry.observed_at, self.zone)])

    @cached_property
    def by_state(self) -> dict[str | None, list[Entry]]:
        return self._grouped(lambda entry: list(states_of(entry) | {entry.state}))

    def _grouped(self, keys: Callable[[Entry], list[_Key]]) -> dict[_Key, list[Entry]]:
        groups: dict[_Key, list[Entry]] = defaultdict(list)
        for entry in self.entries:
            for key in keys(entry):
                groups[key].append(entry)
        return groups


def site(content: SiteContent) -> Iterator[Address]:
    """Front, days, states, changes, agreements."""
    yield Address("/")
    yield Address("/days/", content.everything)
    yield Address("/states/", content.everything)
    yield from _days(content)
    yield from _states(content)
    for entry in content.entries:
        yield Address(f"/changes/{entry.id}", depends_on(content.of(entry.id)))
    for record in content.log.agreements.all():
        history = [content.of(entry.id) for entry in content.log.changelog.entries(agreement=record.id)]
        yield Address(f"/agreements/{record.id}", depends_on(record, history))
        for alias in record.aliases:
            yield Address(f"/agreements/{alias}", depends_on(record.id))


def _days(content: SiteContent) -> Iterator[Address]:
    days = sorted(content.by_day)
    for before, day, after in zip([None, *days], days, [*days[1:], None], strict=False):
        looks = content.log.checks.counts(*bounds(day, content.zone))
        told = [content.of(entry.id) for entry in content.by_day[day]]
        # Today's page shows when the lists were checked.
        depends = "" if day == content.today else depends_on(before, after, looks, told)
        yield Address(f"/days/{day}", depends)


def _states(content: SiteContent) -> Iterator[Address]:
    records: dict[str | None, list[object]] = defaultdict(list)
    for record in content.log.agreements.all():
        records[record.state].append(record)
    for code in (*STATES, None):
        entries = content.by_state.get(code, [])
        depends = depends_on(records[code], [content.of(entry.id) for entry in entries])
        path = state_scope(code).path
        # Its chart runs to the month of the newest list, whether or not that changed the state.
        yield Address(path, depends_on(depends, content.newest_month))
        days = [day_of(entry.observed_at, content.zone) for entry in entries]
        for month in _months(days):
            yield Address(f"{path}/before/{month}", depends)


def _months(days: Sequence[date]) -> Iterator[date]:
    """The first of each month with some of these days before it, and some in or after it."""
    if days:
        first = _next_month(min(days))
        while first <= max(days):
            yield first
            first = _next_month(first)


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def feeds(content: SiteContent) -> Iterator[Address]:
    """All feeds with their pages, in both forms; and the list of them."""
    yield Address("/feeds.opml", depends_on(content.log.changelog.newest_change()))
    for scope in (EVERYTHING, *(state_scope(code) for code in (*STATES, None))):
        yield from _feed(content, scope, "")
    for record in content.log.agreements.all():
        yield from _feed(content, agreement_scope(record.id, record.agency), record.agency)
    for agency in content.agencies:
        yield from _feed(content, agency_scope(agency), agency.name)


def _feed(content: SiteContent, scope: FeedScope, name: str) -> Iterator[Address]:
    for page in items.pages(within(scope, content.log)):
        told = [content.of(change) for change in page.changes]
        depends = depends_on(name, page.older, page.newer, told)
        for form in ("atom", "json"):
            yield Address(scope.address(form, page.number), depends)


def agencies(content: SiteContent) -> Iterator[Address]:
    """A page for each; the ids of its later agreements lead there."""
    records = {record.id: record for record in content.log.agreements.all()}
    for agency in content.agencies:
        told = [
            (records[id_], [content.of(entry.id) for entry in content.log.changelog.entries(agreement=id_)])
            for id_ in agency.agreements
        ]
        yield Address(f"/agencies/{agency.id}", depends_on(agency, told))
        for id_ in agency.agreements[1:]:
            yield Address(f"/agencies/{id_}", depends_on(agency.id))


def status(content: SiteContent) -> Iterator[Address]:
    """The two pages about the log itself."""
    yield Address("/about")
    yield Address("/status")


def data(content: SiteContent) -> Iterator[Address]:
    """The downloads; for other days than the ends of months there is only the running service."""
    yield Address("/data/")
    yield Address("/data/metadata.json")
    yield Address("/data/public.db")
    for name in ("changes.csv", "changes.jsonl", "agreements.csv", "agreements.json"):
        yield Address(f"/data/{name}", content.everything)
    for day in ends_of_months(content.here):
        depends = depends_on(content.believed_until(day), content.here.looked_at(day))
        for form in ("csv", "json"):
            yield Address(f"/data/agreements-{day}.{form}", depends)


def pictures(content: SiteContent) -> Iterator[Address]:
    """The charts; maps as of every day; previews."""
    yield Address("/over-time")  # it also shows the date of today, as the newest maps do
    for path in maps.addresses(content.here):
        day = day_in(path.rpartition("/")[2])
        if day is None or day >= content.today:
            yield Address(path)
        else:
            leads_on = content.here.last_looked is not None and day + maps.MAP_STEP <= content.here.last_looked
            yield Address(path, depends_on(leads_on, content.believed_until(day), content.here.looked_at(day)))
    for path in previews.addresses(content.here):
        yield Address(path, _drawn(content.here, path))


def _drawn(here: Visit, path: str) -> str:
    """What a preview shows: the numbers alone."""
    days, name = here.series.by_day(here.zone), path.rpartition("/")[2].removesuffix(".png")
    if name == "map":
        return depends_on(sorted(by_state(here.series.listed(ListName.PARTICIPATING)).items(), key=repr))
    return depends_on(days_with_news(days if name == "front" else of_state(days, name.upper())))


ALL: tuple[Callable[[SiteContent], Iterator[Address]], ...] = (site, agencies, status, pictures, feeds, data)
