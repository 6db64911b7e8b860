"""ICE over HTTP: its page, the workbooks that it links, and whether they changed. A folder of past ones: `folder`."""

from __future__ import annotations

import hashlib
import re
import time
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import unquote, urljoin, urlsplit

from monitor.errors import SourceError
from monitor.model import Fetched, ListName, NotLinked, NotModified, Validators

if TYPE_CHECKING:
    import requests

_CHUNK = 1 << 16
_MAX_PAGE = 5_000_000  # bytes; the real page has 0.1 MB
# What a workbook begins with: a zip file, or the older container of .xls and of encrypted workbooks.
_MAGIC = (b"PK", b"\xd0\xcf\x11\xe0")


class IceSite:
    """ICE's page and the workbooks that it links. One object a run: the page is read once for both lists.

    `timeout` is (connect, read) in seconds; `max_bytes` caps a workbook. `retries` counts repeats of a request that
    failed on the way or was answered 429 or 5xx. Nothing is disguised: `user_agent` names the project and a contact.
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
        self._page, self._user_agent = page, user_agent
        self._timeout, self._max_bytes, self._retries = timeout, max_bytes, retries

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
        response, content = self._get(url, headers, self._max_bytes)
        if response.status_code == 304:
            return NotModified(url)
        if not content.startswith(_MAGIC):
            kind = response.headers.get("Content-Type", "no type").partition(";")[0] if content else "an empty body"
            raise SourceError(url, f"answered with {kind} where a workbook should be; it is asked again next time")
        return Fetched(
            url=url,
            file=_file_name(response),
            content=content,
            sha256=hashlib.sha256(content).hexdigest(),
            last_modified=response.headers.get("Last-Modified", ""),
            etag=response.headers.get("ETag", ""),
        )

    @cached_property
    def _links(self) -> dict[ListName, str]:
        response, content = self._get(self._page, {}, _MAX_PAGE)
        links = find_links(content.decode("utf-8", "replace"), response.url)
        if not links:
            raise SourceError(
                self._page, "the page links neither list; look whether it was rebuilt or is an error page"
            )
        return links

    @cached_property
    def _session(self) -> requests.Session:
        import requests
        from requests.adapters import HTTPAdapter
        from urllib3 import Retry

        session = requests.Session()
        session.headers["User-Agent"] = self._user_agent
        retry = Retry(
            total=self._retries,
            backoff_factor=0.5,
            backoff_jitter=0.5,
            status_forcelist=(429, 500, 502, 503, 504),
            allowed_methods=("GET",),
            raise_on_status=False,
            # The schedule comes round again; nobody is served by waiting for longer here.
            respect_retry_after_header=False,
        )
        for scheme in ("https://", "http://"):
            session.mount(scheme, HTTPAdapter(max_retries=retry))
        return session

    def _get(self, url: str, headers: dict[str, str], max_bytes: int) -> tuple[requests.Response, bytes]:
        """A 200 with its body, or a 304; anything else is a SourceError."""
        import requests
        import urllib3

        deadline = time.monotonic() + 10 * self._timeout[1]
        try:
            with self._session.get(url, headers=headers, timeout=self._timeout, stream=True) as response:
                if response.status_code == 304 and headers:
                    return response, b""
                if response.status_code != 200:
                    raise _refused(url, response.status_code)
                content = bytearray()
                for chunk in response.iter_content(_CHUNK):
                    content += chunk
                    if len(content) > max_bytes:
                        raise SourceError(
                            url, f"sends more than {max_bytes:,} bytes, which no real list has; gave up", permanent=True
                        )
                    if time.monotonic() > deadline:
                        raise SourceError(url, "sends so slowly that it would never end; it is asked again next time")
                return response, bytes(content)
        except (requests.RequestException, urllib3.exceptions.HTTPError) as exc:
            # The latter too: an address whose host has an overlong label comes through requests as urllib3 raised it.
            raise SourceError(url, f"could not be fetched ({_cause(exc)}); it is asked again next time") from exc


def _refused(url: str, status: int) -> SourceError:
    if status == 404:
        what = "answered 404; ICE links workbooks before they can be had, it is asked again next time"
    elif status in (401, 403):
        what = f"answered {status}: this network or this User-Agent is refused; see settings, section source"
    else:
        what = f"answered {status}; it is asked again next time"
    return SourceError(url, what, permanent=status in (401, 403, 410), status=status)


def _cause(exc: BaseException) -> str:
    """The innermost cause, which says more than the library's wrapping."""
    while exc.__cause__ or exc.__context__:
        exc = exc.__cause__ or exc.__context__  # type: ignore[assignment]
    return f"{type(exc).__name__}: {exc}"


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
        if not _may_be_workbook(url):
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


def _may_be_workbook(url: str) -> bool:
    parts = urlsplit(url)
    path = parts.path.casefold()
    return parts.scheme in ("http", "https") and (path.endswith((".xlsx", ".xls")) or "/file-download/" in path)


def _file_name(response: requests.Response) -> str:
    """The name that the server gives the file, else the last part of its address."""
    named = re.search(r'filename="?([^";]+)', response.headers.get("Content-Disposition", ""))
    name = named[1] if named else unquote(urlsplit(response.url).path)
    return name.replace("\\", "/").rpartition("/")[2].strip() or "workbook.xlsx"
