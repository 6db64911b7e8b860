"""ICE over HTTP: which links are taken, what is asked, and what each answer means."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from demo.ice import FakeIce, HrefStyle
from demo.loopback import LoopbackSite, Reply, Request
from monitor.errors import SourceError
from monitor.model import Fetched, ListName, NotLinked, NotModified, Validators
from monitor.sources.ice import IceSite, find_links

PARTICIPATING, PENDING = ListName.PARTICIPATING, ListName.PENDING
BOOK = b"PK\x03\x04 a workbook, as far as a server is concerned"
SAVED = datetime(2026, 3, 2, 14, tzinfo=UTC)
PAGE = "https://www.ice.gov/identify-and-arrest/287g"
LISTS = "https://www.ice.gov/doclib/about/offices/ero/287g"


class Pages(LoopbackSite):
    """A site with these answers, by path; 404 elsewhere."""

    def __init__(self, **answers: Reply) -> None:
        super().__init__()
        self.answers = {f"/{name}": reply for name, reply in answers.items()}

    def reply(self, request: Request) -> Reply:
        return self.answers.get(request.path, Reply(404))

    @property
    def page_url(self) -> str:
        return f"http://{self.netloc}/page"


def linking(href: str) -> Reply:
    """A page that links one participating list."""
    return Reply(200, f'<a class="usa-button" href="{href}">Participating Agencies</a>'.encode())


def client(site: FakeIce | Pages, *, read_timeout: float = 30, max_bytes: int = 1_000_000, retries: int = 0) -> IceSite:
    """A new run's view of a site."""
    return IceSite(
        site.page_url,
        user_agent="agreement-monitor/1.0 (desk@newsroom.example)",
        timeout=(5, read_timeout),
        max_bytes=max_bytes,
        retries=retries,
    )


def fetched(site: FakeIce | Pages, list_: ListName = PARTICIPATING) -> Fetched:
    seen = client(site).fetch(list_, Validators())
    assert isinstance(seen, Fetched)
    return seen


def refusal(source: IceSite, list_: ListName = PARTICIPATING) -> SourceError:
    with pytest.raises(SourceError) as caught:
        source.fetch(list_, Validators())
    return caught.value


@pytest.fixture
def ice() -> Iterator[FakeIce]:
    with FakeIce() as site:
        yield site


# --- which links belong to which list -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("html", "found"),
    [
        (
            '<a href="/doclib/about/offices/ero/287g/participatingAgencies08112025pm.xlsx">Participating Agencies</a>',
            {PARTICIPATING: f"{LISTS}/participatingAgencies08112025pm.xlsx"},
        ),
        (
            f'<a href="{LISTS}/a.xlsx">Participating Agencies</a><a href="{LISTS}/b.xlsx">Pending Agencies</a>',
            {PARTICIPATING: f"{LISTS}/a.xlsx", PENDING: f"{LISTS}/b.xlsx"},
        ),
        (
            '<a href="//www.ice.gov/doclib/about/offices/ero/287g/a.xlsx">Participating Agencies</a>',
            {PARTICIPATING: f"{LISTS}/a.xlsx"},
        ),
        (
            '<a href="/file-download/download/public/83281">Participating Agencies</a>',
            {PARTICIPATING: "https://www.ice.gov/file-download/download/public/83281"},
        ),
        (
            '<a href="/x/participating1.xlsx">view 287(g)</a><a href="/x/pending1.xlsx">view 287(g)</a>',
            {
                PARTICIPATING: "https://www.ice.gov/x/participating1.xlsx",
                PENDING: "https://www.ice.gov/x/pending1.xlsx",
            },
        ),
        (
            '<a href="/x.xlsx"><span class="usa-button">PARTICIPATING\n  <b>agencies</b></span></a>',
            {PARTICIPATING: "https://www.ice.gov/x.xlsx"},
        ),
        ('<a href=" /x.XLSX ">Participating</a>', {PARTICIPATING: "https://www.ice.gov/x.XLSX"}),
        ('<a href="/x%20y.xlsx?v=2">Participating</a>', {PARTICIPATING: "https://www.ice.gov/x%20y.xlsx?v=2"}),
    ],
)
def test_a_link_belongs_to_the_list_that_it_names(html: str, found: dict[ListName, str]) -> None:
    assert find_links(html, PAGE) == found


