"""Lists that no link names: told apart by their columns. And lists that stand on the page, or in two workbooks."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from demo.loopback import LoopbackSite, Reply, Request
from monitor.errors import SourceError
from monitor.model import Fetched, ListName, NotLinked, NotModified, Validators
from monitor.sources.ice import IceSite, page_links
from monitor.workbooks.sandbox import Reader
from tests.monitor import hostile
from tests.monitor.hostile import HEADER, PENDING_HEADER, listed
from tests.monitor.workbooks.lists import QUILLMARSH, TIDEWRACK, many, names_of

PARTICIPATING, PENDING = ListName.PARTICIPATING, ListName.PENDING
NOW = datetime(2026, 3, 2, 17, tzinfo=UTC)
PAGE = "https://www.ice.gov/identify-and-arrest/287g"
FILES = "/file-download/download/public"
SIGNED = hostile.saved(listed(*many(4)))
APPLIED = hostile.saved(listed(*(row[:5] for row in many(2, first=10)), header=PENDING_HEADER))


class Site(LoopbackSite):
    """A page of links, and what lies at their addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.page = b""
        self.files: dict[str, Reply] = {}

    def reply(self, request: Request) -> Reply:
        if request.path == "/page":
            return Reply(200, self.page, {"Content-Type": "text/html"})
        there = self.files.get(request.path, Reply(404))
        if there.headers.get("Last-Modified") and request.headers.get("If-Modified-Since"):
            return Reply(304)
        return there

    def links(self, *hrefs: str, text: str = "View 287(g)") -> None:
        self.page = "".join(f'<a class="usa-button" href="{href}">{text}</a>' for href in hrefs).encode()

    def asked(self, path: str) -> int:
        return sum(request.path == path for request in self.requests)


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as running:
        yield running


def looking(site: Site, reader: Reader | None) -> IceSite:
    """A new run's view of the site."""
    return IceSite(
        f"http://{site.netloc}/page",
        user_agent="agreement-monitor/1.0 (desk@newsroom.example)",
        timeout=(5, 30),
        max_bytes=1_000_000,
        retries=0,
        reader=reader,
    )


def names(source: IceSite, reader: Reader, list_: ListName) -> list[str]:
    """The agencies of a list that the source gives."""
    seen = source.fetch(list_, Validators())
    assert isinstance(seen, Fetched)
    columns_of, publication = reader.read(seen, NOW, asked=list_)
    assert columns_of is list_
    return names_of(publication)


# --- what names a list ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "html",
    [
        '<a href="/x.xlsx"><img src="b.png" alt="Participating Agencies"></a>',
        '<a href="/x.xlsx" title="Participating Agencies">View 287(g)</a>',
        '<a href="/x.xlsx" aria-label="Download the list of participating agencies">Download</a>',
        '<a href="/x.xlsx"><span>View</span> <span>participating</span></a>',
    ],
)
def test_what_stands_for_the_words_of_a_link_names_its_list(html: str) -> None:
    assert page_links(html, PAGE).named == {PARTICIPATING: ("https://www.ice.gov/x.xlsx",)}


@pytest.mark.parametrize(
    "name",
    [
        "ParticipatingAgency091826am.xlsx",
        "287gParticipatingAgencies091526pm.xlsx",
        "participatingAgencies04212026am 12.15.07 AM.xlsx",
        "participatingAgencies090022025am.xlsx",
    ],
)
def test_a_file_name_names_its_list(name: str) -> None:
    assert page_links(f'<a href="/doclib/{name}">View 287(g)</a>', PAGE).named.keys() == {PARTICIPATING}


def test_the_words_go_before_what_stands_for_them() -> None:
    html = '<a href="/x.xlsx" title="Participating Agencies">Pending Agencies</a>'
    assert page_links(html, PAGE).named == {PENDING: ("https://www.ice.gov/x.xlsx",)}


# --- told apart by columns ------------------------------------------------------------------------------------


def test_links_that_name_neither_list_are_told_apart_by_columns(site: Site, reader: Reader) -> None:
    site.links(f"{FILES}/124", f"{FILES}/123", f"{FILES}/9")
    site.files = {f"{FILES}/123": Reply(200, SIGNED), f"{FILES}/124": Reply(200, APPLIED), f"{FILES}/9": Reply(404)}
    run = looking(site, reader)
    assert names(run, reader, PARTICIPATING) == [row[1] for row in many(4)]
    assert names(run, reader, PENDING) == [row[1] for row in many(2, first=10)]
    assert {path: site.asked(path) for path in site.files} == dict.fromkeys(site.files, 1)


def test_of_a_file_that_is_no_workbook_only_the_beginning_is_taken(site: Site, reader: Reader) -> None:
    site.links(f"{FILES}/1", f"{FILES}/2")
    site.files = {f"{FILES}/1": Reply(200, b"%PDF-1.7" + bytes(5_000_000)), f"{FILES}/2": Reply(200, SIGNED)}
    assert len(names(looking(site, reader), reader, PARTICIPATING)) == 4


def test_a_list_that_was_found_so_is_asked_for_only_if_it_was_modified(site: Site, reader: Reader) -> None:
    site.links(f"{FILES}/123")
    site.files = {f"{FILES}/123": Reply(200, SIGNED, {"Last-Modified": "Mon, 02 Mar 2026 14:00:00 GMT"})}
    seen = looking(site, reader).fetch(PARTICIPATING, Validators())
    assert isinstance(seen, Fetched)
    since = Validators(seen.url, seen.last_modified, seen.etag, seen.sha256)
    assert looking(site, reader).fetch(PARTICIPATING, since) == NotModified(seen.url)


