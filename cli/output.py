"""Prints tables, JSON and CSV, and entries, agreements and publications for people."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from monitor.exports.records import Line, as_csv, as_json
from monitor.model import Entry, Outcome

if TYPE_CHECKING:
    from monitor.checks.record import CheckResult
    from monitor.remarks import Remarks
    from monitor.storage.agreements import AgreementRecord
    from monitor.storage.publications import PublicationRecord, VerdictRecord
    from monitor.storage.reviews import ReviewRecord

CHANGE_COLUMNS = ("observed_at", "list", "kind", "status", "state", "agency", "support_type", "id")
AGREEMENT_COLUMNS = ("state", "agency", "support_type", "signed", "listed", "id")
REVIEW_COLUMNS = ("observed_at", "state", "left", "came", "standing", "id")
PUBLICATION_COLUMNS = ("observed_at", "list", "verdict", "rows", "file", "id")


def write(form: str, lines: Iterable[Line], columns: Sequence[str]) -> None:
    """Print lines as a table of `columns`, as one JSON array, as JSON lines, or as CSV of all their fields."""
    if form == "jsonl":
        for line in lines:
            click.echo(as_json(line))
    elif form == "json":
        click.echo(json.dumps(list(lines), ensure_ascii=False, indent=2))
    elif form == "csv":
        click.echo(as_csv(list(lines)), nl=False)
    else:
        table([[_short(name, line[name]) for name in columns] for line in lines], columns)


def table(rows: Sequence[Sequence[str]], columns: Sequence[str]) -> None:
    """Print rows under the names of their columns."""
    if not rows:
        click.echo("Nothing.", err=True)
        return
    heads = [name.replace("_", " ") for name in columns]
    widths = [max(len(row[i]) for row in (heads, *rows)) for i in range(len(columns))]
    for row in (heads, ["-" * width for width in widths], *rows):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _short(name: str, value: object) -> str:
    """A value as a table shows it: times to the minute, lists joined by commas, long names cut."""
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    text = printable(str(value))
    if name.endswith("_at"):
        return text[:16].replace("T", " ")
    return text if len(text) <= 60 else f"{text[:59]}…"


def printable(text: str) -> str:
    """Workbook text for a terminal: no control characters, which could move the cursor or change colors."""
    return "".join(c if c.isprintable() else " " for c in text)


def check_line(result: CheckResult) -> str:
    """The result of one check, in one line."""
    match result.outcome:
        case Outcome.CHANGED:
            said = f"a new publication, {entries_added(result.entries)}"
            if result.asked:
                pairs = "1 doubtful pair" if result.asked == 1 else f"{result.asked} doubtful pairs"
                said += f"; {pairs} to look at, see `review list`"
        case Outcome.UNCHANGED:
            said = "unchanged" + (f", {result.entries} departures confirmed" if result.entries else "")
        case Outcome.NOT_LINKED:
            said = "not linked at present"
        case Outcome.HELD:
            said = f"held, nothing of it was believed: {result.detail}"
        case Outcome.FAILED:
            said = f"could not be checked: {result.detail}"
    return f"{result.list} list: {printable(said)}"


def entries_added(count: int) -> str:
    """How many entries were added to the log, in words."""
    return f"{'1 entry' if count == 1 else f'{count} entries'} added to the log"


def replay_line(workbooks: int, entries: int, held: int) -> str:
    """What a replay did, in one line."""
    if not workbooks:
        return "Nothing to replay: all of it is recorded already."
    line = f"Replayed {workbooks} workbooks: {entries} entries added to the log"
    return f"{line}; {held} still held, see `publications list --held`." if held else f"{line}."


def print_agreement(agreement: AgreementRecord, history: Sequence[Entry]) -> None:
    """Print an agreement and its whole history."""
    named, of = printable(agreement.agency), printable(agreement.support_type)
    click.echo(f"{named}, {agreement.state or 'state unknown'}: {of}")
    where = " and ".join(agreement.listed) or "no"
    _facts(
        {
            "id": agreement.id,
            "also known as": ", ".join(agreement.aliases),
            "on the list": where,
            "signed": agreement.signed,
            "county": agreement.county,
            "type": agreement.type,
            "MOA": agreement.moa,
            "addendum": agreement.addendum,
            "first seen": f"{minute(agreement.first_seen)} on the {agreement.first_list} list"
            + (" (listed before)" if agreement.listed_before else ""),
        }
    )
    for entry in history:
        click.echo("")
        _print_brief(entry)


def print_entry(entry: Entry, notes: Sequence[Entry]) -> None:
    """Print one entry, where it came from, and the notes about it."""
    _print_brief(entry)
    source, before = entry.publication, entry.previous
    _facts(
        {
            "agreement": entry.agreement,
            "first seen": minute(entry.observed_at),
            "recorded": minute(entry.recorded_at),
            "workbook": f"{source.file}, first seen {minute(source.observed_at)}",
            "address": source.url,
            "sha256": source.sha256,
            "row": str(source.row) if entry.after else "not in it",
            "compared with": f"{before.file}, first seen {minute(before.observed_at)}" if before else "",
            "its address": before.url if before else "",
            "its sha256": before.sha256 if before else "",
            "its row": str(before.row) if before else "",
        }
    )
    for note in notes:
        click.echo("")
        _print_brief(note)


def _print_brief(entry: Entry) -> None:
    status = f" ({entry.status})" if entry.status else ""
    click.echo(
        f"{minute(entry.observed_at)}  {entry.kind}{status}  {printable(entry.agency)}, {entry.state or '?'}:"
        f" {printable(entry.support_type)}  {entry.id}"
    )
    for f in entry.fields:
        click.echo(f"    {f.name}: {printable(f.before) or '(blank)'} → {printable(f.after) or '(blank)'}"
                   f"  [{f.significance}]")  # fmt: skip
    if entry.pending_since:
        before = "before " if entry.pending_before else ""
        click.echo(f"    on the pending list since {before}{minute(entry.pending_since)}")
    if entry.agency_standing:
        others = ", ".join(model or "(no support type)" for model in entry.agency_standing.after) or "none"
        relation = f" ({entry.relation})" if entry.relation else ""
        click.echo(f"    the agency's other agreements: {printable(others)}{relation}")
    if entry.reasons:
        click.echo(f"    because: {printable('; '.join(entry.reasons))}")


def remark_lines(remarks: Remarks) -> Iterator[str]:
    """What else stands in a workbook, a line each, under a heading."""
    if remarks:
        yield "\nNot part of the list:"
    for column in remarks.unknown_columns:
        texts = ", ".join(f"{printable(text)} ({count})" for text, count in column.texts)
        yield f"  column {printable(column.name)}, filled in {column.filled} rows: {texts}"
    for row in remarks.not_listings:
        yield f"  row {row.row}: {printable(row.text)}"
    for sheet in remarks.sheets:
        part = "read as part of the list" if sheet.used else "not read"
        yield f"  sheet {printable(sheet.title)} with {sheet.rows} listings: {part}"


def print_publication(
    publication: PublicationRecord, decisions: Sequence[VerdictRecord], entries: Sequence[Entry], refused: str = ""
) -> None:
    """Print a publication, the decisions on it, and the entries it makes (or would make), or why it can make none."""
    click.echo(f"{printable(publication.file)}: {publication.verdict}")
    _facts(
        {
            "id": publication.id,
            "list": publication.list,
            "rows": str(publication.rows),
            "first seen": minute(publication.observed_at),
            "address": publication.url,
            "sha256": publication.sha256,
        }
    )
    for line in remark_lines(publication.remarks):
        click.echo(line)
    for decision in decisions:
        why = f": {printable(' '.join(decision.reasons))}" if decision.reasons else ""
        click.echo(f"\n{minute(decision.at)}  {decision.verdict} by {printable(decision.by)}{why}")
    if refused:
        click.echo(f"\n{printable(refused)}")
        return
    waits = publication.verdict in ("held", "rejected")
    counts = Counter(str(entry.kind) for entry in entries)
    said = ", ".join(f"{count} {kind}" for kind, count in counts.most_common()) or "nothing"
    if waits:
        click.echo(f"\nIf it were accepted, the log would say: {said}.")
    else:
        click.echo(f"\nIn the log: {said}.")
    for entry in entries:
        click.echo("")
        _print_brief(entry)


def print_review(review: ReviewRecord) -> None:
    """Print a doubtful pair, with the evidence."""
    click.echo(f"One agreement or two? {review.status}")
    answered = f"{review.answer} on {minute(review.answered_at)}" if review.answered_at else ""
    _facts({"id": review.id, "evidence": "; ".join(review.reasons), "answered": answered, "why": review.why})
    for entry in (review.departure, review.arrival):
        click.echo("")
        _print_brief(entry)
        _print_cells(entry)


def _print_cells(entry: Entry) -> None:
    cells = entry.after or entry.before
    assert cells
    _facts(
        {
            "    county": cells.county,
            "    signed": cells.signed,
            "    MOA": cells.moa_address or cells.moa,
            "    agreement": entry.agreement,
        }
    )


def _facts(facts: Mapping[str, str]) -> None:
    width = max(map(len, facts))
    for name, text in facts.items():
        if text:
            click.echo(f"  {name.ljust(width)}  {printable(text)}")


def minute(moment: datetime) -> str:
    """A time to the minute, in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
