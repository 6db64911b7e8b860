"""Parameter types of the commands: times, states, reasons, output formats."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from monitor.normalize import state
from monitor.workbooks.names import COLUMNS, field_of


class Moment(click.ParamType[datetime]):
    """A time such as 2025-08-11, 2025-08-11T14:00 or 2025-08-11T14:00:00Z; UTC if it names no zone."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            found = datetime.fromisoformat(str(value))
            found = found if found.tzinfo else found.replace(tzinfo=UTC)
            found.astimezone(UTC)  # beyond the calendar, Dec. 31, 9999 west of UTC is no day
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is not a time; write 2025-08-11 or 2025-08-11T14:00:00Z", param, ctx)
        return found


class Words(click.ParamType[str]):
    """A reason: one line of printable text."""

    name = "text"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = " ".join(str(value).split())
        if not text:
            self.fail("say why, in a few words", param, ctx)
        if not text.isprintable():
            self.fail("write plain text: it has characters that cannot be shown", param, ctx)
        return text


class StateCode(click.ParamType[str]):
    """A state or territory by its two-letter code or its name."""

    name = "state"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        code = state(str(value))
        if code is None:
            self.fail(f"{value!r} is not a state or territory; write TX or Texas", param, ctx)
        return code


# For every command that prints lines; `output.write` takes its value.
format_option = click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json", "jsonl", "csv"]),
    default="table",
    show_default=True,
    help="Output format.",
)


def named_columns(_context: click.Context, _parameter: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    """HEADER=COLUMN as an operator types it, by header; the column as ICE calls it."""
    columns: dict[str, str] = {}
    for value in values:
        header, equals, name = value.rpartition("=")
        header, name = " ".join(header.casefold().split()), name.strip()
        if not equals or not header:
            raise click.BadParameter(f'{value!r}: give HEADER=COLUMN, such as "DATE SIGNED=SIGNED"')
        if header in columns:
            raise click.BadParameter(f"{value!r}: {header!r} is named twice")
        try:
            columns[header] = COLUMNS[field_of(name)] if name.casefold() != "none" else ""
        except ValueError as exc:
            raise click.BadParameter(f"{exc}, or NONE") from exc
    return columns
