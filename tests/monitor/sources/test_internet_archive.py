"""The Internet Archive over HTTP: what is asked, how slowly, and what each answer means."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from demo.archive import FakeArchive
from monitor.errors import SourceError
from monitor.sources.internet_archive import Archive, Capture, digest_of, parse_index, retry_after

FOLDER = "https://www.ice.gov/doclib/about/offices/ero/287g/"
PAGE = "https://www.ice.gov/identify-and-arrest/287g"
A, B = f"{FOLDER}participatingAgencies1.xlsx", f"{FOLDER}participatingAgencies2.xlsx"
MARCH = datetime(2026, 3, 2, 14, tzinfo=UTC)
LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)
BOOK = b"PK\x03\x04 a workbook"
NAMES = ["timestamp", "original", "digest"]


class Asking:
    """A run's view of the archive, and how long it paused before and between requests."""

    def __init__(self, there: FakeArchive, *, retries: int = 0, max_bytes: int = 1_000_000) -> None:
        self.pauses: list[float] = []
        self.archive = Archive(
            there.cdx,
            there.web,
            user_agent="agreement-monitor/1.0 (desk@newsroom.example)",
            timeout=(5, 30),
            max_bytes=max_bytes,
            retries=retries,
            between=4,
            pause=self.pauses.append,
        )

    def refusal(self, capture: Capture) -> SourceError:
        with pytest.raises(SourceError) as caught:
            self.archive.fetch(capture)
        return caught.value


@pytest.fixture
def there() -> Iterator[FakeArchive]:
    with FakeArchive() as archive:
        yield archive


def capture(of: str = A, content: bytes = BOOK, at: datetime = MARCH) -> Capture:
    return Capture(at, of, digest_of(content))


# --- the index ------------------------------------------------------------------------------------------------


def test_captures_of_all_addresses_that_begin_so_are_found_without_repeats_and_errors(there: FakeArchive) -> None:
    for days, content in enumerate([BOOK, BOOK, BOOK + b"2", BOOK]):
        there.captured(MARCH + timedelta(days=days), A, content)
    there.captured(MARCH, B, BOOK)
    there.captured(MARCH, B, b"Access Denied", status=403)
    there.captured(MARCH, PAGE, b"<html>")
    there.captured(LONG_AGO - timedelta(days=1), A, BOOK)
    found = Asking(there).archive.captures(FOLDER.removeprefix("https://"), "prefix", "digest", LONG_AGO)
    assert [(c.timestamp, c.original, c.digest == digest_of(BOOK)) for c in found] == [
        ("20260302140000", A, True),
        ("20260304140000", A, False),
        ("20260305140000", A, True),
        ("20260302140000", B, True),
    ]


def test_of_the_page_one_capture_an_hour_is_asked_for_and_nothing_below_it(there: FakeArchive) -> None:
    for minutes in (0, 20, 59, 60):
        there.captured(MARCH + timedelta(minutes=minutes), PAGE, f"<html>{minutes}".encode())
    there.captured(MARCH, f"{PAGE}/more", b"<html>")
    found = Asking(there).archive.captures(PAGE, "exact", "timestamp:10", LONG_AGO)
    assert [c.timestamp for c in found] == ["20260302140000", "20260302150000"]
    query = parse_qs(urlsplit(there.requests[0].path).query)
    assert query["filter"] == ["statuscode:200"]
    assert query["from"] == ["20250101000000"]


def test_an_index_of_several_answers_is_read_to_its_end(there: FakeArchive) -> None:
    addresses = [f"{FOLDER}participatingAgencies{n}.xlsx" for n in range(7)]
    for address in addresses:
        there.captured(MARCH, address, BOOK)
    there.pages_by(3)
    asking = Asking(there)
    assert [c.original for c in asking.archive.captures(FOLDER, "prefix", "digest", LONG_AGO)] == addresses
    assert len(there.requests) == 3
    assert asking.pauses == [4, 4]


def test_every_request_says_who_asks(there: FakeArchive) -> None:
    Asking(there).archive.captures(PAGE, "exact", "digest", LONG_AGO)
    assert there.requests[0].headers["User-Agent"] == "agreement-monitor/1.0 (desk@newsroom.example)"


@pytest.mark.parametrize("nothing", [b"[]", b"", b"\n", json.dumps([NAMES]).encode()])
def test_nothing_found_is_no_error(nothing: bytes) -> None:
    assert parse_index(nothing) == ([], None)


def test_a_time_that_is_none_is_passed_over() -> None:
    rows = [NAMES, ["20260231000000", A, "X"], ["2026", A, "X"], ["20260302140000", A, "X"]]
    captures, _ = parse_index(json.dumps(rows).encode())
    assert captures == [Capture(MARCH, A, "X")]


@pytest.mark.parametrize(
    "wrong",
    [
        b"<html>The archive is being mended</html>",
        b'{"captures": []}',
        b"[1, 2]",
        b'["timestamp"]',
        b'[["timestamp", "original"], ["20260302140000", "x"]]',
        b'[["timestamp", "original", "digest"], ["20260302140000", "x"]]',
        b'[["timestamp", "original", "digest"], [20260302140000, "x", "y"]]',
        b'[["timestamp", "original", "digest"], ["2026030',
        b"\xff\xfe\x00",
        b"[" * 100_000,
    ],
)
def test_what_is_no_index_is_an_error_that_may_pass(there: FakeArchive, wrong: bytes) -> None:
    there.answers(200, wrong, on="index")
    with pytest.raises(SourceError, match=r"no index .*; run the same command again to go on") as caught:
        Asking(there).archive.captures(PAGE, "exact", "digest", LONG_AGO)
    assert not caught.value.permanent


