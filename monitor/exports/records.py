"""Entries, agreements and publications as programs read them: flat mappings, the same in JSON and CSV."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING

from monitor.model import Cells, Entry
from monitor.storage.reviews import ReviewRecord

if TYPE_CHECKING:
    from monitor.storage.agreements import AgreementRecord
    from monitor.storage.publications import PublicationRecord

Line = dict[str, object]


def entry_line(entry: Entry) -> Line:
    """One entry as `changes --format jsonl` prints it; the form is fixed (ARCHITECTURE.md)."""
    return {
        "id": entry.id,
        "seq": entry.seq,
        "kind": entry.kind,
        "status": entry.status,
        "about": entry.about,
        "list": entry.list,
        "observed_at": _iso(entry.observed_at),
        "recorded_at": _iso(entry.recorded_at),
        "publication": entry.publication.file,
        "agreement": entry.agreement,
        "state": entry.state,
        "agency": entry.agency,
        "county": entry.county,
        "support_type": entry.support_type,
        "signed": entry.signed,
        "significance": entry.significance,
        "fields": [
            {"name": f.name, "before": f.before, "after": f.after, "significance": f.significance} for f in entry.fields
        ],
        "before": _cells(entry.before),
        "after": _cells(entry.after),
        "pending_since": _iso(entry.pending_since) if entry.pending_since else None,
        "pending_before": entry.pending_before,
        "reasons": list(entry.reasons),
        "relation": entry.relation,
        "agency_standing": asdict(entry.agency_standing) if entry.agency_standing else None,
        "source": _source(entry),
    }


def _source(entry: Entry) -> Line:
    """The workbook and the row that show an entry; of a departure the last ones that listed it."""
    shown = entry.publication if entry.after or not entry.previous else entry.previous
    return {"url": shown.url, "sha256": shown.sha256, "row": shown.row}


def _cells(cells: Cells | None) -> dict[str, str] | None:
    if cells is None:
        return None
    return {
        "state": cells.state,
        "agency": cells.agency,
        "type": cells.type,
        "county": cells.county,
        "support_type": cells.support_type,
        "signed": cells.signed,
        "moa": cells.moa_address or cells.moa,
        "addendum": cells.addendum_address or cells.addendum,
    }


def agreement_line(agreement: AgreementRecord) -> Line:
    """One agreement as `agreements` prints it."""
    return {
        "id": agreement.id,
        "state": agreement.state,
        "agency": agreement.agency,
        "type": agreement.type,
        "county": agreement.county,
        "support_type": agreement.support_type,
        "signed": agreement.signed,
        "moa": agreement.moa,
        "addendum": agreement.addendum,
        "first_list": agreement.first_list,
        "first_seen": _iso(agreement.first_seen),
        "listed_before": agreement.listed_before,
        "listed": list(agreement.listed),
        "aliases": list(agreement.aliases),
    }


def publication_line(publication: PublicationRecord) -> Line:
    """One publication as `publications list` prints it."""
    return {
        "id": publication.id,
        "list": publication.list,
        "file": publication.file,
        "url": publication.url,
        "sha256": publication.sha256,
        "rows": publication.rows,
        "observed_at": _iso(publication.observed_at),
        "verdict": publication.verdict,
        "decided_at": _iso(publication.decided_at),
        "reasons": list(publication.reasons),
    }


def review_line(review: ReviewRecord) -> Line:
    """One doubtful pair as `review list` prints it."""
    departure, arrival = review.departure, review.arrival
    return {
        "id": review.id,
        "standing": review.status.value,
        "observed_at": _iso(arrival.observed_at),
        "list": arrival.list,
        "state": departure.state,
        "left": departure.agency,
        "came": arrival.agency,
        "support_type": departure.support_type,
        "departure": departure.id,
        "arrival": arrival.id,
        "reasons": list(review.reasons),
        "answered_at": _iso(review.answered_at) if review.answered_at else None,
        "why": review.why,
    }


def as_csv(lines: Sequence[Line]) -> str:
    """Lines as CSV with a header (RFC 4180); "" for none."""
    if not lines:
        return ""
    sheet = io.StringIO()
    writer = csv.DictWriter(sheet, fieldnames=list(lines[0]), lineterminator="\r\n")
    writer.writeheader()
    for line in lines:
        writer.writerow({name: _safe(value) for name, value in line.items()})
    return sheet.getvalue()


# The last four are the wide ones.
_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_FIELD_ENDS = ("\t", "\r", "\n")


def _safe(value: object) -> str:
    """A value for a spreadsheet, in which workbook text must not turn into a formula (OWASP, "CSV injection").

    Some programs take the wide signs of East Asian keyboards for the plain ones, and pass over space before either.
    """
    text = value if isinstance(value, str) else "" if value is None else as_json(value)
    text = text.replace("\0", "\N{REPLACEMENT CHARACTER}")  # ends the file for many a program
    return f"'{text}" if text.startswith(_FIELD_ENDS) or text.lstrip().startswith(_FORMULA) else text


def as_json(value: object) -> str:
    """A value as one line of JSON."""
    return json.dumps(value, ensure_ascii=False)


def _iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
