"""What pages and feeds say of an agency's other agreements when one comes, leaves or is signed again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest

from monitor.model import AgencyStanding, Relation
from tests.web.builders import PENDING, Browser, Edit, Log, applied, at, changed, dropped, gone, new, returned, row
from tests.web.followers import atom

ReadAt = Callable[[datetime], Browser]
BASELINE, LATER, NOW = at("2025-08-01 14:00"), at("2025-08-05 14:00"), at("2025-08-06 12:00")
JAIL, TASK_FORCE, WARRANT = "Jail Enforcement Model", "Task Force Model", "Warrant Service Officer"


def beside(edit: Edit, before: tuple[str, ...], after: tuple[str, ...], relation: Relation | None = None) -> Edit:
    return replace(edit, standing=AgencyStanding(before, after), relation=relation)


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (
            beside(gone(1), (TASK_FORCE, WARRANT), (TASK_FORCE, WARRANT)),
            "Still listed under Task Force Model and Warrant Service Officer.",
        ),
        (beside(gone(1), ("",), ("",)), "Still listed under an agreement with no support type given."),
        (beside(gone(1), (), ()), "The agency has no other agreement on the list."),
        (
            beside(gone(1), (), (WARRANT,), Relation.SWITCHED),
            "Warrant Service Officer instead of Jail Enforcement Model.",
        ),
        (
            beside(gone(1), (TASK_FORCE,), (TASK_FORCE, WARRANT), Relation.SWITCHED),
            "Warrant Service Officer instead of Jail Enforcement Model; also listed under Task Force Model.",
        ),
        (
            beside(gone(1), (), (JAIL,), Relation.SWITCHED),
            "A new agreement in place of one with the same support type.",
        ),
        (
            beside(new(row(support_type=WARRANT)), (JAIL,), (), Relation.SWITCHED),
            "Warrant Service Officer instead of Jail Enforcement Model.",
        ),
        (
            beside(new(row(support_type=WARRANT)), (JAIL, TASK_FORCE), (JAIL, TASK_FORCE), Relation.ADDED),
            "Its third agreement; also listed under Jail Enforcement Model and Task Force Model.",
        ),
        (
            beside(new(row(support_type=WARRANT)), (), (JAIL, TASK_FORCE)),
            "One of three new agreements.",
        ),
        (
            beside(new(row(support_type=WARRANT)), (JAIL,), (JAIL, TASK_FORCE), Relation.ADDED),
            "One of two new agreements; also listed under Jail Enforcement Model.",
        ),
        (
            beside(changed(1, row(support_type=JAIL, signed="2025-08-04")), (), (), Relation.RENEWED),
            "Renewed: signed again on Aug. 4, 2025.",
        ),
    ],
)
def test_pages_and_feeds_say_what_else_the_agency_has(log: Log, read_at: ReadAt, edit: Edit, says: str) -> None:
    log.begins(BASELINE, row(support_type=JAIL))
    (entry,) = log.publishes(LATER, edit)
    browser = read_at(NOW)
    for page in ("/", "/days/2025-08-05", "/states/ga"):
        assert says in browser.get(page).one(f"#{entry.id}"), page
    agency = browser.get(f"/changes/{entry.id}").links("a[href^='/agencies/']")[0]
    for page in (f"/agreements/{entry.agreement}", agency):
        assert says in browser.get(page).one(f"ol.history #{entry.id}"), page
    assert says in browser.get(f"/changes/{entry.id}").one(".lead")
    (item,) = atom(browser, "/feed.atom")[0]
    assert says in " ".join(item.html.split())


def test_applications_say_what_the_agency_has_already(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row(support_type=JAIL))
    log.begins(BASELINE, row("Leaving Agency"), list_=PENDING)
    log.publishes(
        LATER,
        beside(applied(row(support_type=WARRANT)), (JAIL,), (JAIL,)),
        beside(dropped(2), (), ()),
        list_=PENDING,
    )
    page = read_at(NOW).get("/days/2025-08-05")
    assert "Already listed under Jail Enforcement Model." in page.one(".applied li")
    assert "The agency has no agreement on the participating list." in page.one(".dropped li")


def test_an_agreement_that_is_back_may_have_been_signed_again(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row(support_type=JAIL))
    log.publishes(LATER, gone(1))
    again = returned(1, row(support_type=JAIL, signed="2025-11-03"))
    log.publishes(at("2025-11-05 14:00"), beside(again, (WARRANT,), (WARRANT,), Relation.RENEWED))
    line = read_at(at("2025-11-06 12:00")).get("/days/2025-11-05").one(".returned .entries > li")
    assert "Renewed: signed again on Nov. 3, 2025. Also listed under Warrant Service Officer." in line


def test_the_title_of_a_departure_says_that_the_agency_is_still_listed(log: Log, read_at: ReadAt) -> None:
    log.begins(BASELINE, row(support_type=JAIL))
    log.publishes(LATER, beside(gone(1), (TASK_FORCE, WARRANT), (TASK_FORCE, WARRANT)))
    (item,) = atom(read_at(NOW), "/feed.atom")[0]
    assert item.title.endswith("Georgia (Jail Enforcement Model); still has 2 other agreements")