def test_what_the_text_says_goes_before_what_the_address_says() -> None:
    html = '<a href="/participating1.xlsx">archive</a><a href="/2.xlsx">Participating Agencies</a>'
    assert find_links(html, PAGE) == {PARTICIPATING: "https://www.ice.gov/2.xlsx"}


def test_of_several_links_to_a_list_the_first_counts() -> None:
    html = '<a href="/1.xlsx">Participating</a><a href="/2.xlsx">Participating</a>'
    assert find_links(html, PAGE) == {PARTICIPATING: "https://www.ice.gov/1.xlsx"}


def test_a_file_named_after_the_other_list_is_not_both() -> None:
    """Were it, the pending list that the page does not link would be held for having the wrong columns."""
    html = '<a href="/pendingAgencies1.xlsx">Participating Agencies</a>'
    assert find_links(html, PAGE) == {PARTICIPATING: "https://www.ice.gov/pendingAgencies1.xlsx"}


@pytest.mark.parametrize(
    "href",
    [
        "/doclib/participatingMOA.pdf",
        "/participating-agencies",
        "#participating",
        "mailto:participating@ice.test",
        "javascript:alert('participating.xlsx')",
        "file:///etc/participating.xlsx",
        "ftp://www.ice.gov/participating.xlsx",
        "",
    ],
)
def test_what_cannot_be_a_workbook_is_not_taken_for_a_list(href: str) -> None:
    assert find_links(f'<a href="{href}">Participating Agencies</a><a>Participating</a>', PAGE) == {}


@pytest.mark.parametrize("href", ["http://[", "http://[::1", "//a\u2100b/x.xlsx"])
def test_a_broken_link_elsewhere_on_the_page_hides_no_list(href: str) -> None:
    html = f'<a href="{href}">Participating</a><a href="/x.xlsx">Participating</a>'
    assert find_links(html, PAGE) == {PARTICIPATING: "https://www.ice.gov/x.xlsx"}


# --- fetching -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("style", ["absolute", "root", "protocol"])
@pytest.mark.parametrize("text", ["Participating Agencies", "view 287(g)"])
def test_a_workbook_is_fetched_through_every_kind_of_link(ice: FakeIce, style: HrefStyle, text: str) -> None:
    ice.publishes(BOOK, saved=SAVED)
    ice.links_as(style)
    ice.link_text("participating", text)
    assert fetched(ice) == Fetched(
        url=ice.workbook_url("participating"),
        file="participatingAgencies03022026am.xlsx",
        content=BOOK,
        sha256=hashlib.sha256(BOOK).hexdigest(),
        last_modified="Mon, 02 Mar 2026 14:00:00 GMT",
        etag=fetched(ice).etag,
    )


def test_every_request_says_who_asks_and_how_to_reach_them(ice: FakeIce) -> None:
    ice.publishes(BOOK)
    fetched(ice)
    agents = [request.headers["User-Agent"] for request in ice.requests]
    assert agents == ["agreement-monitor/1.0 (desk@newsroom.example)"] * 2


def test_the_page_is_asked_once_a_run_for_both_lists(ice: FakeIce) -> None:
    ice.publishes(BOOK, BOOK + b" pending")
    run = client(ice)
    seen = [run.fetch(list_, Validators()) for list_ in ListName]
    assert [s.content for s in seen if isinstance(s, Fetched)] == [BOOK, BOOK + b" pending"]
    assert [r.path.rpartition("/")[2][:4] for r in ice.requests] == ["287g", "part", "pend"]


def test_a_list_that_the_page_does_not_name_is_not_linked(ice: FakeIce) -> None:
    ice.publishes(BOOK)
    assert client(ice).fetch(PENDING, Validators()) == NotLinked(ice.page_url)


