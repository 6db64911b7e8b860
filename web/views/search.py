"""The search page: agencies under every name that they were listed under, counties, and states."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from flask import Blueprint, request

from monitor.storage.agencies import AgencyRecord
from web.pages.lines import in_order
from web.rendering import render
from web.request import visit
from web.search.directory import CountyRecord, Directory

# The most that a page shows: another word narrows the search.
AGENCIES, COUNTIES = 200, 40
SHOWN_LETTERS = 200

blueprint = Blueprint("search", __name__)


@dataclass(frozen=True, slots=True)
class InState:
    """The agencies found in one state."""

    state: str | None
    agencies: tuple[AgencyRecord, ...]


@dataclass(frozen=True, slots=True)
class SearchPage:
    """What was found. `agencies` counts all of them; `by_state` has as many as a page shows."""

    query: str
    states: tuple[str, ...]
    counties: tuple[CountyRecord, ...]
    agencies: int
    by_state: tuple[InState, ...]


@blueprint.get("/search")
def results() -> str:
    """What the words of the query `q` find."""
    query = request.args.get("q", "").strip()
    return render("search.html", search_page(visit().directory, query))


def search_page(known: Directory, query: str) -> SearchPage:
    """The agencies, counties and states that hold every word of a query."""
    agencies = [known.agencies[n] for n in known.words.find("agency", query)]
    by_state: dict[str | None, list[AgencyRecord]] = defaultdict(list)
    for agency in agencies[:AGENCIES]:
        by_state[agency.state].append(agency)
    return SearchPage(
        query[:SHOWN_LETTERS],
        tuple(known.states[n] for n in known.words.find("state", query)),
        tuple(known.counties[n] for n in known.words.find("county", query)[:COUNTIES]),
        len(agencies),
        tuple(InState(code, tuple(by_state[code])) for code in in_order(by_state)),
    )
