"""Fetches ICE's page and the workbooks that it links, and sees whether they changed."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from functools import cached_property
from html import escape
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import unquote, urljoin, urlsplit

from monitor.errors import SourceError
from monitor.model import Fetched, ListName, NotLinked, NotModified, Validators
from monitor.sources.http import Answer, Client
from monitor.workbooks.bundle import pack
from monitor.workbooks.sandbox import Reader
from monitor.workbooks.tables import MAX_TABLES

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser

MAX_PAGE = 5_000_000  # bytes; the real page has 0.1 MB
# What a workbook begins with: a zip file, or the older container of .xls and of encrypted workbooks.
_MAGIC = (b"PK", b"\xd0\xcf\x11\xe0")
_ENDINGS = (".xlsx", ".xls", ".xlsm", ".ods", ".csv")
_MOST_CANDIDATES = 8  # links that name neither list and are looked into
_AGAIN = "it is asked again next time"


@dataclass(frozen=True, slots=True)
class PageLinks:
    """The addresses on a page where a list may be: those of each list that a link names, and those that name neither.

    `tables`: the page's own tables, as a page of their own; "" without any.
    """

    named: dict[ListName, tuple[str, ...]]
    unnamed: tuple[str, ...]
    tables: str = ""


class IceSite:
    """ICE's page and the workbooks that it links. One object a run: the page is read once for both lists.

    `timeout` is (connect, read) in seconds; `max_bytes` caps a workbook. `retries` counts repeats of a request that
    failed on the way or was answered 429 or 5xx. `user_agent` names the project and a contact. With a `reader`, links
    that name neither list, tables on the page and files without the marks of a workbook are known by their columns.
    """

    def __init__(
        self,
        page: str,
        *,
        user_agent: str,
        timeout: tuple[float, float],
        max_bytes: int,
        retries: int,
        reader: Reader | None = None,
    ) -> None:
        self._page, self._max_bytes, self._reader = page, max_bytes, reader
        # The schedule comes round again: nobody is served by waiting for as long as a Retry-After says.
        self._client = Client(user_agent=user_agent, timeout=timeout, retries=retries, again=_AGAIN)
        self._looked_into: dict[str, Fetched | None] = {}  # by address: candidates, None for what is no workbook

    def fetch(self, list_: ListName, since: Validators) -> Fetched | NotModified | NotLinked:
        """The workbook that the page links for a list, unless it is the one that `since` describes.

        Raises SourceError for whatever is not a workbook: an error status, an HTML page served as 200, too many bytes.
        """
        urls = self._links.named.get(list_)
        if urls is None:
            return self._among_unnamed(list_, since) or NotLinked(self._page)
        if len(urls) == 1:
            return self._workbook(urls[0], since)
        # A list in two workbooks, or an older one linked beside it: which, is decided by what they share when read.
        others = [book for url in urls[1:] if (book := self._if_workbook(url)) and list_ in self._lists_in(book)]
        first = self._workbook(urls[0], Validators() if others else since)
        return _together([first, *others]) if isinstance(first, Fetched) else first

    def _workbook(self, url: str, since: Validators) -> Fetched | NotModified:
        answer = self._get(url, _conditions(url, since), self._max_bytes)
        if answer.status == HTTPStatus.NOT_MODIFIED:
            return NotModified(url)
        fetched = _fetched(url, answer)
        kind = answer.headers.get("Content-Type", "no type").partition(";")[0] if answer.content else "an empty body"
        if not (is_workbook(answer.content) or _is_csv(url, kind, answer.content) or self._lists_in(fetched)):
            raise SourceError(url, f"answered with {kind} where a workbook should be; {_AGAIN}")
        return fetched

    def _lists_in(self, fetched: Fetched) -> frozenset[ListName]:
        return self._reader.lists_in(fetched) if self._reader and fetched.content else frozenset()

    def _among_unnamed(self, list_: ListName, since: Validators) -> Fetched | NotModified | None:
        """The list among links that name neither and the tables on the page, by its columns; None where none is it."""
        if since.url in self._links.unnamed:
            # It was the list when it was asked for last.
            known = self._workbook(since.url, since)
            if isinstance(known, NotModified):
                return known
            self._looked_into[since.url] = known
        candidates = [w for url in self._links.unnamed[:_MOST_CANDIDATES] if (w := self._if_workbook(url))]
        if self._links.tables:
            candidates.append(_as_fetched(self._page, "287g.html", self._links.tables.encode()))
        lists = [self._lists_in(candidate) for candidate in candidates]
        if not self._links.named and not any(lists):
            raise self._no_lists()
        found = [candidate for candidate, holds in zip(candidates, lists, strict=True) if list_ in holds]
        return _together(found) if found else None

    def _if_workbook(self, url: str) -> Fetched | None:
        """What lies at an address, if it is a workbook that can be had; asked for once a run."""
        if url not in self._looked_into:
            try:
                answer = self._client.get(url, max_bytes=self._max_bytes, begins=_MAGIC)
            except SourceError:
                answer = None
            good = answer is not None and answer.status == HTTPStatus.OK and is_workbook(answer.content)
            self._looked_into[url] = _fetched(url, answer) if good and answer else None
        return self._looked_into[url]

    @cached_property
    def _links(self) -> PageLinks:
        answer = self._get(self._page, {}, MAX_PAGE)
        links = page_links(answer.content.decode("utf-8", "replace"), answer.url)
        if not links.named and not (self._reader and (links.unnamed or links.tables)):
            raise self._no_lists()
        return links

    def _no_lists(self) -> SourceError:
        return SourceError(self._page, "the page links neither list; look whether it was rebuilt or is an error page")

    def _get(self, url: str, headers: dict[str, str], max_bytes: int) -> Answer:
        """A 200 with its body, or a 304; anything else is a SourceError."""
        answer = self._client.get(url, max_bytes=max_bytes, headers=headers)
        if answer.status == HTTPStatus.OK or (answer.status == HTTPStatus.NOT_MODIFIED and headers):
            return answer
        raise _refused(url, answer.status)


def _refused(url: str, status: int) -> SourceError:
    if status == 404:
        what = f"answered 404; ICE links workbooks before they can be had, {_AGAIN}"
    elif status in (401, 403):
        what = f"answered {status}: this network or this User-Agent is refused; see settings, section source"
    else:
        what = f"answered {status}; {_AGAIN}"
    return SourceError(url, what, permanent=status in (401, 403, 410), status=status)


def find_links(html: str, base: str) -> dict[ListName, str]:
    """The address of each list's workbook that a page links, the first of each."""
    return {list_: urls[0] for list_, urls in page_links(html, base).named.items()}


