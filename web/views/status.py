"""The pages about this log itself: its status now, and how it is made."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint
from werkzeug.wrappers import Response

from alerts.storage.reports import Overview, overview
from monitor.health import ListHealth
from monitor.model import LastCheck, ListName
from monitor.storage.log import Log
from monitor.storage.publications import PublicationRecord
from monitor.storage.statistics import Figures, figures
from web.page_cache import kept
from web.rendering import render
from web.request import visit

blueprint = Blueprint("status", __name__)


@dataclass(frozen=True, slots=True)
class ListStatus:
    """One list: its newest check, its newest accepted publication, and how many agreements that has: a row may repeat
    another."""

    list: ListName
    look: LastCheck | None
    publication: PublicationRecord | None
    agreements: int


@dataclass(frozen=True, slots=True)
class StatusPage:
    """The status now. `doubtful`: pairs of agreements that wait for a person's answer."""

    now: datetime
    fresh: tuple[ListHealth, ...]
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
        tuple(p for p in store.publications.all() if p.verdict == "held"),
        len(store.reviews.open()),
        overview(store.state),
    )
    return render("status.html", page)


@blueprint.get("/about")
def about() -> str | Response:
    """How this log is made, what its words mean, and its limits."""
    return _about(visit().store.checks.last())


@kept
def _about(newest: tuple[LastCheck, ...]) -> str:
    """The page counts checks: `newest` makes it a new page after each."""
    return render("about.html", AboutPage(figures(visit().store)))


def _lists(store: Log) -> tuple[ListStatus, ...]:
    looks = {look.list: look for look in store.checks.last()}
    believed = {p.list: p for p in store.publications.all() if p.verdict == "accepted"}
    listed = Counter(list_ for agreement in store.agreements.all() for list_ in agreement.listed)
    return tuple(ListStatus(list_, looks.get(list_), believed.get(list_), listed[list_]) for list_ in ListName)
