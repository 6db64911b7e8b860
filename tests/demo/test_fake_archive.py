"""The fake archive answers over the wire as the Internet Archive does: its index, and captures played back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import requests

from demo.archive import FakeArchive

MARCH = datetime(2026, 3, 2, 14, tzinfo=UTC)
A, B = "https://www.ice.gov/lists/a.xlsx", "http://ice.gov/lists/B.xlsx"


@pytest.fixture
def archive() -> Iterator[FakeArchive]:
    with FakeArchive() as archive:
        yield archive


def index(archive: FakeArchive, **query: str) -> list[list[str]]:
    answer = requests.get(archive.cdx, params={"output": "json", **query}, timeout=5)
    found: list[list[str]] = answer.json()
    return found


def test_the_index_names_its_fields_first_and_sorts_by_address_and_time(archive: FakeArchive) -> None:
    archive.captured(MARCH + timedelta(days=1), B, b"b", mimetype="text/html")
    archive.captured(MARCH, A, b"abc", status=404)
    assert index(archive, url="ice.gov/lists/", matchType="prefix") == [
        ["urlkey", "timestamp", "original", "mimetype", "statuscode", "digest", "length"],
        ["gov,ice)/lists/a.xlsx", "20260302140000", A, "unk", "404", "VGMT4NSHA2AWVOR6EVYXQUGCNSONBWE5", "3"],
        ["gov,ice)/lists/b.xlsx", "20260303140000", B, "text/html", "200", "5HLR6XXHZEWW3SPJF7622F5YXVEUDD4Y", "1"],
    ]  # fmt: skip


def test_one_address_is_found_however_it_is_written_and_nothing_is_an_empty_array(archive: FakeArchive) -> None:
    archive.captured(MARCH, A, b"a")
    assert len(index(archive, url="http://ICE.gov/lists/A.xlsx")) == 2
    assert index(archive, url="ice.gov/lists/") == []


def test_a_long_index_is_given_in_parts_each_with_the_key_of_the_next(archive: FakeArchive) -> None:
    for days in range(3):
        archive.captured(MARCH + timedelta(days=days), A, bytes([days]))
    archive.pages_by(2)
    first = index(archive, url=A, showResumeKey="true", fl="timestamp")
    assert first[:3] == [["timestamp"], ["20260302140000"], ["20260303140000"]]
    assert first[3:] == [[], ["gov%2Cice%29%2Flists%2Fa.xlsx+20260303140000%21"]]
    rest = index(archive, url=A, showResumeKey="true", fl="timestamp", resumeKey=first[4][0])
    assert rest == [["timestamp"], ["20260304140000"]]


def test_a_capture_is_played_back_with_its_time_and_another_one_is_not_there(archive: FakeArchive) -> None:
    archive.captured(MARCH, A, b"PK")
    played = requests.get(f"{archive.web}/20260302140000id_/{A}", timeout=5)
    assert (played.status_code, played.content) == (200, b"PK")
    assert played.headers["Memento-Datetime"] == "Mon, 02 Mar 2026 14:00:00 GMT"
    assert requests.get(f"{archive.web}/20260302140001id_/{A}", timeout=5).status_code == 404
    assert archive.played == [f"20260302140000 {A}", f"20260302140001 {A}"]


def test_whoever_asks_too_fast_is_told_for_how_long_to_wait(archive: FakeArchive) -> None:
    archive.captured(MARCH, A, b"PK")
    archive.limits(7)
    address = f"{archive.web}/20260302140000id_/{A}"
    told = requests.get(address, timeout=5)
    assert (told.status_code, told.headers["Retry-After"]) == (429, "7")
    assert requests.get(address, timeout=5).status_code == 200
