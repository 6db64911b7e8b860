"""Pure: every address of the site, and what each page is made from: what the published edition consists of.

A blueprint that joins the edition adds a function here, or in a file of its own, and a line to `ALL`.
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
from web.feeds.items import Scope
from web.pages.days import bounds, day_in, day_of
from web.request import Visit
from web.static_site.plan import Address, depends_on
from web.views.data import ends_of_months
from web.views.feeds import EVERYTHING, agency_scope, agreement_scope, state_scope, within
from web.views.pictures import MAP_STEP
from web.views.pictures import addresses as pictures_there_are

_Key = TypeVar("_Key")


class Sources:
    """What pages are made from, as hashes: of each entry with all that was noted about it."""

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
        """An entry, the notes about it and about those, and what it is a note about."""
        found, queue = [], [entry_id]
        while queue:
            current = queue.pop()
            found.append(self._plain[current])
            queue += [note.id for note in self._notes[current]]
        about = self._about.get(entry_id)
        return (*found, self._plain[about]) if about else tuple(found)

    @cached_property
    def _about(self) -> dict[str, str]:
        return {entry.id: entry.about for entry in self.entries if entry.about}

    @cached_property
    def agencies(self) -> tuple[AgencyRecord, ...]:
        return all_agencies(self.log)

    def believed_until(self, day: date) -> str:
        """The publications that say how the lists stood at the end of a day."""
        end = bounds(day, self.zone)[1]
        return depends_on(self._aliases, [id_ for id_, at in self._believed if at < end])

    @cached_property
    def newest_month(self) -> date | None:
        """The first day of the month of the newest participating list that was believed."""
        found = (p for p in self.log.publications.all(ListName.PARTICIPATING) if p.verdict == "accepted")
        return max((day_of(p.observed_at, self.zone).replace(day=1) for p in found), default=None)

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
        found: dict[_Key, list[Entry]] = defaultdict(list)
        for entry in self.entries:
            for key in keys(entry):
                found[key].append(entry)
        return found


def site(sources: Sources) -> Iterator[Address]:
    """Front, days, states, changes, agreements."""
    yield Address("/")
    yield Address("/days/", sources.everything)
    yield Address("/states/", sources.everything)
    yield from _days(sources)
    yield from _states(sources)
    for entry in sources.entries:
        yield Address(f"/changes/{entry.id}", depends_on(sources.of(entry.id)))
    for record in sources.log.agreements.all():
        history = [sources.of(entry.id) for entry in sources.log.changelog.entries(agreement=record.id)]
        yield Address(f"/agreements/{record.id}", depends_on(record, history))
        for alias in record.aliases:
            yield Address(f"/agreements/{alias}", depends_on(record.id))


def _days(sources: Sources) -> Iterator[Address]:
    days = sorted(sources.by_day)
    for before, day, after in zip([None, *days], days, [*days[1:], None], strict=False):
        looks = sources.log.checks.counts(*bounds(day, sources.zone))
        told = [sources.of(entry.id) for entry in sources.by_day[day]]
        # Today's page says when the lists were checked.
        depends = "" if day == sources.today else depends_on(before, after, looks, told)
        yield Address(f"/days/{day}", depends)


def _states(sources: Sources) -> Iterator[Address]:
    records: dict[str | None, list[object]] = defaultdict(list)
    for record in sources.log.agreements.all():
        records[record.state].append(record)
    for code in (*STATES, None):
        entries = sources.by_state.get(code, [])
        depends = depends_on(records[code], [sources.of(entry.id) for entry in entries])
        path = state_scope(code).path
        # Its chart goes on to the month of the newest list, whether or not that had news of the state.
        yield Address(path, depends_on(depends, sources.newest_month))
        days = [day_of(entry.observed_at, sources.zone) for entry in entries]
        for month in _months(days):
            yield Address(f"{path}/before/{month}", depends)


def _months(days: Sequence[date]) -> Iterator[date]:
    """The first of each month that has some of these days before it, and some in it or later."""
    if days:
        first = _next_month(min(days))
        while first <= max(days):
            yield first
            first = _next_month(first)


def _next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


def feeds(sources: Sources) -> Iterator[Address]:
    """All feeds with their pages, in both forms; and the list of them."""
    yield Address("/feeds.opml", depends_on(sources.log.changelog.newest_change()))
    for scope in (EVERYTHING, *(state_scope(code) for code in (*STATES, None))):
        yield from _feed(sources, scope, "")
    for record in sources.log.agreements.all():
        yield from _feed(sources, agreement_scope(record.id, record.agency), record.agency)
    for agency in sources.agencies:
        yield from _feed(sources, agency_scope(agency), agency.name)


def _feed(sources: Sources, scope: Scope, name: str) -> Iterator[Address]:
    for page in items.pages(within(scope, sources.log)):
        told = [sources.of(change) for change in page.changes]
        depends = depends_on(name, page.older, page.newer, told)
        for form in ("atom", "json"):
            yield Address(scope.address(form, page.number), depends)


def agencies(sources: Sources) -> Iterator[Address]:
    """A page for each; the ids of its later agreements lead there."""
    records = {record.id: record for record in sources.log.agreements.all()}
    for agency in sources.agencies:
        told = [
            (records[id_], [sources.of(entry.id) for entry in sources.log.changelog.entries(agreement=id_)])
            for id_ in agency.agreements
        ]
        yield Address(f"/agencies/{agency.id}", depends_on(agency, told))
        for id_ in agency.agreements[1:]:
            yield Address(f"/agencies/{id_}", depends_on(agency.id))


def method(sources: Sources) -> Iterator[Address]:
    """Two pages that say how the log is doing now."""
    yield Address("/about")
    yield Address("/status")


def data(sources: Sources) -> Iterator[Address]:
    """The downloads; as of other days than the ends of months they are for programs to ask."""
    yield Address("/data/")
    yield Address("/data/metadata.json")
    yield Address("/data/public.db")
    for name in ("changes.csv", "changes.jsonl", "agreements.csv", "agreements.json"):
        yield Address(f"/data/{name}", sources.everything)
    for day in ends_of_months(sources.log, sources.today, sources.zone):
        depends = sources.believed_until(day)
        for form in ("csv", "json"):
            yield Address(f"/data/agreements-{day}.{form}", depends)


def pictures(sources: Sources) -> Iterator[Address]:
    """Charts, maps as of every day, and previews."""
    for path in pictures_there_are(sources.here):
        day = day_in(path.rpartition("/")[2])
        if day:
            near = day >= sources.today, day + MAP_STEP <= sources.today  # whether its page leads on
            yield Address(path, "" if day >= sources.today else depends_on(near, sources.believed_until(day)))
        elif path.endswith(".png"):
            yield Address(path, _drawn(sources.here, path))
        else:
            yield Address(path)  # it also says which day it is


def _drawn(here: Visit, path: str) -> str:
    """A preview takes long to draw, and shows numbers alone."""
    days, name = here.series.by_day(here.zone), path.rpartition("/")[2].removesuffix(".png")
    if name == "map":
        return depends_on(sorted(by_state(here.series.listed(ListName.PARTICIPATING)).items(), key=repr))
    return depends_on(days_with_news(days if name == "front" else of_state(days, name.upper())))


ALL: tuple[Callable[[Sources], Iterator[Address]], ...] = (site, agencies, method, pictures, feeds, data)
