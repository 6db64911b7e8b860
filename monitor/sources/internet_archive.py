"""Asks the Internet Archive which captures it has of an address, and downloads them.

Its index (the "CDX server") and the playback of captures are described in the README of
`internetarchive/wayback/wayback-cdx-server` and, for `id_`, in the administrator's manual of the Wayback Machine.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Literal
from urllib.parse import urlencode

from monitor.errors import SourceError
from monitor.sources.http import PASSING, Answer, Client

AGAIN = "run the same command again to go on"
_MAX_INDEX = 50_000_000  # bytes; a capture takes 0.2 KB
_LINES = 5_000  # of the index in one answer
_STAMP = "%Y%m%d%H%M%S"
# What is answered so will not be answered otherwise tomorrow: not in the archive after all, or blocked there.
_FOR_GOOD = frozenset({403, 404, 410, 451})
_TOO_FAST = 429
_REST = 60.0  # seconds after "too many requests", where no Retry-After says how long
_LONGEST_REST = 900.0  # seconds; whoever is asked to wait for longer had better come back another time

Match = Literal["exact", "prefix"]
Collapse = Literal["digest", "timestamp:10"]


@dataclass(frozen=True, slots=True)
class Capture:
    """One line of the index: what was at an address at a time. `digest` is the base32 SHA-1 of the bytes as stored."""

    at: datetime
    original: str
    digest: str

    @property
    def timestamp(self) -> str:
        """The time as the archive writes it: YYYYMMDDhhmmss, UTC."""
        return self.at.strftime(_STAMP)


class Archive:
    """The index at `cdx` and the captures below `web`; asked one request at a time.

    `pause` waits so many seconds; it is called with `between` before every request but the first, and with what the
    archive asks for: unlike ICE's, its Retry-After is honoured, since nobody else will come round for us. `timeout` is
    (connect, read) in seconds, `max_bytes` caps a capture, `retries` counts repeats of what may pass.
    """

    def __init__(
        self,
        cdx: str,
        web: str,
        *,
        user_agent: str,
        timeout: tuple[float, float],
        max_bytes: int,
        retries: int,
        between: float,
        pause: Callable[[float], None],
    ) -> None:
        self._cdx, self._web, self._max_bytes = cdx, web.rstrip("/"), max_bytes
        self._retries, self._between, self._pause = retries, between, pause
        self._client = Client(user_agent=user_agent, timeout=timeout, retries=0, repeated=(), again=AGAIN)
        self._asked = False

    def captures(self, url: str, match: Match, collapse: Collapse, since: datetime) -> tuple[Capture, ...]:
        """The captures answered 200 of an address, or of all that begin with it, by address and time.

        `collapse` drops captures that repeat the one before: the same bytes, or the same hour. Raises SourceError.
        """
        query = {
            "url": url,
            "matchType": match,
            "output": "json",
            "fl": "timestamp,original,digest",
            "filter": "statuscode:200",
            "collapse": collapse,
            "from": since.astimezone(UTC).strftime(_STAMP),
            "limit": str(_LINES),
            "showResumeKey": "true",
        }
        found: list[Capture] = []
        used: set[str] = set()
        resume: str | None = None
        while True:
            asked = f"{self._cdx}?{urlencode(query if resume is None else {**query, 'resumeKey': resume})}"
            content = self._get(asked, _MAX_INDEX).content
            try:
                captures, resume = parse_index(content)
            except (ValueError, RecursionError) as exc:
                raise SourceError(asked, f"answered with something that is no index ({exc}); {AGAIN}") from exc
            found += captures
            if resume is None:
                return tuple(found)
            if resume in used:
                raise SourceError(asked, f"the index goes round in a circle; {AGAIN}")
            used.add(resume)

    def fetch(self, capture: Capture) -> bytes:
        """The bytes of a capture as they were archived. Raises SourceError; `permanent` where it will never be had.

        The digest is no proof against bytes that differ from it: it is that of what is stored, which may be packed
        otherwise than what is played back, so that clients of the archive advise against relying on it. It is proof
        for bytes that agree. So it decides only where something else speaks against the answer already.
        """
        url = f"{self._web}/{capture.timestamp}id_/{capture.original}"
        answer = self._get(url, self._max_bytes)
        if digest_of(answer.content) == capture.digest:
            return answer.content
        played = re.search(r"/(\d{14})id_/", answer.url)
        if played and played[1] != capture.timestamp:
            raise SourceError(url, f"the archive plays the capture of {played[1]} in its place", permanent=True)
        if "Memento-Datetime" not in answer.headers:
            raise SourceError(url, f"answered with something that is no capture; {AGAIN}")
        return answer.content

    def _get(self, url: str, max_bytes: int) -> Answer:
        """A 200 with its body, however often it takes; anything else is a SourceError."""
        for attempt in range(self._retries + 1):
            if self._asked:
                self._pause(self._between)
            self._asked = True
            last = attempt == self._retries
            rest = self._between * 2**attempt
            try:
                answer = self._client.get(url, max_bytes=max_bytes)
            except SourceError as exc:
                if exc.permanent or last:
                    raise
            else:
                if answer.status == 200:
                    return answer
                if answer.status not in PASSING or last:
                    break
                asked = retry_after(answer.headers)
                if asked is not None:
                    rest = asked
                elif answer.status == _TOO_FAST:
                    rest = _REST
                if rest > _LONGEST_REST:
                    raise SourceError(
                        url, f"answered {answer.status} and asks to wait for {rest:,.0f} seconds; then {AGAIN}"
                    )
            self._pause(rest)
        raise _refused(url, answer.status)


def parse_index(content: bytes) -> tuple[list[Capture], str | None]:
    """The captures that an answer of the index lists, and the key to ask on with, if there are more.

    An answer is a JSON array of rows, the first of which names the fields; a key stands in a last row of its own after
    an empty one. Nothing found is `[]`, or nothing at all. Raises ValueError for what is no such answer.
    """
    rows = json.loads(content) if content.strip() else []
    if not isinstance(rows, list) or not all(isinstance(row, list) and all(map(_is_text, row)) for row in rows):
        raise ValueError("not an array of rows")
    if not rows:
        return [], None
    resume = None
    if len(rows) >= 2 and not rows[-2] and len(rows[-1]) == 1:
        resume = rows[-1][0]
        rows = rows[:-2]
    names = rows[0] if rows else []
    if rows and (missing := {"timestamp", "original", "digest"} - set(names)):
        raise ValueError(f"lacks {', '.join(sorted(missing))}")
    return list(_captures(names, rows[1:])), resume


def _captures(names: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[Capture]:
    for row in rows:
        if len(row) != len(names):
            raise ValueError(f"a row of {len(row)} fields where {len(names)} are named")
        line = dict(zip(names, row, strict=True))
        try:
            at = datetime.strptime(line["timestamp"], _STAMP).replace(tzinfo=UTC)
        except ValueError:
            continue  # such as the 31st of February: there is no address under which it could be had
        yield Capture(at, line["original"], line["digest"])


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def digest_of(content: bytes) -> str:
    """The digest that the index has for these bytes."""
    return base64.b32encode(hashlib.sha1(content, usedforsecurity=False).digest()).decode()


def retry_after(headers: Mapping[str, str]) -> float | None:
    """For how many seconds the answer asks to wait (RFC 9110, 10.2.3); None where it does not say.

    A date is counted from the server's own: its clock, not ours, is the one that it means.
    """
    asked = headers.get("Retry-After", "").strip()
    if asked.isascii() and asked.isdigit():
        return float(asked)
    try:
        wait = parsedate_to_datetime(asked) - parsedate_to_datetime(headers.get("Date", ""))
    except (ValueError, TypeError):  # no date; or one with a zone and one without
        return None
    return max(wait, timedelta()).total_seconds()


def _refused(url: str, status: int) -> SourceError:
    if status == 404:
        what = "answered 404: it is in the index, and not in the archive"
    elif status in _FOR_GOOD:
        what = f"answered {status}: the archive does not give it out, or not to this network"
    else:
        what = f"answered {status}; {AGAIN}"
    return SourceError(url, what, permanent=status in _FOR_GOOD, status=status)
