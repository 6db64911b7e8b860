"""ICE over HTTP: its page, the workbooks that it links, and whether they changed. A folder of past ones: `folder`."""

from __future__ import annotations

import hashlib
import re
from functools import cached_property
from http import HTTPStatus
from urllib.parse import unquote, urljoin, urlsplit

from monitor.errors import SourceError
from monitor.model import Fetched, ListName, NotLinked, NotModified, Validators
from monitor.sources.http import Answer, Client

MAX_PAGE = 5_000_000  # bytes; the real page has 0.1 MB
# What a workbook begins with: a zip file, or the older container of .xls and of encrypted workbooks.
_MAGIC = (b"PK", b"\xd0\xcf\x11\xe0")
_AGAIN = "it is asked again next time"


class IceSite:
    """ICE's page and the workbooks that it links. One object a run: the page is read once for both lists.

    `timeout` is (connect, read) in seconds; `max_bytes` caps a workbook. `retries` counts repeats of a request that
    failed on the way or was answered 429 or 5xx. `user_agent` names the project and a contact.
    """

    def __init__(
        self,
        page: str,
        *,
        user_agent: str,
        timeout: tuple[float, float],
        max_bytes: int,
        retries: int,
    ) -> None:
        self._page, self._max_bytes = page, max_bytes
        # The schedule comes round again: nobody is served by waiting for as long as a Retry-After says.
        self._client = Client(user_agent=user_agent, timeout=timeout, retries=retries, again=_AGAIN)

    def fetch(self, list_: ListName, since: Validators) -> Fetched | NotModified | NotLinked:
        """The workbook that the page links for a list, unless it is the one that `since` describes.

        Raises SourceError for whatever is not a workbook: an error status, an HTML page served as 200, too many bytes.
        """
        url = self._links.get(list_)
        if url is None:
            return NotLinked(self._page)
        headers = {}
        if since.url == url:
            # ICE honours the date and ignores the tag; a mirror may do otherwise.
            if since.last_modified:
                headers["If-Modified-Since"] = since.last_modified
            if since.etag:
                headers["If-None-Match"] = since.etag
        answer = self._get(url, headers, self._max_bytes)
        if answer.status == HTTPStatus.NOT_MODIFIED:
            return NotModified(url)
        content = answer.content
        if not is_workbook(content):
            kind = answer.headers.get("Content-Type", "no type").partition(";")[0] if content else "an empty body"
            raise SourceError(url, f"answered with {kind} where a workbook should be; {_AGAIN}")
        return Fetched(
            url=url,
            file=_file_name(answer),
            content=content,
            sha256=hashlib.sha256(content).hexdigest(),
            last_modified=answer.headers.get("Last-Modified", ""),
            etag=answer.headers.get("ETag", ""),
        )

    @cached_property
    def _links(self) -> dict[ListName, str]:
        answer = self._get(self._page, {}, MAX_PAGE)
        links = find_links(answer.content.decode("utf-8", "replace"), answer.url)
        if not links:
            raise SourceError(
                self._page, "the page links neither list; look whether it was rebuilt or is an error page"
            )
        return links

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
    """The address of each list's workbook that a page links, the first of each.

    A link belongs to a list that its text names ("Participating Agencies"), else one that its address names; the text
    has also been "view 287(g)", and the path `/file-download/download/public/<id>`.
    """
    from selectolax.lexbor import LexborHTMLParser

    found: dict[ListName, str] = {}
    named_by_address: dict[ListName, str] = {}
    for anchor in LexborHTMLParser(html).css("a[href]"):
        url = _joined(base, (anchor.attributes.get("href") or "").strip())
        if not may_be_workbook(url):
            continue
        by_text = [list_ for list_ in ListName if list_ in anchor.text().casefold()]
        by_address = [list_ for list_ in ListName if list_ in url.casefold()]
        for list_ in by_text:
            found.setdefault(list_, url)
        for list_ in by_address if not by_text else ():
            named_by_address.setdefault(list_, url)
    return {**named_by_address, **found}


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
    return parts.scheme in ("http", "https") and (path.endswith((".xlsx", ".xls")) or "/file-download/" in path)


def _file_name(answer: Answer) -> str:
    """The name that the server gives the file, else the last part of its address."""
    named = re.search(r'filename="?([^";]+)', answer.headers.get("Content-Disposition", ""))
    name = named[1] if named else unquote(urlsplit(answer.url).path)
    return name.replace("\\", "/").rpartition("/")[2].strip() or "workbook.xlsx"
