"""The command `rebuild`: makes the log again in a new file."""

from __future__ import annotations

from pathlib import Path

import click

from alerts.storage.rebuild import Carrier
from cli import wiring
from cli.context import Context
from cli.output import minute, printable, table
from cli.progress import progress
from monitor.errors import MonitorError
from monitor.model import Fetched
from monitor.rebuild.inputs import PastCheck
from monitor.rebuild.rebuild import Rebuilt, whole_or_not_at_all
from monitor.rebuild.rebuild import rebuild as derive
from monitor.rebuild.target import Target
from monitor.storage.lock import one_check_at_a_time, only_one
from monitor.storage.log import open_reader


@click.command()
@click.argument("new", type=click.Path(dir_okay=False, path_type=Path))
@click.pass_obj
def rebuild(context: Context, new: Path) -> None:
    """Make the log again by this version's rules, in a NEW file, and print what differs.

    Uses the workbooks, the checks and your decisions. Ids stay the same. An entry that the rules no longer produce is
    kept, marked as retracted. Watches and deliveries are copied. Nobody is alerted.

    Stop the service first; otherwise the new file lacks what it records or sends meanwhile. The old file is not
    changed. Move the new file to its place, and start the service again.
    """
    settings = context.settings
    if not settings.state.exists():
        raise MonitorError(f"{settings.state}: there is no such file to rebuild; name one with --db")
    subscriptions = Carrier()

    with (
        wiring.reader(lambda: settings, 2) as reading,
        open_reader(settings.state) as old,
        only_one(settings.state),
        one_check_at_a_time(settings.state),
        whole_or_not_at_all(new) as unfinished,
    ):
        subscriptions.ready(settings.state)
        with Target(unfinished, old) as store:
            result = derive(
                old,
                store,
                reading,
                rules=wiring.rules(settings),
                now=context.now,
                shown=lambda checks: progress(reading.ahead_of(checks, _workbook, depth=4), "Rebuilding", len(checks)),
            )
        subscriptions.carry(settings.state, unfinished, named=new)
    _print_rebuilt(result, settings.state, new)


def _workbook(check: PastCheck) -> Fetched | None:
    return check.fetched() if check.sha256 else None


def _print_rebuilt(result: Rebuilt, old: Path, new: Path) -> None:
    """What a rebuild did, and what differs."""
    checks, acts = _counted(result.checks, "check"), _counted(result.acts, "decision")
    click.echo(f"Rebuilt {old} into {new} from {checks} and {acts}.")
    differ = len(result.differences)
    click.echo(f"{result.entries} entries: {result.same} as before, {differ} otherwise.")
    for act in result.unanswered:
        click.echo(f"Of no use any more: {act.act} {act.subject}")
    if differ:
        click.echo("")
        table(
            [
                [
                    d.how,
                    minute(d.entry.observed_at)[:16],
                    d.entry.kind,
                    d.entry.state or "",
                    *map(printable, (d.entry.agency, d.entry.support_type, d.entry.id)),
                ]
                for d in result.differences
            ],
            ("differs", "observed_at", "kind", "state", "agency", "support_type", "id"),
        )


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
