"""What a state.db is derived from, in its order: looks at the lists, their workbooks, an operator's acts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from monitor.errors import SourceError
from monitor.model import Act, Fetched, ListName, NotLinked, NotModified, Outcome, Validators
from monitor.storage.changelog import Log
from monitor.storage.database import moment


@dataclass(frozen=True, slots=True)
class PastCheck:
    """One look at one list as it was recorded: itself a source that answers as ICE did then.

    `workbook`: hash of the workbook that its publication is known by; `sha256`: of the bytes that were seen, None where
    ICE said that nothing had changed.
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
        """What was seen. "Not modified" only where the same workbook was recorded last under the rules of today."""
        if self.outcome is Outcome.FAILED:
            raise _AsItFailed(self.detail)
        if self.outcome is Outcome.NOT_LINKED:
            return NotLinked(self.url)
        if self.sha256 is None and since.sha256 == self.workbook:
            return NotModified(self.url)
        return self.fetched()

    def fetched(self) -> Fetched:
        """The workbook that this look showed."""
        assert self.workbook
        return Fetched(self.url, self.file, self.log.workbook(self.workbook), self.workbook)


class _AsItFailed(SourceError):
    """A look that failed then fails with the same words."""

    def __init__(self, detail: str) -> None:
        url, _, what = detail.partition(": ")
        super().__init__(url, what)


@dataclass(frozen=True, slots=True)
class PastAct:
    """What an operator decided, after the check with this number."""

    after_check: int
    at: datetime
    act: Act
    subject: str
    why: str


def checks(log: Log) -> tuple[PastCheck, ...]:
    """Every look at a list, in order."""
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


def acts(log: Log) -> Iterator[PastAct]:
    """Everything that an operator decided, in order."""
    return (
        PastAct(r["after_check"], moment(r["at"]), Act(r["act"]), r["subject"], r["why"])
        for r in log.state.rows("SELECT * FROM acts ORDER BY id")
    )
