"""Reads the options of a watch from the command line or from a line of a CSV file."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import click

from alerts import addresses
from alerts.model import AGREEMENT_KINDS, DAYS, PENDING_KINDS, ChannelName, Departures, Schedule, Wants
from cli.parameters import StateCode
from monitor.model import NOTES, Kind, Significance, SupportType
from monitor.normalize import county, state, support_type
from monitor.settings import Settings, zone_name
from monitor.storage.log import Log

_Command = TypeVar("_Command", bound=Callable[..., Any])
_YES, _NO = {"yes", "true", "1", "x"}, {"no", "false", "0", ""}


@dataclass(frozen=True, slots=True)
class NewWatch:
    """A watch to add. `vouched`: no confirmation by mail is needed. `time_zone`: None keeps the subscriber's."""

    channel: ChannelName
    address: str = field(repr=False)
    vouched: bool
    time_zone: str | None
    wants: Wants
    schedule: Schedule | None
    empty: bool


class TimeOfDay(click.ParamType[int]):
    """A time such as 07:00, as minutes after midnight."""

    name = "HH:MM"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"(\d\d?):(\d\d)", str(value))
        if not found or int(found[1]) > 23 or int(found[2]) > 59:
            self.fail(f"{value!r} is not a time of day; write 07:00", param, ctx)
        return 60 * int(found[1]) + int(found[2])


class TimeZone(click.ParamType[str]):
    """A time zone by its name in the IANA database."""

    name = "zone"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:

        try:
            return zone_name(str(value))
        except ValueError as exc:  # also of a path, which ZoneInfo refuses itself
            self.fail(str(exc), param, ctx)


_ADDRESS_OPTIONS = (
    click.option("--email", help="An email address."),
    click.option("--slack", metavar="URL", help="The URL of a Slack channel's incoming webhook."),
    click.option("--slack-channel", metavar="ID", help="The id of a Slack channel (C…), for the bot token."),
)
_WATCH_OPTIONS = (
    click.option("--state", "states", multiple=True, type=StateCode(), help="A state, by code or name; repeatable."),
    click.option("--all-states", is_flag=True, help="All states, and rows whose state is not recognized."),
    click.option("--county", "counties", multiple=True, metavar="NAME", help='Such as "Larkmere, TX"; repeatable.'),
    click.option(
        "--agency",
        "agencies",
        multiple=True,
        metavar="ID",
        help="The id of an agreement (a-…), for all agreements of its agency; repeatable.",
    ),
    click.option(
        "--type",
        "types",
        multiple=True,
        metavar="NAME",
        help='A support type, such as "Task Force Model"; repeatable. Default: all.',
    ),
    click.option(
        "--kind",
        "kinds",
        multiple=True,
        type=click.Choice([kind.value for kind in Kind if kind not in NOTES]),
        help="A kind of entry; repeatable. Default: all kinds about agreements.",
    ),
    click.option("--pending", is_flag=True, help="Also applications: new on the pending list, or gone from it."),
    click.option(
        "--significance",
        type=click.Choice([s.value for s in Significance]),
        default=Significance.SUBSTANTIVE.value,
        show_default=True,
        help="Which changes to send. substantive: support type, date, state, county; document: also documents; "
        "clerical: also spelling.",
    ),
    click.option(
        "--departures",
        type=click.Choice([d.value for d in Departures]),
        default=Departures.AT_ONCE.value,
        show_default=True,
        help="When to send that an agreement is no longer listed: at once, unconfirmed; or when it is confirmed.",
    ),
    click.option("--daily", type=TimeOfDay(), help="Send a digest every day at this time, instead of alerts at once."),
    click.option(
        "--weekly",
        nargs=2,
        type=(click.Choice([day.lower() for day in DAYS], case_sensitive=False), TimeOfDay()),
        metavar="DAY HH:MM",
        help="Send a digest every week, such as `--weekly monday 07:00`.",
    ),
    click.option("--empty", is_flag=True, help="Send a digest even if nothing happened."),
    *_ADDRESS_OPTIONS,
    click.option(
        "--confirmed", is_flag=True, help="You confirm that the reader of this email address asked for the watch."
    ),
    click.option("--time-zone", type=TimeZone(), help="The time zone of all digests to this address."),
)


