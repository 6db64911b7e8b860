"""The main pages, whole: read their diff like code."""

from __future__ import annotations

import re

import pytest

from tests.golden import Golden
from tests.web.builders import (
    PENDING,
    Log,
    applied,
    approved,
    at,
    browser,
    changed,
    confirmed,
    document,
    dropped,
    gone,
    new,
    returned,
    row,
    withdrawn,
)

NOW = at("2025-08-29 14:30")


@pytest.fixture
def told(log: Log) -> dict[str, str]:
    """A log of a few days; the address of each page by the name of its golden file."""
    log.begins(
        at("2025-08-20 14:00"),
        row(),
        row("Bramblewick Police Department", type="Municipality", state="GEORGIA "),
        *(row(f"Fennmoor County Constable Precinct {n}", state="TEXAS", county="Fennmoor County") for n in (1, 2, 3)),
        row("Tallow Creek Police Department", state="TEXAS", county="#N/A", type="Municipality"),
    )
    log.begins(at("2025-08-20 14:00"), row("Saltmere Police Department", state="ALABAMA", signed=""), list_=PENDING)
    left, _ = log.publishes(
        at("2025-08-25 14:00"), gone(2), changed(1, row(signed="2025-02-17"), "same state, agency and support type")
    )
    (waited,) = log.publishes(at("2025-08-25 14:00"), dropped(7), list_=PENDING)
    log.publishes(
        at("2025-08-26 18:00"),
        withdrawn(2, left),
        returned(2, row("Bramblewick Police Department", type="Municipality", signed="2025-08-22")),
    )
    (out,) = log.publishes(at("2025-08-26 19:00"), gone(6))
    news = log.publishes(
        at("2025-08-29 14:00"),
        confirmed(6, out),
        new(row("Ashlar County Sheriff’s Office", state="ALABAMA", county="Ashlar County", signed="2025-08-27")),
        approved(7, waited),
        new(
            row("Saltmere Police Department", state="ALABAMA", signed="2025-08-26"),
            agreement=7,
            pending_since=at("2025-08-20 14:00"),
        ),
        changed(
            1, row("Quillmarsh County Sheriff’s Office ", signed="2025-02-17"), "same document", "same signed date"
        ),
        *(
            changed(
                n,
                row(
                    f"Fennmoor County Constable Precinct {n - 2}",
                    state="TEXAS",
                    county="Fennmoor County",
                    moa="link",
                    moa_address=document(f"FennmoorPct{n - 2}.pdf"),
                ),
            )
            for n in (3, 4, 5)
        ),
        new(row("Nether Holt Police Department", state="ZZYZX", county="")),
    )
    log.publishes(at("2025-08-29 14:05"), applied(row("Dunmarsh Police Department", signed="")), list_=PENDING)
    correction = next(entry for entry in news if entry.significance == "clerical")
    return {
        "front.html": "/",
        "day.html": "/days/2025-08-29",
        "day-withdrawn.html": "/days/2025-08-25",
        "days.html": "/days/",
        "states.html": "/states/",
        "state.html": "/states/ga",
        "change-departure.html": f"/changes/{left.id}",
        "change-correction.html": f"/changes/{correction.id}",
        "agreement.html": f"/agreements/{left.agreement}",
        "not-found.html": "/nothing",
    }


@pytest.mark.parametrize(
    "name",
    [
        *("front.html", "day.html", "day-withdrawn.html", "days.html", "states.html", "state.html"),
        *("change-departure.html", "change-correction.html", "agreement.html", "not-found.html"),
    ],
)
def test_a_page_is_as_it_was_read_last(log: Log, told: dict[str, str], golden: Golden, name: str) -> None:
    page = browser(log.path, NOW).get(told[name])
    # The style sheet's version is not what the page says.
    golden(f"web/{name}", re.sub(r"v=[0-9a-f]{12}", "v=…", page.html))
