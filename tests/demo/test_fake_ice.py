"""The fake ICE answers over the wire as ICE does, and goes wrong on request."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urljoin

import pytest
import requests
from selectolax.lexbor import LexborHTMLParser

from demo.ice import FakeIce, HrefStyle

BOOK = b"PK\x03\x04 a workbook, as far as a server is concerned"
SAVED = datetime(2026, 3, 2, 14, tzinfo=UTC)


@pytest.fixture
def ice() -> Iterator[FakeIce]:
    with FakeIce() as ice:
        yield ice


@pytest.fixture
def client() -> Iterator[requests.Session]:
    with requests.Session() as client:
        yield client


def links(client: requests.Session, ice: FakeIce) -> dict[str, str]:
    """The buttons of the page that lead to workbooks: text to href, as written."""
    buttons = LexborHTMLParser(client.get(ice.page_url, timeout=5).text).css("a.usa-button")
    found = {button.text(): button.attributes["href"] or "" for button in buttons}
    return {text: href for text, href in found.items() if href.endswith(".xlsx")}


def test_the_page_links_the_lists_that_are_published(ice: FakeIce, client: requests.Session) -> None:
    ice.publishes(BOOK, b"PK pending", saved=SAVED)
    assert links(client, ice) == {
        "Participating Agencies": ("/doclib/about/offices/ero/287g/participatingAgencies03022026am.xlsx"),
        "Pending Agencies": "/doclib/about/offices/ero/287g/pendingAgencies03022026am.xlsx",
    }


def test_an_unlinked_list_is_neither_on_the_page_nor_served(ice: FakeIce, client: requests.Session) -> None:
    ice.publishes(BOOK, BOOK)
    url = ice.workbook_url("pending")
    ice.unlinks("pending")
    assert list(links(client, ice)) == ["Participating Agencies"]
    assert client.get(url, timeout=5).status_code == 404


def test_a_second_publication_replaces_one_list_and_leaves_the_other(ice: FakeIce, client: requests.Session) -> None:
    ice.publishes(BOOK, b"PK pending")
    pending = ice.workbook_url("pending")
    ice.publishes(participating=b"PK newer")
    assert client.get(ice.workbook_url("participating"), timeout=5).content == b"PK newer"
    assert ice.workbook_url("pending") == pending


def test_a_name_can_be_used_again_for_other_content(ice: FakeIce, client: requests.Session) -> None:
    ice.publishes(BOOK, name="participatingAgencies07032025pm.xlsx")
    before = ice.workbook_url("participating")
    ice.publishes(b"PK other", name="participatingAgencies07032025pm.xlsx")
    assert ice.workbook_url("participating") == before
    assert client.get(before, timeout=5).content == b"PK other"


@pytest.mark.parametrize(
    ("style", "start"),
    [("absolute", "http://127.0.0.1:"), ("root", "/doclib/"), ("protocol", "//127.0.0.1:")],
)
def test_every_style_of_link_leads_to_the_workbook(
    ice: FakeIce, client: requests.Session, style: HrefStyle, start: str
) -> None:
    ice.publishes(BOOK, name="participating Agencies & more.xlsx")
    ice.links_as(style)
    href = links(client, ice)["Participating Agencies"]
    assert href.startswith(start)
    assert client.get(urljoin(ice.page_url, href), timeout=5).content == BOOK


def test_a_link_can_read_otherwise(ice: FakeIce, client: requests.Session) -> None:
    ice.publishes(BOOK)
    ice.link_text("participating", "view 287(g)")
    assert list(links(client, ice)) == ["view 287(g)"]


def test_a_workbook_that_is_known_is_not_sent_again(ice: FakeIce, client: requests.Session) -> None:
    ice.publishes(BOOK, saved=SAVED)
    url = ice.workbook_url("participating")
    first = client.get(url, timeout=5)
    assert first.headers["Last-Modified"] == "Mon, 02 Mar 2026 14:00:00 GMT"
    since = {"If-Modified-Since": first.headers["Last-Modified"]}
    assert client.get(url, headers=since, timeout=5).status_code == 304
    ice.publishes(b"PK newer", name=url.rpartition("/")[2])
    assert client.get(url, headers=since, timeout=5).content == b"PK newer"


def test_a_matching_etag_is_ignored(ice: FakeIce, client: requests.Session) -> None:
    ice.publishes(BOOK)
    url = ice.workbook_url("participating")
    etag = client.get(url, timeout=5).headers["ETag"]
    assert client.get(url, headers={"If-None-Match": etag}, timeout=5).status_code == 200


def test_it_records_what_was_asked(ice: FakeIce, client: requests.Session) -> None:
    client.get(ice.page_url, headers={"user-agent": "agreement-monitor (a@b.test)"}, timeout=5)
    [request] = ice.requests
    assert (request.method, request.path) == ("GET", "/identify-and-arrest/287g")
    assert request.headers["User-Agent"] == "agreement-monitor (a@b.test)"


@pytest.mark.parametrize("status", [403, 404, 429, 500])
def test_the_page_answers_with_an_error_until_it_recovers(ice: FakeIce, client: requests.Session, status: int) -> None:
    ice.answers(status)
    assert [client.get(ice.page_url, timeout=5).status_code for _ in range(2)] == [status] * 2
    ice.recovers()
    assert client.get(ice.page_url, timeout=5).status_code == 200


def test_403_is_an_access_denied_page(ice: FakeIce, client: requests.Session) -> None:
    ice.answers(403)
    refused = client.get(ice.page_url, timeout=5)
    assert "Access Denied" in refused.text
    assert refused.headers["Content-Type"].startswith("text/html")


def test_a_linked_workbook_is_missing_once(ice: FakeIce, client: requests.Session) -> None:
    ice.publishes(BOOK)
    ice.answers(404, times=1, on="workbook")
    url = ice.workbook_url("participating")
    assert client.get(ice.page_url, timeout=5).status_code == 200
    assert [client.get(url, timeout=5).status_code for _ in range(2)] == [404, 200]


def test_an_answer_can_carry_headers(ice: FakeIce, client: requests.Session) -> None:
    ice.answers(429, headers={"Retry-After": "7"})
    assert client.get(ice.page_url, timeout=5).headers["Retry-After"] == "7"


def test_html_arrives_as_200_under_the_address_of_the_workbook(ice: FakeIce, client: requests.Session) -> None:
    ice.publishes(BOOK)
    ice.serves_html_as_xlsx()
    answer = client.get(ice.workbook_url("participating"), timeout=5)
    assert answer.status_code == 200
    assert "Access Denied" in answer.text


def test_a_truncated_workbook_looks_whole_to_http(ice: FakeIce, client: requests.Session) -> None:
    ice.publishes(BOOK)
    ice.serves_truncated()
    answer = client.get(ice.workbook_url("participating"), timeout=5)
    assert answer.status_code == 200
    assert answer.content == BOOK[: len(BOOK) // 2]


def test_a_transfer_that_breaks_off_is_noticed(ice: FakeIce, client: requests.Session) -> None:
    ice.publishes(BOOK)
    ice.breaks_off(times=1)
    url = ice.workbook_url("participating")
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        client.get(url, timeout=5)
    assert client.get(url, timeout=5).content == BOOK


def test_an_endless_body_goes_on_until_the_client_hangs_up(ice: FakeIce) -> None:
    ice.publishes(BOOK)
    ice.sends_forever()
    with requests.get(ice.workbook_url("participating"), stream=True, timeout=5) as answer:
        pieces = answer.iter_content(1 << 20)
        assert next(pieces).startswith(BOOK)
        assert sum(len(next(pieces)) for _ in range(4)) == 4 << 20
    ice.recovers()
    assert requests.get(ice.workbook_url("participating"), timeout=5).content == BOOK


def test_an_endless_body_ends_with_the_server() -> None:
    with FakeIce() as ice:
        ice.publishes(BOOK)
        ice.sends_forever()
        answer = requests.get(ice.workbook_url("participating"), stream=True, timeout=5)
    answer.close()


def test_a_hanging_server_runs_into_the_clients_time_limit(ice: FakeIce, client: requests.Session) -> None:
    ice.hangs(3600)  # the fixture's end does not wait for it
    with pytest.raises(requests.exceptions.ReadTimeout):
        client.get(ice.page_url, timeout=(5, 0.05))


def test_it_is_gone_after_its_block() -> None:
    with FakeIce() as ice:
        url = ice.page_url
        assert requests.get(url, timeout=5).status_code == 200
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(url, timeout=5)