def test_an_index_that_goes_round_in_a_circle_is_left(there: FakeArchive) -> None:
    there.answers(200, json.dumps([NAMES, ["20260302140000", A, "X"], [], ["key"]]).encode(), on="index")
    with pytest.raises(SourceError, match="goes round in a circle"):
        Asking(there).archive.captures(PAGE, "exact", "digest", LONG_AGO)


# --- a capture ------------------------------------------------------------------------------------------------


def test_a_capture_is_fetched_as_it_was_archived(there: FakeArchive) -> None:
    there.captured(MARCH, A, BOOK)
    assert Asking(there).archive.fetch(capture()) == BOOK
    assert there.requests[0].path == f"/web/20260302140000id_/{A}"


def test_bytes_with_another_digest_than_the_index_has_are_believed(there: FakeArchive) -> None:
    """The digest is that of what is stored, which may be packed otherwise."""
    there.captured(MARCH, A, BOOK)
    assert Asking(there).archive.fetch(Capture(MARCH, A, digest_of(b"packed"))) == BOOK


def test_but_not_where_the_archive_plays_another_capture(there: FakeArchive) -> None:
    there.captured(MARCH + timedelta(days=1), A, BOOK + b"2")
    there.plays_instead(A, "20260303140000")
    refused = Asking(there).refusal(capture())
    assert "plays the capture of 20260303140000 in its place" in str(refused)
    assert refused.permanent
    assert Asking(there).archive.fetch(capture(content=BOOK + b"2")) == BOOK + b"2"


def test_nor_where_the_answer_is_no_capture_at_all(there: FakeArchive) -> None:
    there.answers(200, b"<html>The archive is being mended</html>")
    refused = Asking(there).refusal(capture())
    assert "answered with something that is no capture" in str(refused)
    assert not refused.permanent


@pytest.mark.parametrize(
    ("status", "what", "permanent"),
    [
        (404, "answered 404: it is in the index, and not in the archive", True),
        (403, "answered 403: the archive does not give it out, or not to this network", True),
        (451, "answered 451: the archive does not give it out, or not to this network", True),
        (503, "answered 503; run the same command again to go on", False),
        (400, "answered 400; run the same command again to go on", False),
    ],
)
def test_a_refusal_says_whether_it_is_for_good(there: FakeArchive, status: int, what: str, permanent: bool) -> None:
    there.lacks(A, status)
    refused = Asking(there).refusal(capture())
    assert str(refused) == f"{there.web}/20260302140000id_/{A}: {what}"
    assert refused.permanent is permanent


def test_too_much_is_given_up(there: FakeArchive) -> None:
    there.captured(MARCH, A, BOOK * 100)
    assert Asking(there, max_bytes=1000, retries=3).refusal(capture()).permanent
    assert len(there.requests) == 1


# --- pauses ---------------------------------------------------------------------------------------------------


def test_between_two_requests_there_is_a_pause(there: FakeArchive) -> None:
    there.captured(MARCH, A, BOOK)
    there.captured(MARCH, B, BOOK)
    asking = Asking(there)
    asking.archive.fetch(capture(A))
    asking.archive.fetch(capture(B))
    assert asking.pauses == [4]


@pytest.mark.parametrize(("asked", "rest"), [(7, 7), (0, 0), (None, 60)])
def test_whoever_asks_too_fast_waits_for_as_long_as_the_archive_says(
    there: FakeArchive, asked: int | None, rest: float
) -> None:
    there.captured(MARCH, A, BOOK)
    there.limits(asked)
    asking = Asking(there, retries=1)
    assert asking.archive.fetch(capture()) == BOOK
    assert asking.pauses == [rest, 4]


def test_whoever_is_asked_to_wait_for_hours_comes_back_another_time(there: FakeArchive) -> None:
    there.limits(7200)
    asking = Asking(there, retries=5)
    refused = asking.refusal(capture())
    assert "answered 429 and asks to wait for 7,200 seconds; then run the same command again to go on" in str(refused)
    assert not refused.permanent
    assert asking.pauses == []


def test_what_fails_on_the_way_is_tried_again_ever_more_slowly(there: FakeArchive) -> None:
    there.captured(MARCH, A, BOOK)
    there.breaks_off(times=2)
    there.answers(500, times=1)
    asking = Asking(there, retries=3)
    assert asking.archive.fetch(capture()) == BOOK
    assert asking.pauses == [4, 4, 8, 4, 16, 4]


def test_what_fails_again_and_again_is_an_error_that_may_pass(there: FakeArchive) -> None:
    there.breaks_off(times=None)
    there.captured(MARCH, A, BOOK)
    refused = Asking(there, retries=2).refusal(capture())
    assert "could not be fetched (IncompleteRead" in str(refused)
    assert str(refused).endswith("run the same command again to go on")
    assert not refused.permanent
    assert len(there.requests) == 3


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": " 12 "}, 12),
        ({"Retry-After": "Mon, 02 Mar 2026 14:01:00 GMT", "Date": "Mon, 02 Mar 2026 14:00:00 GMT"}, 60),
        ({"Retry-After": "Mon, 02 Mar 2026 13:00:00 GMT", "Date": "Mon, 02 Mar 2026 14:00:00 GMT"}, 0),
        ({"Retry-After": "Mon, 02 Mar 2026 14:01:00 GMT"}, None),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "²"}, None),
        ({}, None),
    ],
)
def test_how_long_to_wait_is_a_number_or_a_time_by_the_clock_of_the_server(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after(headers) == seconds
