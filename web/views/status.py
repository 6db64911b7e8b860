"""The pages about this log itself: its status now, and how it is made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint
from werkzeug.wrappers import Response

from alerts.storage.reports import Overview, overview
from monitor.matching.review import ASK_FOR
from monitor.model import ListName
from monitor.storage.changelog import LastCheck, Log, PublicationRecord
from monitor.storage.figures import Figures, figures
from web.page_cache import kept
from web.pages.freshness import Freshness
from web.rendering import render
from web.request import visit

blueprint = Blueprint("status", __name__)


@dataclass(frozen=True, slots=True)
class ListStatus:
    """One list: its newest check, and its newest accepted publication."""

    list: ListName
    look: LastCheck | None
    publication: PublicationRecord | None


@dataclass(frozen=True, slots=True)
class StatusPage:
    """The status now. `doubtful`: pairs of agreements that wait for a person's answer."""

    now: datetime
    fresh: tuple[Freshness, ...]
    lists: tuple[ListStatus, ...]
    held: tuple[PublicationRecord, ...]
    doubtful: int
    deliveries: Overview


@dataclass(frozen=True, slots=True)
class AboutPage:
    """How the log is made, with its figures."""

    figures: Figures


@blueprint.get("/status")
def status() -> str:
    """When each list was last read, what is held, what waits to be sent."""
    here = visit()
    store = here.store
    page = StatusPage(
        here.now,
        here.freshness,
        _lists(store),
        tuple(p for p in store.publications() if p.verdict == "held"),
        len(store.doubtful(here.now, ASK_FOR)),
        overview(store.state),
    )
    return render("status.html", page)


@blueprint.get("/about")
def about() -> str | Response:
    """How this log is made, what its words mean, and its limits."""
    return _about(visit().store.last_checks())


@kept
def _about(newest: tuple[LastCheck, ...]) -> str:
    """The page counts checks: `newest` makes it a new page after each."""
    return render("about.html", AboutPage(figures(visit().store)))


def _lists(store: Log) -> tuple[ListStatus, ...]:
    looks = {look.list: look for look in store.last_checks()}
    believed = {p.list: p for p in store.publications() if p.verdict == "accepted"}
    return tuple(ListStatus(list_, looks.get(list_), believed.get(list_)) for list_ in ListName)