@pytest.mark.parametrize("body", [b"", b"<html></html>", b"\x00\xff\xfe", b"<a href='/about'>Participating</a>"])
def test_a_page_that_names_neither_list_is_an_error_not_news(ice: FakeIce, body: bytes) -> None:
    ice.answers(200, body)
    assert str(refusal(client(ice))) == (
        f"{ice.page_url}: the page links neither list; look whether it was rebuilt or is an error page"
    )


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('attachment; filename="participating.xlsx"', "participating.xlsx"),
        ("attachment; filename=list.xlsx; size=3", "list.xlsx"),
        ('attachment; filename="../../etc/cron.d/list.xlsx"', "list.xlsx"),
        ('attachment; filename="C:\\temp\\list.xlsx"', "list.xlsx"),
        ("attachment", "83281"),
    ],
)
def test_the_file_has_the_name_that_the_server_gives_it_without_a_path(disposition: str, name: str) -> None:
    book = Reply(200, BOOK, {"Content-Disposition": disposition})
    with Pages(page=linking("/file-download/83281")) as site:
        site.answers["/file-download/83281"] = book
        assert fetched(site).file == name


def test_a_redirect_is_followed_and_the_list_keeps_the_address_that_the_page_links() -> None:
    with Pages(page=linking("/list.xlsx")) as site:
        site.answers["/list.xlsx"] = Reply(302, headers={"Location": "/files/march%20list.xlsx"})
        site.answers["/files/march%20list.xlsx"] = Reply(200, BOOK)
        seen = fetched(site)
        assert (seen.url, seen.file) == (f"http://{site.netloc}/list.xlsx", "march list.xlsx")


# --- what was seen before -------------------------------------------------------------------------------------


def test_a_workbook_that_was_seen_is_asked_for_only_if_it_was_modified(ice: FakeIce) -> None:
    ice.publishes(BOOK, saved=SAVED)
    seen = fetched(ice)
    since = Validators(seen.url, seen.last_modified, seen.etag, seen.sha256)
    assert client(ice).fetch(PARTICIPATING, since) == NotModified(seen.url)
    asked = ice.requests[-1].headers
    assert asked["If-Modified-Since"] == "Mon, 02 Mar 2026 14:00:00 GMT"
    assert asked["If-None-Match"] == seen.etag


def test_a_workbook_at_another_address_is_asked_for_unconditionally(ice: FakeIce) -> None:
    ice.publishes(BOOK, saved=SAVED)
    since = Validators(f"{ice.workbook_url('participating')}.old", "Mon, 02 Mar 2026 14:00:00 GMT", '"tag"', "")
    assert isinstance(client(ice).fetch(PARTICIPATING, since), Fetched)
    assert not {"If-Modified-Since", "If-None-Match"} & set(ice.requests[-1].headers)


def test_not_modified_where_nothing_was_said_of_a_version_is_an_error() -> None:
    with Pages(page=linking("/list.xlsx")) as site:
        site.answers["/list.xlsx"] = Reply(304)
        assert "answered 304" in str(refusal(client(site)))


# --- what goes wrong ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "what", "permanent"),
    [
        (403, "answered 403: this network or this User-Agent is refused; see settings, section source", True),
        (401, "answered 401: this network or this User-Agent is refused; see settings, section source", True),
        (404, "answered 404; ICE links workbooks before they can be had, it is asked again next time", False),
        (410, "answered 410; it is asked again next time", True),
        (429, "answered 429; it is asked again next time", False),
        (500, "answered 500; it is asked again next time", False),
        (503, "answered 503; it is asked again next time", False),
        (204, "answered 204; it is asked again next time", False),
    ],
)
def test_an_error_of_the_server_says_what_it_means(ice: FakeIce, status: int, what: str, permanent: bool) -> None:
    ice.publishes(BOOK)
    ice.answers(status, b"" if status == 204 else None, on="workbook")
    refused = refusal(client(ice))
    assert str(refused) == f"{ice.workbook_url('participating')}: {what}"
    assert (refused.status, refused.permanent) == (status, permanent)


