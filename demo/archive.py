"""The Internet Archive, on loopback: its index of captures, and the captures."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from http import HTTPStatus
from typing import Literal, TypeAlias
from urllib.parse import parse_qs, quote_plus, unquote, unquote_plus, urlsplit

from demo.loopback import Ending, LoopbackSite, Reply, Request
from demo.script import Script

__all__ = ["FakeArchive", "Part"]

Part: TypeAlias = Literal["index", "captures"]

_INDEX, _WEB = "/cdx/search/cdx", "/web"
_FIELDS = ("urlkey", "timestamp", "original", "mimetype", "statuscode", "digest", "length")


@dataclass(frozen=True, slots=True)
class _Held:
    timestamp: str
    original: str
    body: bytes
    mimetype: str
    status: int

    @property
    def urlkey(self) -> str:
        return _urlkey(self.original)

    @property
    def digest(self) -> str:
        return base64.b32encode(hashlib.sha1(self.body, usedforsecurity=False).digest()).decode()

    @property
    def line(self) -> tuple[str, ...]:
        length = str(len(self.body))
        return (self.urlkey, self.timestamp, self.original, self.mimetype, str(self.status), self.digest, length)


class FakeArchive(LoopbackSite):
    """The captures that it was given, found and played back as the Internet Archive does.

    `archive.captured(at, address, body)`, then ask `archive.cdx` and `archive.web`; `archive.requests` says what was
    asked, `archive.played` which captures. What goes wrong goes on until `recovers()`, unless `times` says how often.
    """

    def __init__(self) -> None:
        super().__init__()
        self._held: list[_Held] = []
        self._digests: dict[str, str] = {}
        self._elsewhere: dict[str, str] = {}
        self._limit = 150_000
        self._script: Script[Callable[[Reply], Reply]] = Script()

    @property
    def cdx(self) -> str:
        """Where the index is asked."""
        return f"http://{self.netloc}{_INDEX}"

    @property
    def web(self) -> str:
        """Where captures are played back."""
        return f"http://{self.netloc}{_WEB}"

    @property
    def played(self) -> list[str]:
        """The captures that were asked for, as `timestamp address`, in that order."""
        asked = [r.path.removeprefix(f"{_WEB}/").partition("id_/") for r in self.requests if r.path.startswith(_WEB)]
        return [f"{timestamp} {original}" for timestamp, _, original in asked]

    def captured(self, at: datetime, original: str, body: bytes, *, mimetype: str = "", status: int = 200) -> None:
        """Have a capture of an address at a time (aware), answered with this body."""
        stamp = at.astimezone(UTC).strftime("%Y%m%d%H%M%S")
        self._held.append(_Held(stamp, original, body, mimetype or "unk", status))

    def pages_by(self, lines: int) -> None:
        """Give at most so many lines of the index in an answer."""
        self._limit = lines

    def answers(
        self, status: int, body: bytes = b"", times: int | None = None, *, on: Part = "captures",
        headers: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        """Answer the next requests for the index, or for captures, with this."""
        reply = Reply(status, body, headers or {})
        self._script.tell(on, lambda _: reply, times=times)

    def limits(self, seconds: int | None = None, times: int | None = 1, *, on: Part = "captures") -> None:
        """Answer 429, and ask to be left alone for so long."""
        self.answers(429, times=times, on=on, headers={} if seconds is None else {"Retry-After": str(seconds)})

    def lacks(self, original: str, status: int = 404) -> None:
        """Have an address in the index, and answer this where it is asked for."""
        self._script.tell(original, lambda _: Reply(status))

    def hangs(self, original: str, seconds: float) -> None:
        """Let whoever asks for an address wait so long for the answer."""
        self._script.tell(original, lambda reply: replace(reply, delay=seconds))

    def breaks_off(self, times: int | None = 1) -> None:
        """Promise a whole capture, send half of it and hang up."""
        self._script.tell("captures", lambda reply: replace(reply, ending=Ending.BREAKS_OFF), times=times)

    def indexes_wrongly(self, original: str, digest: str) -> None:
        """Have another digest for the captures of an address than that of their bytes."""
        self._digests[original] = digest

    def plays_instead(self, original: str, timestamp: str) -> None:
        """Lead whoever asks for any capture of an address to the one of this time, as for a capture that is lost."""
        self._elsewhere[original] = timestamp

    def recovers(self) -> None:
        """Answer normally again."""
        self._script.forget()

    def reply(self, request: Request) -> Reply:
        """Decide the answer to `request`."""
        parts = urlsplit(request.path)
        if parts.path == _INDEX:
            act = self._script.next("index")
            reply = self._index({name: found[-1] for name, found in parse_qs(parts.query).items()})
            return act(reply) if act else reply
        stamp, _, original = request.path.removeprefix(f"{_WEB}/").partition("id_/")
        act = self._script.next(original, "captures")
        reply = self._capture(stamp, original)
        return act(reply) if act else reply

    def _capture(self, stamp: str, original: str) -> Reply:
        instead = self._elsewhere.get(original, stamp)
        if instead != stamp:
            return Reply(HTTPStatus.FOUND, headers={"Location": f"{_WEB}/{instead}id_/{original}"})
        for held in self._held:
            if (held.timestamp, unquote(held.original)) == (stamp, unquote(original)):
                at = datetime.strptime(stamp, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
                headers = {"Memento-Datetime": format_datetime(at, usegmt=True), "Content-Type": held.mimetype}
                return Reply(held.status, held.body, headers)
        return Reply(HTTPStatus.NOT_FOUND)

    def _index(self, query: Mapping[str, str]) -> Reply:
        wanted = sorted(self._wanted(query))
        if key := query.get("resumeKey"):
            wanted = [line for line in wanted if f"{line[0]} {line[1]}!" > unquote_plus(key)]
        limit = min(self._limit, int(query.get("limit", self._limit)))
        chosen = query.get("fl", ",".join(_FIELDS)).split(",")
        rows = [[line[_FIELDS.index(name)] for name in chosen] for line in wanted[:limit]]
        answer: list[list[str]] = [chosen, *rows] if rows else []
        if len(wanted) > limit and query.get("showResumeKey") == "true":
            answer += [[], [_resume_key(wanted[limit - 1])]]
        return Reply(200, json.dumps(answer).encode(), {"Content-Type": "application/json"})

    def _wanted(self, query: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
        key, prefix = _urlkey(query["url"]), query.get("matchType") == "prefix"
        name, _, pattern = query.get("filter", "").partition(":")
        field, _, length = query.get("collapse", "").partition(":")
        before: tuple[str, str] | None = None
        for held in sorted(self._held, key=lambda held: held.line):
            line = self._as_indexed(held)
            if not (line[0] == key or (prefix and line[0].startswith(key))) or line[1] < query.get("from", ""):
                continue
            if name and not re.fullmatch(pattern, line[_FIELDS.index(name)]):
                continue
            if field:
                now = line[0], line[_FIELDS.index(field)][: int(length) if length else None]
                if now == before:
                    continue
                before = now
            yield line

    def _as_indexed(self, held: _Held) -> tuple[str, ...]:
        digest = self._digests.get(held.original, held.digest)
        return (*held.line[:5], digest, held.line[6])


def _resume_key(line: tuple[str, ...]) -> str:
    """Where to go on after a line: escaped by the archive, and unescaped by it once more than a query is."""
    return quote_plus(f"{line[0]} {line[1]}!")


def _urlkey(url: str) -> str:
    """An address as the index sorts it: the host reversed, without scheme, `www.` and case."""
    parts = urlsplit(url if "//" in url else f"//{url}")
    host = (parts.hostname or "").removeprefix("www.")
    query = f"?{parts.query}" if parts.query else ""
    return f"{','.join(reversed(host.split('.')))}){parts.path}{query}".casefold()