def watch_options(command: _Command) -> _Command:
    """Add the options of a watch, which are also the columns of an import."""
    for option in reversed(_WATCH_OPTIONS):
        command = option(command)
    return command


def address_options(command: _Command) -> _Command:
    """Add the options that name an address."""
    for option in reversed(_ADDRESS_OPTIONS):
        command = option(command)
    return command


def address(
    settings: Settings, email: str | None, slack: str | None, slack_channel: str | None
) -> tuple[ChannelName, str]:
    """The one address that was given, checked. Raises click.UsageError."""

    given = [(n, v) for n, v in (("--email", email), ("--slack", slack), ("--slack-channel", slack_channel)) if v]
    if len(given) != 1:
        raise click.UsageError("Name one address: --email ADDRESS, --slack URL, or --slack-channel ID.")
    [(option, text)] = given
    try:
        match option:
            case "--email":
                return ChannelName.EMAIL, addresses.mail_address(text)
            case "--slack":
                return ChannelName.SLACK, addresses.webhook(text, settings.slack.hosts)
            case _:
                return ChannelName.SLACK_BOT, addresses.slack_channel(text)
    except ValueError as exc:
        raise click.BadParameter(str(exc), param_hint=option) from exc


def new_watch(
    settings: Settings,
    log: Log,
    *,
    states: tuple[str, ...],
    all_states: bool,
    counties: tuple[str, ...],
    agencies: tuple[str, ...],
    types: tuple[str, ...],
    kinds: tuple[str, ...],
    pending: bool,
    significance: str,
    departures: str,
    daily: int | None,
    weekly: tuple[str, int] | None,
    empty: bool,
    email: str | None,
    slack: str | None,
    slack_channel: str | None,
    confirmed: bool,
    time_zone: str | None,
) -> NewWatch:
    """The watch that these options ask for. Raises click.UsageError, naming the option where it is one."""
    if (all_states and (states or counties)) or not (all_states or states or counties or agencies):
        raise click.UsageError(
            "Name the states: --state TX (repeatable), or --all-states; or narrower, --county or --agency."
        )
    if daily is not None and weekly is not None:
        raise click.UsageError("Use --daily or --weekly, not both; add two watches for both.")
    if empty and daily is None and weekly is None:
        raise click.UsageError("--empty is for digests: add --daily or --weekly.")
    schedule = None
    if daily is not None:
        schedule = Schedule(daily)
    elif weekly is not None:
        schedule = Schedule(weekly[1], [day.lower() for day in DAYS].index(weekly[0].lower()))
    asked = frozenset(map(Kind, kinds)) or AGREEMENT_KINDS
    channel, checked = address(settings, email, slack, slack_channel)
    return NewWatch(
        channel,
        checked,
        vouched=confirmed or channel is not ChannelName.EMAIL,
        time_zone=time_zone,
        wants=Wants(
            states=frozenset(states) or None,
            kinds=asked | PENDING_KINDS if pending else asked,
            significance=Significance(significance),
            counties=frozenset(_county(text, states) for text in counties) or None,
            agencies=frozenset(_agency(id, log) for id in agencies) or None,
            support_types=frozenset(_support_type(text) for text in types) or None,
            departures=Departures(departures),
        ),
        schedule=schedule,
        empty=empty,
    )


def _county(text: str, states: tuple[str, ...]) -> tuple[str, str]:
    """A county of a state: "Larkmere, TX", or its name alone beside one --state."""

    name, _, named = text.rpartition(",") if "," in text else (text, "", states[0] if len(states) == 1 else "")
    code = state(named)
    if code is None or not county(name):
        raise click.BadParameter(f'{text!r} is not a county of a state; write "Larkmere, TX"', param_hint="--county")
    if states and code not in states:
        raise click.BadParameter(
            f"{text!r} is in none of the states given with it; leave those out, or add two watches",
            param_hint="--county",
        )
    return code, county(name)


