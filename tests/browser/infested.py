"""A log of workbooks with hostile text in every cell, in every kind of change.

The workbooks are real ones, read and compared as any other, and everybody is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from alerts.delivery.run import tell
from alerts.model import AGREEMENT_KINDS, Schedule
from alerts.storage.store import open_alerts
from demo.smtp import FakeSmtp, ReceivedMail
from monitor.checks.decide import Rules
from monitor.checks.plausibility import Limits
from monitor.model import Cells, Kind, Outcome, Significance
from monitor.settings import MailSettings, Settings
from monitor.workbooks.sandbox import Reader, ReadLimits
from tests.alerts.builders import NOON, add_watch, settings
from tests.hostile import WRITABLE
from tests.monitor.builders import PARTICIPATING, PENDING, Service, cells, service

BEGINNING = NOON
READ_AT = BEGINNING + timedelta(days=5)
_DAY = timedelta(days=1)
# More of these, and the list would not be believed.
_FEW = 8


@dataclass(frozen=True, slots=True)
class Infested:
    """The log's file, and the mails that told of it."""

    state: Path
    mails: Sequence[ReceivedMail]


def infested(folder: Path) -> Infested:
    """A log of four days, and what was sent."""
    with FakeSmtp() as smtp, Reader(lambda: ReadLimits(60, 1 << 30)) as reader, service(folder, reader) as here:
        # Hostile cells are unreadable ones: so many at once would be held.
        here.rules = Rules(Limits(gone_rows=10_000, unreadable_rows=10_000, changed_rows=10_000))
        state = folder / "state.db"
        mail = MailSettings(host=smtp.host, port=smtp.port, sender="Monitor <alerts@monitor.example.org>", timeout=5)
        _subscribe(state)
        _publish(here, settings(state, mail=mail))
    return Infested(state, smtp.messages)


def _subscribe(state: Path) -> None:
    """One reader for each kind of change, so that no mail is so long that it ends before the last; and digests."""
    wanted = [kind for kind in Kind if kind in AGREEMENT_KINDS or kind in (Kind.APPLIED, Kind.DROPPED)]
    with open_alerts(state) as alerts:
        for kind in wanted:
            add_watch(alerts, email=f"{kind}@example.org", kinds={kind}, significance=Significance.CLERICAL)
        add_watch(alerts, email="digest@example.org", kinds=wanted, schedule=Schedule(7 * 60))


def _publish(here: Service, told: Settings) -> None:
    here.now = BEGINNING
    usual = [cells(f"Town {n} Police Department", county="", type="Municipality") for n in range(120)]
    everywhere = [_everywhere(text) for text in WRITABLE]
    edited = [cells(f"Edited {n} Police Department", county="Alder") for n in range(len(WRITABLE))]
    hostile_edits = [_linked(before, text) for before, text in zip(edited, WRITABLE, strict=True)]
    stateless = [_everywhere(text, state=text) for text in WRITABLE[:_FEW]]
    half = everywhere[::2]
    publications = (
        [*usual, *edited, *half],
        [*usual, *hostile_edits, *everywhere, *stateless],
        [*usual, *hostile_edits, *everywhere[_FEW:]],
        [*usual, *hostile_edits, *everywhere[_FEW // 2 :]],
    )
    applications: tuple[list[Cells], ...] = ([], everywhere[:20], everywhere[10:20], everywhere[12:20])
    for published, applied in zip(publications, applications, strict=True):
        for list_, rows in ((PARTICIPATING, published), (PENDING, applied)):
            result = here.sees(*rows, list_=list_, after=_DAY / 2)
            assert result.outcome is Outcome.CHANGED, result
            tell(told, here.now)


def _everywhere(text: str, state: str = "GEORGIA") -> Cells:
    """A row with the text in every cell, and its state still read."""
    return Cells(**(dict.fromkeys(Cells.__dataclass_fields__, text) | {"state": state}))


def _linked(row: Cells, text: str) -> Cells:
    """The row with the text in whatever leads somewhere, or is shown as an edit."""
    return Cells(
        state=row.state,
        agency=row.agency,
        type=text,
        county=text,
        support_type=row.support_type,
        signed=text,
        moa="link",
        moa_address=text,
        addendum=text,
        addendum_address=text,
    )