def page_links(html: str, base: str) -> PageLinks:
    """Where a page says that its lists are.

    A link belongs to a list that its words name ("Participating Agencies"), or what stands for them (the `alt` of an
    image, `title`, `aria-label`), else its address; the text has also been "view 287(g)", and the path
    `/file-download/download/public/<id>`.
    """
    from selectolax.lexbor import LexborHTMLParser

    by_words: dict[ListName, list[str]] = {list_: [] for list_ in ListName}
    by_address: dict[ListName, list[str]] = {list_: [] for list_ in ListName}
    unnamed: list[str] = []
    page = LexborHTMLParser(html)
    for anchor in page.css("a[href]"):
        url = _joined(base, (anchor.attributes.get("href") or "").strip())
        if not may_be_workbook(url):
            continue
        instead = [anchor.attributes.get(name) for name in ("aria-label", "title")]
        instead += [image.attributes.get("alt") for image in anchor.css("img[alt]")]
        lists, where = _lists_named(anchor.text()) or _lists_named(" ".join(filter(None, instead))), by_words
        if not lists:
            lists, where = _lists_named(url), by_address
        for list_ in lists:
            where[list_].append(url)
        if not lists:
            unnamed.append(url)
    named = {list_: tuple(dict.fromkeys(by_words[list_] or by_address[list_])) for list_ in ListName}
    taken = {url for urls in named.values() for url in urls}
    return PageLinks(
        {list_: urls for list_, urls in named.items() if urls},
        tuple(url for url in dict.fromkeys(unnamed) if url not in taken),
        _tables(page, base),
    )


def _tables(page: LexborHTMLParser, base: str) -> str:
    """The tables of a page that hold no others, without what else on it changes from one minute to the next."""
    nodes = page.css("table")
    if not 0 < len(nodes) <= MAX_TABLES:
        return ""
    tables = "".join(table.html or "" for table in nodes if len(table.css("table")) == 1)
    return f'<!DOCTYPE html><base href="{escape(base)}">{tables}'


def _lists_named(text: str) -> list[ListName]:
    return [list_ for list_ in ListName if list_ in text.casefold()]


def _joined(base: str, href: str) -> str:
    """The address that a link leads to; "" for one that is none, such as `http://[`."""
    try:
        return urljoin(base, href)
    except ValueError:
        return ""


def is_workbook(content: bytes) -> bool:
    """Whether bytes begin as a workbook does; whether they can be read is another matter."""
    return content.startswith(_MAGIC)


def may_be_workbook(url: str) -> bool:
    """Whether a workbook may lie at an address, by the looks of it."""
    parts = urlsplit(url)
    path = parts.path.casefold()
    return parts.scheme in ("http", "https") and (path.endswith(_ENDINGS) or "/file-download/" in path)


def _is_csv(url: str, kind: str, content: bytes) -> bool:
    """Whether an answer is a table as text. A server's HTML under such an address is none."""
    named = urlsplit(url).path.casefold().endswith(".csv") or kind.strip().casefold() == "text/csv"
    return named and not content.lstrip().startswith(b"<") and bool(content.strip())


def _conditions(url: str, since: Validators) -> dict[str, str]:
    """Headers that let the server answer "not modified", where `since` is of this address.

    ICE honors the date and ignores the tag; a mirror may do otherwise.
    """
    if since.url != url:
        return {}
    headers = {"If-Modified-Since": since.last_modified, "If-None-Match": since.etag}
    return {name: value for name, value in headers.items() if value}


def _fetched(url: str, answer: Answer) -> Fetched:
    return _as_fetched(
        url,
        _file_name(answer),
        answer.content,
        last_modified=answer.headers.get("Last-Modified", ""),
        etag=answer.headers.get("ETag", ""),
    )


def _as_fetched(url: str, file: str, content: bytes, *, last_modified: str = "", etag: str = "") -> Fetched:
    return Fetched(url, file, content, hashlib.sha256(content).hexdigest(), last_modified, etag)


def _together(workbooks: list[Fetched]) -> Fetched:
    """Several workbooks of one list as one, under the address of the first."""
    first = workbooks[0]
    if len(workbooks) == 1:
        return first
    return _as_fetched(first.url, first.file, pack([(book.file, book.content) for book in workbooks]))


def _file_name(answer: Answer) -> str:
    """The name that the server gives the file, else the last part of its address."""
    named = re.search(r'filename="?([^";]+)', answer.headers.get("Content-Disposition", ""))
    name = named[1] if named else unquote(urlsplit(answer.url).path)
    return name.replace("\\", "/").rpartition("/")[2].strip() or "workbook.xlsx"