def _agency(id: str, log: Log) -> str:
    if log.agreements.names(id) is None:
        raise click.BadParameter(f"no agreement has the id {id!r}; `agreements` prints them", param_hint="--agency")
    return log.agreements.resolve(id)


def _support_type(text: str) -> SupportType:

    found = support_type(text)
    if found is None:
        names = ", ".join(SupportType)
        raise click.BadParameter(f"{text!r} is not a support type; they are {names}", param_hint="--type")
    return found


# --- from a file -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a file of watches, and where. `column`: "" if it is about the whole line."""

    line: int
    column: str
    what: str

    def __str__(self) -> str:
        return f"line {self.line}" + (f", column {self.column}" if self.column else "") + f": {self.what}"


def read_watches(
    lines: Iterable[str], command: click.Command, parent: click.Context
) -> Iterator[tuple[int, dict[str, Any] | Fault]]:
    """Yield the line number and the parameters of `command` for each line of a CSV file, or what is wrong with it.

    Columns are named like the options. ";" separates the values of a repeatable option; the cell of a flag is yes or
    empty.
    """
    options = {
        option.opts[0].removeprefix("--"): option for option in command.params if isinstance(option, click.Option)
    }
    rows = csv.DictReader(lines, strict=True)
    try:
        columns = [(name or "").strip() for name in rows.fieldnames or ()]
    except (csv.Error, UnicodeDecodeError) as exc:
        yield 1, Fault(1, "", _unreadable(exc))
        return
    for number, name in enumerate(columns, start=1):
        if name not in options or columns.index(name) != number - 1:
            what = "is there twice" if name in options else f"is not a column; the columns are {', '.join(options)}"
            yield rows.line_num, Fault(rows.line_num, str(number), f"{name!r} {what}")
            return
    rows.fieldnames = columns
    try:
        for row in rows:
            yield rows.line_num, _parameters(row, rows.line_num, options, command, parent)
    except (csv.Error, UnicodeDecodeError) as exc:
        yield rows.line_num, Fault(rows.line_num, "", _unreadable(exc))


def _unreadable(exc: csv.Error | UnicodeDecodeError) -> str:
    if isinstance(exc, UnicodeDecodeError):
        return "is not in UTF-8, or a line soon after it; save the file as CSV UTF-8"
    return str(exc)


def _parameters(
    row: dict[str, Any],
    line: int,
    options: dict[str, click.Option],
    command: click.Command,
    parent: click.Context,
) -> dict[str, Any] | Fault:
    if row.get(None):  # type: ignore[call-overload]  # where DictReader puts what has no column
        return Fault(line, "", "has more cells than there are columns")
    words: list[str] = []
    for name, cell in row.items():
        text = (cell or "").strip()
        option = options[name]
        if option.is_flag:
            if text.casefold() not in _YES | _NO:
                return Fault(line, name, f"{text!r} is neither yes nor no")
            words += [f"--{name}"] if text.casefold() in _YES else []
        elif option.nargs > 1:
            parts = text.split()
            if len(parts) not in (0, option.nargs):  # more words would be read as further options
                return Fault(line, name, f"{text!r} is not of the form {option.metavar}")
            words += [f"--{name}", *parts] if parts else []
        else:
            parts = text.split(";") if option.multiple else [text]
            words += [f"--{name}={part.strip()}" for part in parts if part.strip()]
    try:
        with command.make_context(command.name, words, parent=parent) as context:
            return context.params
    except click.UsageError as exc:
        return fault(line, exc)


def fault(line: int, exc: click.UsageError) -> Fault:
    """A usage error, as the fault of a line of a file."""
    column = ""
    if isinstance(exc, click.BadParameter):
        hint = exc.param.opts[0] if exc.param else exc.param_hint
        column = str(hint or "").removeprefix("--")
    return Fault(line, column, exc.message)