def test_an_error_of_the_page_names_the_page(ice: FakeIce) -> None:
    ice.answers(500)
    assert str(refusal(client(ice), PENDING)) == f"{ice.page_url}: answered 500; it is asked again next time"


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"<html>Access Denied</html>", "answered with text/html where a workbook should be"),
        (b"", "answered with an empty body where a workbook should be"),
        (b" PK", "answered with text/html where a workbook should be"),
    ],
)
def test_a_page_under_the_address_of_a_workbook_is_no_workbook(ice: FakeIce, body: bytes, what: str) -> None:
    ice.publishes(BOOK)
    ice.answers(200, body, on="workbook")
    assert str(refusal(client(ice))) == (f"{ice.workbook_url('participating')}: {what}; it is asked again next time")


def test_a_transfer_that_breaks_off_is_no_workbook(ice: FakeIce) -> None:
    ice.publishes(BOOK)
    ice.breaks_off()
    assert "could not be fetched (IncompleteRead" in str(refusal(client(ice)))


def test_a_body_without_end_is_given_up(ice: FakeIce) -> None:
    ice.publishes(BOOK)
    ice.sends_forever()
    refused = refusal(client(ice, max_bytes=100_000))
    assert str(refused).endswith("sends more than 100,000 bytes, which no real list has; gave up")
    assert refused.permanent


def test_a_body_that_unpacks_to_too_much_is_given_up() -> None:
    bomb = gzip.compress(bytes(50 << 20), compresslevel=1)
    with Pages(page=linking("/list.xlsx")) as site:
        site.answers["/list.xlsx"] = Reply(200, bomb, {"Content-Encoding": "gzip"})
        assert "sends more than 1,000,000 bytes" in str(refusal(client(site)))


def test_a_body_that_is_packed_otherwise_than_it_says_is_an_error() -> None:
    with Pages(page=linking("/list.xlsx")) as site:
        site.answers["/list.xlsx"] = Reply(200, BOOK, {"Content-Encoding": "gzip"})
        assert "could not be fetched" in str(refusal(client(site)))


def test_a_server_that_does_not_answer_is_waited_for_no_longer_than_set(ice: FakeIce) -> None:
    ice.hangs(3600)  # the fixture's end does not wait for it
    refused = str(refusal(client(ice, read_timeout=0.05)))
    assert refused == f"{ice.page_url}: could not be fetched (TimeoutError: timed out); it is asked again next time"


def test_a_server_that_is_not_there_is_named() -> None:
    with FakeIce() as gone:
        source = client(gone)
        page = gone.page_url
    assert str(refusal(source)) == (
        f"{page}: could not be fetched (ConnectionRefusedError: [Errno 111] Connection refused);"
        " it is asked again next time"
    )


@pytest.mark.parametrize(
    "href",
    ["http://a..b/x.xlsx", "http://h:99999/x.xlsx", f"http://{'a' * 70}.test/x.xlsx", "//*/x.xlsx"],
)
def test_a_link_to_an_address_that_is_none_is_an_error(href: str) -> None:
    with Pages(page=linking(href)) as site:
        assert "could not be fetched" in str(refusal(client(site)))


def test_a_ring_of_redirects_is_an_error() -> None:
    with Pages(page=linking("/list.xlsx")) as site:
        site.answers["/list.xlsx"] = Reply(302, headers={"Location": "/list.xlsx"})
        assert "could not be fetched (TooManyRedirects" in str(refusal(client(site)))


def test_a_redirect_away_from_http_is_an_error() -> None:
    with Pages(page=linking("/list.xlsx")) as site:
        site.answers["/list.xlsx"] = Reply(302, headers={"Location": "file:///etc/passwd"})
        assert "could not be fetched (InvalidSchema" in str(refusal(client(site)))


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_may_pass_is_tried_again_at_once(ice: FakeIce, status: int) -> None:
    ice.publishes(BOOK)
    ice.answers(status, times=1, on="workbook", headers={"Retry-After": "3600"})
    assert isinstance(client(ice, retries=1).fetch(PARTICIPATING, Validators()), Fetched)


@pytest.mark.parametrize("status", [403, 404])
def test_what_will_not_pass_is_not_tried_again_at_once(ice: FakeIce, status: int) -> None:
    ice.publishes(BOOK)
    ice.answers(status, on="workbook")
    refusal(client(ice, retries=1))
    assert len(ice.requests) == 2  # the page, and the workbook once
