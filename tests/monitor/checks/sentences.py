"""What messages say of each departure and arrival of a whole log, beside what the log's rows say.

The rows are read by themselves: an agency is here whoever is written with the same state and name, so nothing is taken
from the rules that the messages follow.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from zoneinfo import ZoneInfo

from alerts.messages.render import RenderContext, Renderer
from alerts.model import ChannelName, Message, Subscriber, Wants, Watch
from alerts.routing.instant import route
from alerts.routing.news import switch_key
from monitor.model import Entry, Kind, ListName, Significance
from monitor.storage.writer import Store, open_store

SETTING = RenderContext("https://monitor.example.org", ZoneInfo("America/New_York"), "alerts@monitor.example.org", {})
ALL = Watch(
    1,
    Subscriber(1, ChannelName.EMAIL, "reader@example.org"),
    Wants(kinds=frozenset(Kind), significance=Significance.CLERICAL),
)
Agency = tuple[str, str]


@dataclass(frozen=True)
class Told:
    """The mail about one departure or arrival, and the numbers of the agency's other rows before and after."""

    entry: Entry
    before: int
    after: int
    mail: Message

    @property
    def is_silent_about_the_agency(self) -> bool:
        """Whether it is not said, in the subject and in the body, that a departed agency is still listed, or, in the
        body, that a new agreement is of an agency that was listed already."""
        body, subject = self.mail.text, self.mail.subject
        if self.entry.kind is Kind.TERMINATED:
            said = "Switched: instead of" in body or ("Still listed under" in body and "still listed" in subject)
            return bool(self.after) and not said
        said = any(words in body for words in ("lso listed under", "Switched: instead of", "Renewed"))
        return bool(self.before) and not said


def told(path: Path) -> Iterator[Told]:
    """Each departure and arrival of the participating list, with the mail that a reader of everything gets about it."""
    renderer = Renderer(SETTING)
    with open_store(path) as log:
        entries = [replace(e, announce=True) for e in log.changelog.entries()]
        listed = _baseline(log)
        by_id = {e.id: e for e in entries}
        for _, group in groupby(entries, key=lambda e: e.publication.id):
            published = [e for e in group if e.list is ListName.PARTICIPATING]
            was, now = _rows(listed), _rows(_apply(listed, published))
            for entry in published:
                if entry.kind in (Kind.TERMINATED, Kind.NEW) and entry.status not in ("withdrawn", "merged"):
                    key = switch_key(entry)
                    halves = [e for e in published if e is entry or (key and switch_key(e) == key)]
                    [notice] = route([replace(e, status=None) for e in halves], [ALL], {}, by_id)
                    others = {entry.agreement}
                    yield Told(
                        entry,
                        len(was[_agency(entry)] - others),
                        len(now[_agency(entry)] - others),
                        renderer.message(notice),
                    )


def _baseline(log: Store) -> dict[str, Agency]:
    """The first participating list: the agreements that were there before anybody looked."""
    first = min(p.observed_at for p in log.publications.all() if p.list is ListName.PARTICIPATING)
    listed = log.agreements.all(as_of=first)
    return {a.id: (a.state or "", a.agency.strip().casefold()) for a in listed if ListName.PARTICIPATING in a.listed}


def _apply(listed: dict[str, Agency], published: list[Entry]) -> dict[str, Agency]:
    for entry in published:
        if entry.kind is Kind.TERMINATED:
            listed.pop(entry.agreement, None)
        elif entry.kind in (Kind.NEW, Kind.RETURNED, Kind.CHANGED):
            listed[entry.agreement] = _agency(entry)
    return listed


def _agency(entry: Entry) -> Agency:
    return entry.state or "", entry.agency.strip().casefold()


def _rows(listed: Mapping[str, Agency]) -> Mapping[Agency, set[str]]:
    rows: defaultdict[Agency, set[str]] = defaultdict(set)
    for agreement, agency in listed.items():
        rows[agency].add(agreement)
    return rows