def test_a_workbook_with_neither_list_is_not_one(site: Site, reader: Reader) -> None:
    site.page = f'<a href="/participating.xlsx">x</a><a href="{FILES}/5">Totals</a>'.encode()
    site.files = {f"{FILES}/5": Reply(200, hostile.saved(listed(("a", 1), header=("Name", "Count"))))}
    assert isinstance(looking(site, reader).fetch(PENDING, Validators()), NotLinked)


def test_a_page_whose_links_lead_to_neither_list_is_an_error(site: Site, reader: Reader) -> None:
    site.links(f"{FILES}/5")
    for list_ in ListName:
        with pytest.raises(SourceError, match="the page links neither list"):
            looking(site, reader).fetch(list_, Validators())


def test_a_link_that_names_a_list_goes_before_one_that_does_not(site: Site, reader: Reader) -> None:
    site.page = f'<a href="{FILES}/1">View</a><a href="/x.xlsx">Participating Agencies</a>'.encode()
    site.files = {f"{FILES}/1": Reply(200, SIGNED), "/x.xlsx": Reply(200, APPLIED)}
    seen = looking(site, reader).fetch(PARTICIPATING, Validators())
    assert isinstance(seen, Fetched)
    assert seen.content == APPLIED


# --- other formats --------------------------------------------------------------------------------------------


def rows_of_html(*rows: tuple[str, ...]) -> str:
    cells = ("".join(f"<td>{text}</td>" for text in row) for row in (HEADER[:7], *rows))
    return "".join(f"<tr>{row}</tr>" for row in cells)


def test_a_list_that_stands_on_the_page_itself_is_read(site: Site, reader: Reader) -> None:
    """Until February 2025 there was no workbook."""
    linked = (*QUILLMARSH[:6], '<a href="/doc.pdf">link</a>')
    site.page = f"<p>{{}}</p><table>{rows_of_html(linked, TIDEWRACK)}</table>".encode()
    run = looking(site, reader)
    seen = run.fetch(PARTICIPATING, Validators())
    assert isinstance(seen, Fetched)
    _, publication = reader.read(seen, NOW)
    assert [row.cells.moa_address for row in publication.listings] == [f"http://{site.netloc}/doc.pdf", ""]
    assert isinstance(run.fetch(PENDING, Validators()), NotLinked)


def test_what_changes_around_a_table_does_not_change_the_list(site: Site, reader: Reader) -> None:
    hashes = set()
    for minute in ("10:01", "10:02"):
        site.page = f"<p>{minute}</p><table>{rows_of_html(QUILLMARSH)}</table>".encode()
        seen = looking(site, reader).fetch(PARTICIPATING, Validators())
        assert isinstance(seen, Fetched)
        hashes.add(seen.sha256)
    assert len(hashes) == 1


def test_a_page_that_is_served_as_a_workbook_is_one_if_it_holds_the_list(site: Site, reader: Reader) -> None:
    site.links("/list.xls", text="Participating Agencies")
    site.files = {"/list.xls": Reply(200, f"<table>{rows_of_html(QUILLMARSH)}</table>".encode())}
    assert names(looking(site, reader), reader, PARTICIPATING) == [QUILLMARSH[1]]
    site.files = {"/list.xls": Reply(200, b"<table><tr><td>Access Denied</td></tr></table>")}
    with pytest.raises(SourceError, match="where a workbook should be"):
        looking(site, reader).fetch(PARTICIPATING, Validators())


def test_a_text_of_separated_values_is_a_list(site: Site, reader: Reader) -> None:
    site.links("/list.csv", text="Participating Agencies")
    site.files = {"/list.csv": Reply(200, "\n".join(map(",".join, (HEADER[:7], QUILLMARSH))).encode())}
    assert names(looking(site, reader), reader, PARTICIPATING) == [QUILLMARSH[1]]


# --- two workbooks --------------------------------------------------------------------------------------------


def test_a_list_in_two_workbooks_is_one_list(site: Site, reader: Reader) -> None:
    site.links("/a.xlsx", "/b.xlsx", text="Participating Agencies")
    site.files = {
        "/a.xlsx": Reply(200, SIGNED),
        "/b.xlsx": Reply(200, hostile.saved(listed(*many(4, first=4)))),
    }
    assert names(looking(site, reader), reader, PARTICIPATING) == [row[1] for row in many(8)]
    again = [looking(site, reader).fetch(PARTICIPATING, Validators()) for _ in range(2)]
    assert again[0] == again[1]


@pytest.mark.parametrize(
    "other",
    [
        Reply(200, hostile.saved(listed(*many(3)))),  # an older list
        Reply(200, APPLIED),
        Reply(200, b"%PDF-1.7"),
        Reply(404),
    ],
)
def test_a_second_link_that_is_no_part_of_the_list_changes_nothing(site: Site, reader: Reader, other: Reply) -> None:
    site.links("/a.xlsx", "/b.xlsx", text="Participating Agencies")
    site.files = {"/a.xlsx": Reply(200, SIGNED), "/b.xlsx": other}
    assert names(looking(site, reader), reader, PARTICIPATING) == [row[1] for row in many(4)]


def test_half_a_list_that_cannot_be_had_is_an_error(site: Site, reader: Reader) -> None:
    site.links("/a.xlsx", "/b.xlsx", text="Participating Agencies")
    site.files = {"/b.xlsx": Reply(200, SIGNED)}
    with pytest.raises(SourceError, match="answered 404"):
        looking(site, reader).fetch(PARTICIPATING, Validators())
