"""The scopes of feeds (everything, a state, an agreement, an agency), and which entries each has."""

from __future__ import annotations

from monitor.normalize import STATES
from monitor.storage.agencies import AgencyRecord
from monitor.storage.changelog import Event
from monitor.storage.log import Log
from web.feeds.items import FeedScope
from web.urls import UNKNOWN, slug

EVERYTHING = FeedScope("everything", "/", "")


def state_scope(code: str | None) -> FeedScope:
    """A state's feed; None for a state that was not recognized."""
    name = slug(code)
    return FeedScope(f"state {name}", f"/states/{name}", STATES[code] if code else "")


def agreement_scope(id_: str, agency: str) -> FeedScope:
    """An agreement's feed."""
    return FeedScope(f"agreement {id_}", f"/agreements/{id_}", agency, (id_,))


def agency_scope(agency: AgencyRecord) -> FeedScope:
    """An agency's feed."""
    return FeedScope(f"agency {agency.id}", f"/agencies/{agency.id}", agency.name, agency.agreements)


def within(scope: FeedScope, log: Log) -> tuple[Event, ...]:
    """The events of a feed, oldest first."""
    if scope.agreements:
        return tuple(
            sorted((event for id_ in scope.agreements for event in log.changelog.events(id_)), key=lambda e: e.seq)
        )
    kind, _, name = scope.key.partition(" ")
    if kind == "state":
        code = None if name == UNKNOWN else name.upper()
        return tuple(event for event in log.changelog.events() if code in event.states)
    return log.changelog.events()
