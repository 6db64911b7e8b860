"""From captures to what was published: which time counts, which list, what is a repeat."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitor.model import ListName
from monitor.sources.chronology import Appearance, Book, Page, address_key, appearances, named_list

PARTICIPATING, PENDING = ListName.PARTICIPATING, ListName.PENDING
LISTS = "https://www.ice.gov/doclib/about/offices/ero/287g"


def at(day: int, hour: int = 12, minute: int = 0) -> datetime:
    """A moment of March 2026."""
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


def book(
    content: str,
    captured: datetime,
    *,
    saved: datetime | None = None,
    address: str | None = None,
    columns: ListName = PARTICIPATING,
) -> Book:
    """A capture of a workbook; of one address a content, unless said otherwise."""
    usual = f"{LISTS}/{columns}Agencies-{content}.xlsx"
    return Book(captured, address or usual, f"{content}.xlsx", content, saved, columns, 40)


def page(captured: datetime, content: str | None = None, *, list_: ListName = PARTICIPATING, url: str = "") -> Page:
    """A capture of the page, which links one list."""
    return Page(captured, {list_: url or f"{LISTS}/{list_}Agencies-{content}.xlsx"})


def told(found: tuple[Appearance, ...]) -> list[tuple[str, datetime]]:
    return [(a.book.sha256, a.published) for a in found]


# --- which time counts ----------------------------------------------------------------------------------------


def test_a_workbook_was_published_when_it_was_saved_and_not_when_it_was_captured() -> None:
    assert told(appearances((), [book("a", at(5), saved=at(2))])) == [("a", at(2))]


@pytest.mark.parametrize("saved", [None, at(6)])
def test_where_the_saved_time_is_missing_or_after_the_capture_the_capture_counts(saved: datetime | None) -> None:
    assert told(appearances((), [book("a", at(5), saved=saved)])) == [("a", at(5))]


def test_what_was_saved_first_was_published_first_whatever_was_captured_first() -> None:
    found = appearances((), [book("b", at(5), saved=at(3)), book("a", at(9), saved=at(2))])
    assert told(found) == [("a", at(2)), ("b", at(3))]


def test_times_never_run_backwards_and_participating_comes_first() -> None:
    books = [book(f"{n}", at(9), saved=at(n), columns=list_) for n in (4, 2, 3) for list_ in ListName]
    found = appearances((), books)
    assert [(a.published.day, a.list) for a in found] == [
        (2, PARTICIPATING), (2, PENDING), (3, PARTICIPATING), (3, PENDING), (4, PARTICIPATING), (4, PENDING),
    ]  # fmt: skip


def test_two_workbooks_of_one_saved_time_come_in_the_order_in_which_they_were_captured() -> None:
    """8 and July 9, 2025: two pending lists, saved in the same second."""
    found = appearances((), [book("b", at(5), saved=at(2)), book("a", at(4), saved=at(2))])
    assert told(found) == [("a", at(2)), ("b", at(2))]


def test_a_page_that_is_behind_does_not_move_a_workbook_behind_the_next_one() -> None:
    pages = [page(at(4), "old"), page(at(6), "a"), page(at(8), "b")]
    books = [book("a", at(4, 11), saved=at(4, 10)), book("b", at(5, 14), saved=at(5))]
    assert told(appearances(pages, books)) == [("a", at(4, 10)), ("b", at(5))]


@pytest.mark.parametrize(("captured", "linked"), [(at(4), at(6)), (at(6), at(4))])
def test_what_does_not_say_when_it_was_saved_counts_from_when_it_was_first_seen(
    captured: datetime, linked: datetime
) -> None:
    assert told(appearances([page(linked, "a")], [book("a", captured)])) == [("a", at(4))]


def test_an_error_page_proves_nothing() -> None:
    pages = [page(at(3), "a"), Page(at(4), {}), page(at(5), "a"), page(at(6), "b"), Page(at(7), {})]
    books = [book("a", at(5), saved=at(2)), book("b", at(6), saved=at(5))]
    assert told(appearances(pages, books)) == [("a", at(2)), ("b", at(5))]


def test_new_content_under_an_old_name_was_published_after_the_old_one_was_captured() -> None:
    """July 3, 2025: the same name twice."""
    address = f"{LISTS}/participatingAgencies07032025pm.xlsx"
    books = [book("a", at(3), saved=at(2), address=address), book("b", at(5), saved=at(4), address=address)]
    assert told(appearances([page(at(3, 13), url=address)], books)) == [("a", at(2)), ("b", at(4))]


# --- which list -----------------------------------------------------------------------------------------------


def test_swapped_workbooks_stand_under_the_list_that_their_names_say_and_when_they_did() -> None:
    """Sept. 22, 2025: the 1,000 rows of the 18th came again, as the pending list."""
    old = book("agreements", at(2), saved=at(1))
    swapped = [
        book("agreements", at(6), saved=at(1), address=f"{LISTS}/pendingAgencies2.xlsx"),
        book("applications", at(6), saved=at(5), address=f"{LISTS}/participatingAgencies2.xlsx", columns=PENDING),
    ]
    found = appearances((), [old, *swapped])
    assert [(a.list, a.book.sha256, a.published) for a in found] == [
        (PARTICIPATING, "agreements", at(1)),
        (PARTICIPATING, "applications", at(6)),
        (PENDING, "agreements", at(6)),
    ]


def test_the_page_says_which_list_before_the_name_does_and_the_name_before_the_columns() -> None:
    address = f"{LISTS}/pendingAgencies.xlsx"
    assert appearances([page(at(3), url=address)], [book("a", at(4), address=address)])[0].list is PARTICIPATING
    assert appearances((), [book("a", at(4), address=address)])[0].list is PENDING
    nameless = "https://www.ice.gov/file-download/download/public/83281"
    assert appearances((), [book("a", at(4), address=nameless)])[0].list is PARTICIPATING


def test_an_address_that_names_both_lists_names_none() -> None:
    assert named_list(f"{LISTS}/pendingAndParticipating.xlsx") is None


@pytest.mark.parametrize(
    "other",
    [
        "http://ice.gov/a/b%20c.xlsx",
        "https://www.ice.gov:443/A/b c.XLSX",
        "www.ice.gov/a/b c.xlsx",
        "//www.ice.gov/a/b%20c.xlsx#sheet",
    ],
)
def test_one_address_is_written_in_many_ways(other: str) -> None:
    assert address_key(other) == address_key("https://www.ice.gov/a/b%20c.xlsx")
    assert address_key(f"{other.partition('#')[0]}?v=2") != address_key(other)


# --- repeats --------------------------------------------------------------------------------------------------


def test_the_same_workbook_under_two_names_in_direct_succession_is_one() -> None:
    books = [book("a", at(3), saved=at(2)), book("a", at(4), saved=at(2), address=f"{LISTS}/participating-again.xlsx")]
    assert told(appearances((), books)) == [("a", at(2))]


def test_an_old_workbook_under_a_new_name_after_another_is_news_from_when_it_was_captured() -> None:
    books = [
        book("a", at(3), saved=at(2)),
        book("b", at(5), saved=at(4)),
        book("a", at(6), saved=at(2), address=f"{LISTS}/participating-again.xlsx"),
    ]
    assert told(appearances((), books)) == [("a", at(2)), ("b", at(4)), ("a", at(6))]


def test_but_not_where_the_page_linked_the_other_one_then() -> None:
    books = [
        book("a", at(3), saved=at(2)),
        book("b", at(5), saved=at(4)),
        book("a", at(7), saved=at(2), address=f"{LISTS}/participating-again.xlsx"),
    ]
    assert told(appearances([page(at(6), "b")], books)) == [("a", at(2)), ("b", at(4))]


def test_an_old_workbook_that_the_page_links_again_is_news_from_then_on() -> None:
    """7, 8 and Aug. 11, 2025: A, B, A."""
    pages = [page(at(3), "a"), page(at(5), "b"), page(at(7), "a"), page(at(8), "a")]
    books = [book("a", at(3), saved=at(2)), book("b", at(5), saved=at(4))]
    assert told(appearances(pages, books)) == [("a", at(2)), ("b", at(4)), ("a", at(7))]


def test_a_link_that_was_missing_for_a_while_is_no_news() -> None:
    pages = [page(at(3), "a"), page(at(4), "x", list_=PENDING), page(at(5), "a")]
    assert told(appearances(pages, [book("a", at(3), saved=at(2))])) == [("a", at(2))]


# --- both lists -----------------------------------------------------------------------------------------------


def test_a_pending_list_waits_for_the_participating_one_that_was_saved_soon_after_it() -> None:
    books = [
        book("p", at(5), saved=at(4, 10), columns=PENDING),
        book("q", at(5), saved=at(4, 10, 30), columns=PENDING),
        book("a", at(5), saved=at(4, 11)),
    ]
    assert told(appearances((), books)) == [("a", at(4, 11)), ("p", at(4, 11)), ("q", at(4, 11))]


def test_but_not_beyond_its_capture_nor_beyond_the_next_pending_list() -> None:
    captured = [book("p", at(4, 10, 20), saved=at(4, 10), columns=PENDING), book("a", at(5), saved=at(4, 11))]
    assert told(appearances((), captured)) == [("p", at(4, 10)), ("a", at(4, 11))]
    overtaken = [
        book("p", at(5), saved=at(4, 10), columns=PENDING),
        book("q", at(4, 10, 20), saved=at(4, 10, 10), columns=PENDING),
        book("a", at(5), saved=at(4, 11)),
    ]
    assert [content for content, _ in told(appearances((), overtaken))] == ["p", "q", "a"]


def test_a_pending_list_does_not_wait_for_another_day() -> None:
    books = [book("p", at(9), saved=at(4), columns=PENDING), book("a", at(9), saved=at(4) + timedelta(hours=4))]
    assert told(appearances((), books)) == [("p", at(4)), ("a", at(4, 16))]


def test_nothing_seen_is_nothing_published() -> None:
    assert appearances((), ()) == ()
    assert appearances([page(at(2), "a")], ()) == ()
