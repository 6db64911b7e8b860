"""The checks that a state.db is derived from, in order, each with the workbook it saw."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from monitor.errors import SourceError
from monitor.model import Fetched, ListName, NotLinked, NotModified, Outcome, Validators
from monitor.storage.database import moment
from monitor.storage.log import Log


@dataclass(frozen=True, slots=True)
class PastCheck:
    """One check of one list as it was recorded. It is also a source that answers as ICE did then.

    `workbook`: hash of the workbook that its publication is known by. `sha256`: of the bytes that were seen; None where
    ICE answered "not modified".
    """

    log: Log
    number: int
    list: ListName
    at: datetime
    outcome: Outcome
    detail: str
    sha256: str | None
    workbook: str | None
    url: str
    file: str
    announce: bool

    def fetch(self, list_: ListName, since: Validators) -> Fetched | NotModified | NotLinked:
        """What was seen. "Not modified" only where today's rules recorded the same workbook last."""
        if self.outcome is Outcome.FAILED:
            raise _AsItFailed(self.detail)
        if self.outcome is Outcome.NOT_LINKED:
            return NotLinked(self.url)
        if self.sha256 is None and since.sha256 == self.workbook:
            return NotModified(self.url)
        return self.fetched()

    def fetched(self) -> Fetched:
        """The workbook that this check saw."""
        assert self.workbook
        return Fetched(self.url, self.file, self.log.publications.workbook(self.workbook), self.workbook)


class _AsItFailed(SourceError):
    """A check that failed then fails now with the same message."""

    def __init__(self, detail: str) -> None:
        url, _, what = detail.partition(": ")
        super().__init__(url, what)


def checks(log: Log) -> tuple[PastCheck, ...]:
    """Every check, in order."""
    return tuple(
        PastCheck(
            log,
            r["id"],
            ListName(r["list"]),
            moment(r["at"]),
            Outcome(r["outcome"]),
            r["detail"],
            r["sha256"],
            r["workbook"],
            r["url"] or "",
            r["file"] or "",
            bool(r["announce"]),
        )
        for r in log.state.rows(
            "SELECT c.*, p.sha256 AS workbook, p.url, p.file, coalesce(p.announce, 1) AS announce"
            " FROM checks c LEFT JOIN publications p ON p.id = c.publication ORDER BY c.id"
        )
    )
