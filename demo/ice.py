"""ICE's site, on loopback."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from html import escape
from http import HTTPStatus
from importlib.resources import files
from string import Template
from typing import Literal, TypeAlias
from urllib.parse import quote, unquote, urlsplit

from demo.loopback import Ending, LoopbackSite, Reply, Request
from demo.script import Script
from monitor import model

__all__ = ["FakeIce", "HrefStyle", "ListName", "Request", "Target", "usual_name"]

# Which list, as a word or as `monitor` names it; the two are equal.
ListName: TypeAlias = Literal["participating", "pending"] | model.ListName
HrefStyle: TypeAlias = Literal["absolute", "root", "protocol"]
Target: TypeAlias = Literal["page", "workbook"]

_PAGE = "/identify-and-arrest/287g"
_FOLDER = "/doclib/about/offices/ero/287g/"
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_HTML = {"Content-Type": "text/html; charset=UTF-8"}
_TEMPLATES = files("demo") / "pages"
_PAGE_HTML = Template((_TEMPLATES / "287g.html").read_text(encoding="utf-8"))
_ACCESS_DENIED = (_TEMPLATES / "access_denied.html").read_bytes()
# In UTC: noon in Washington in winter. A label needs no more.
_NOON = 17
_FIRST_SAVED = datetime(2026, 3, 2, 14, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Workbook:
    name: str
    body: bytes
    saved: datetime

    @property
    def reply(self) -> Reply:
        headers = {
            "Content-Type": _XLSX,
            "Last-Modified": format_datetime(self.saved, usegmt=True),
            "ETag": f'"{int(self.saved.timestamp()):x}-{len(self.body):x}"',
        }
        return Reply(200, self.body, headers)


class FakeIce(LoopbackSite):
    """ICE's 287(g) page and the workbooks that it links, with the ways in which they go wrong.

    `ice.publishes(workbook)`, then ask `ice.page_url` as one would ask ICE; `ice.requests` says
    what was asked. Like ICE's server it honours If-Modified-Since, sends an ETag and ignores
    If-None-Match. What goes wrong goes on until `recovers()`, unless `times` says how often.
    """

    def __init__(self) -> None:
        super().__init__()
        self._linked: dict[ListName, _Workbook] = {}
        self._texts: dict[ListName, str] = {
            "participating": "Participating Agencies",
            "pending": "Pending Agencies",
        }
        self._style: HrefStyle = "root"
        self._delay = 0.0
        self._script: Script[Callable[[Reply], Reply]] = Script()

    @property
    def page_url(self) -> str:
        """The page that links the lists."""
        return f"http://{self.netloc}{_PAGE}"

    def workbook_url(self, list_name: ListName) -> str:
        """The address of the workbook that is linked as this list."""
        return f"http://{self.netloc}{_address(self._linked[list_name])}"

    def publishes(
        self,
        participating: bytes | None = None,
        pending: bytes | None = None,
        *,
        name: str | None = None,
        saved: datetime | None = None,
    ) -> None:
        """Link these bytes as the lists given; the other list stays as it is.

        `saved` (aware) becomes Last-Modified: without it, a day after the newest so far. `name`
        is the file name, for one list; without it, ICE's pattern from `saved`.
        """
        bodies: dict[ListName, bytes] = {}
        if participating is not None:
            bodies["participating"] = participating
        if pending is not None:
            bodies["pending"] = pending
        if not bodies or (name is not None and len(bodies) > 1):
            raise ValueError("publish one list or both; a name is for one")
        moment = self._next_saved() if saved is None else saved.astimezone(UTC)
        for list_name, body in bodies.items():
            file_name = name or usual_name(list_name, moment)
            self._linked[list_name] = _Workbook(file_name, body, moment)

    def unlinks(self, list_name: ListName) -> None:
        """Take the link to this list off the page, and the workbook with it."""
        self._linked.pop(list_name, None)

    def links_as(self, style: HrefStyle) -> None:
        """Write hrefs as `http://host/path`, `/path` (the start) or `//host/path`."""
        self._style = style

    def link_text(self, list_name: ListName, text: str) -> None:
        """Let the link to this list read `text`."""
        self._texts[list_name] = text

    def answers(
        self,
        status: int,
        body: bytes | None = None,
        times: int | None = None,
        on: Target = "page",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Answer the next requests for the page, or for a workbook, with this status.

        Without `body`: ICE's "Access Denied" page for 403, a line of HTML otherwise.
        """
        if body is None:
            body = _ACCESS_DENIED if status == HTTPStatus.FORBIDDEN else _line(status)
        reply = Reply(status, body, _HTML | dict(headers or {}))
        self._script.tell(on, lambda _: reply, times=times)

    def serves_html_as_xlsx(self, times: int | None = None) -> None:
        """Answer 200 with an "Access Denied" page under the workbook's address."""
        self.answers(200, _ACCESS_DENIED, times, on="workbook")

    def serves_truncated(self, times: int | None = None) -> None:
        """Serve the first half of the workbook as if it were all of it."""
        self._script.tell(
            "workbook",
            lambda reply: replace(reply, body=reply.body[: len(reply.body) // 2]),
            times=times,
        )

    def breaks_off(self, times: int | None = None) -> None:
        """Promise the whole workbook, send half of it and hang up."""
        self._script.tell("workbook", lambda reply: replace(reply, ending=Ending.BREAKS_OFF), times=times)

    def sends_forever(self, times: int | None = None) -> None:
        """Send the workbook, then zeros without end or announced length."""
        self._script.tell("workbook", lambda reply: replace(reply, ending=Ending.NEVER), times=times)

    def hangs(self, seconds: float) -> None:
        """Let every request wait so long for its answer."""
        self._delay = seconds

    def recovers(self) -> None:
        """Answer normally again; what is linked, and how, stays."""
        self._script.forget()
        self._delay = 0.0

    def reply(self, request: Request) -> Reply:
        """Decide the answer to `request`, as ICE's server would unless told otherwise."""
        return replace(self._prompt_reply(request), delay=self._delay)

    def _prompt_reply(self, request: Request) -> Reply:
        path = unquote(urlsplit(request.path).path)
        if path == _PAGE:
            act = self._script.next("page")
            page = Reply(200, self._page(), _HTML)
            return act(page) if act else page
        if not path.startswith(_FOLDER):
            return _not_found()
        act = self._script.next("workbook")
        workbook = self._named(path.removeprefix(_FOLDER))
        reply = workbook.reply if workbook else _not_found()
        if act:
            return act(reply)
        if workbook and _is_known(workbook, request):
            return Reply(HTTPStatus.NOT_MODIFIED, b"", reply.headers)
        return reply

    def _page(self) -> bytes:
        links = "\n".join(
            f'  <p><a class="usa-button" href="{escape(self._href(self._linked[list_name]))}">{escape(text)}</a></p>'
            for list_name, text in self._texts.items()
            if list_name in self._linked
        )
        return _PAGE_HTML.substitute(links=links).encode()

    def _href(self, workbook: _Workbook) -> str:
        start = {"absolute": f"http://{self.netloc}", "root": "", "protocol": f"//{self.netloc}"}
        return start[self._style] + _address(workbook)

    def _named(self, name: str) -> _Workbook | None:
        return next((book for book in self._linked.values() if book.name == name), None)

    def _next_saved(self) -> datetime:
        newest = max((book.saved for book in self._linked.values()), default=None)
        return _FIRST_SAVED if newest is None else newest + timedelta(days=1)


def _address(workbook: _Workbook) -> str:
    return _FOLDER + quote(workbook.name)


def usual_name(list_name: ListName, saved: datetime) -> str:
    """Return a file name by ICE's pattern, such as `pendingAgencies08112025pm.xlsx`."""
    half = "am" if saved.hour < _NOON else "pm"
    return f"{list_name}Agencies{saved:%m%d%Y}{half}.xlsx"


def _is_known(workbook: _Workbook, request: Request) -> bool:
    since = request.headers.get("If-Modified-Since")
    if since is None:
        return False
    try:
        return workbook.saved.replace(microsecond=0) <= parsedate_to_datetime(since)
    except ValueError:  # RFC 9110, 13.1.3: a date that is none is ignored
        return False


def _not_found() -> Reply:
    return Reply(HTTPStatus.NOT_FOUND, _line(HTTPStatus.NOT_FOUND), _HTML)


def _line(status: int) -> bytes:
    return f"<h1>{int(status)} {HTTPStatus(status).phrase}</h1>\n".encode()
