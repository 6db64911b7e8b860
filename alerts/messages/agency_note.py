"""Pure: what a message says about the agency: its other agreements, and what was added, switched or renewed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from alerts.routing.news import SwitchKey, switch_key
from alerts.sanitize import clean, shortened
from monitor.model import Entry, Kind, Relation

_LONGEST = 100  # characters
_KINDS = frozenset({Kind.NEW, Kind.TERMINATED, Kind.RETURNED})


@dataclass(frozen=True, slots=True)
class AgencyNote:
    """What else the agency has. `others`: the support types of its other agreements, "" for an unreadable one.

    `count`: how many agreements it has with this one. `at_once`: it had none before, and gets several at once.
    `instead_of`: the support types of the agreements that left in the same publication; `unconfirmed`: not confirmed.
    """

    relation: Relation | None
    others: tuple[str, ...]
    count: int
    at_once: bool = False
    instead_of: tuple[str, ...] = ()
    unconfirmed: bool = False


def agency_note(entry: Entry, replaced: Iterable[Entry] = ()) -> AgencyNote | None:
    """What an entry says of its agency; None where it says nothing. `replaced`: departures told with this arrival."""
    if entry.relation is Relation.RENEWED and entry.kind is Kind.CHANGED:
        return AgencyNote(entry.relation, (), 1)
    standing = entry.agency_standing
    if standing is None or entry.kind not in _KINDS:
        return None
    replaced = tuple(replaced)
    return AgencyNote(
        entry.relation,
        tuple(map(_shown, standing.after)),
        len(standing.after) + (entry.kind is not Kind.TERMINATED),
        at_once=entry.kind is Kind.NEW and not standing.before and bool(standing.after),
        instead_of=tuple(_shown(departure.support_type) for departure in replaced),
        unconfirmed=any(departure.status == "unconfirmed" for departure in replaced),
    )


def replacements(entries: Iterable[Entry]) -> dict[str, tuple[Entry, ...]]:
    """The departures that are told with an arrival: one agency switched in one publication. By the arrival's id."""
    arrivals: dict[SwitchKey, Entry] = {}
    departures: dict[SwitchKey, list[Entry]] = defaultdict(list)
    for entry in entries:
        if key := switch_key(entry):
            if entry.kind is Kind.NEW:
                arrivals.setdefault(key, entry)
            else:
                departures[key].append(entry)
    return {arrival.id: tuple(departures[key]) for key, arrival in arrivals.items() if key in departures}


def _shown(support_type: str) -> str:
    return shortened(clean(support_type), _LONGEST)
